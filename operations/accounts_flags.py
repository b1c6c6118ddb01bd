"""The flags of the declared accounts: active, locked, verified, administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from relogin.fault import Change, Detect, Fault
from relogin.finding import Finding
from relogin.operations import user_flags, user_row
from relogin.operations.administrator import NO_WRITES
from relogin.operations.user_row import ROW_BY_HAND, rows

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _flag_differs(flag: str, what: str) -> Detect:
    """Find the accounts whose flag is not as a declared account's must be."""
    wanted = flag != "locked"

    def detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
        column = user_flags.column(backend, flag)
        for account, row in rows(backend, seen):
            due = flag != "admin" or account.admin
            if row is None or column is None or not due or bool(getattr(row, flag)) is wanted:
                continue
            if getattr(row, flag) is None and row.stored.get(flag) is not None:
                continue  # a word that no row of the table explains
            value = user_flags.written(backend, seen, flag, on=wanted)
            shown = row.stored.get(flag)
            yield Finding(
                f"account {account.login} {what}",
                subject=account.login,
                seen=f"{column} is {'NULL' if shown is None else shown}",
                remedy=f"{column} is set to {value}"
                if value
                else f"set {column} by hand: no other row tells what its sound value is",
                by_person=value is None,
            )

    return detect


def _set_flag(flag: str) -> Callable[[Backend, Observation, Finding], Iterator[Change]]:
    def fix(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
        column = user_flags.column(backend, flag)
        value = user_flags.written(backend, seen, flag, on=flag != "locked")
        assert column is not None and value is not None  # noqa: S101, PT018 # else a person's
        why = f"account {finding.subject}: {column} = {value}"
        yield user_row.update(backend, seen, finding.subject, column, value, why)

    return fix


INACTIVE = Fault(
    "accounts.inactive",
    _flag_differs("active", "is not active"),
    _set_flag("active"),
    unless=NO_WRITES,
    about="a declared account is not active",
    remedy="it is activated",
    check=ROW_BY_HAND,
)
LOCKED = Fault(
    "accounts.locked",
    _flag_differs("locked", "is locked"),
    _set_flag("locked"),
    unless=NO_WRITES,
    about="a declared account is locked",
    remedy="it is unlocked",
    check=ROW_BY_HAND,
)
UNVERIFIED = Fault(
    "accounts.unverified",
    _flag_differs("verified", "is not verified"),
    _set_flag("verified"),
    unless=NO_WRITES,
    about="a declared account is not verified",
    remedy="it is marked as verified",
    check=ROW_BY_HAND,
)
ADMIN_LOST = Fault(
    "accounts.admin-lost",
    _flag_differs("admin", "is no administrator any more"),
    _set_flag("admin"),
    unless=NO_WRITES,
    about="a declared administrator is none any more",
    remedy="it is made one again",
    check=ROW_BY_HAND,
)
FAULTS = (INACTIVE, LOCKED, UNVERIFIED, ADMIN_LOST)
