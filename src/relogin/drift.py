"""Drift: who changed what (the host, or the declaration), and how often it is mended again."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from relogin.parts.database import Account
from relogin.secret import Secret, SecretMissing, mark
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.finding import Finding

Key = tuple[str, str]
# Which parts of a description a layer's findings are judged against.
_PARTS = {
    "venv": ("venv",),
    "env_file": ("env_file",),
    "jwt": ("env_file", "token"),
    "volumes": ("service",),
    "postgres": ("database", "env_file"),
    "migrations": ("migrations", "database"),
    "database": ("database",),
    "accounts": ("accounts",),
    "service": ("service", "env_file"),
    "login": ("login", "probes", "accounts"),
}
ONLY_REPORTED = "accounts.password-differs"


@dataclass(frozen=True)
class Former:
    """What the history knows of a backend on a host.

    `declared` are the fingerprints of its description when it was last applied, `signing` that of
    the JWT secret when a login was last proven, `proven` when that was (Unix time). `mended` are
    the moments at which each finding was mended, the last one first. `ended` is when the last run
    of it ended, or at least began (Unix time; 0: there was none), `let_in` whether it proved the
    login.
    """

    declared: Mapping[str, str] = dataclasses.field(default_factory=dict)
    signing: str = ""
    proven: float = 0.0
    mended: Mapping[Key, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    ended: float = 0.0
    let_in: bool = False


@dataclass(frozen=True)
class Limits:
    """How often a scheduled run mends, so that it never fights another tool.

    One finding is mended once in `cooldown`, and `cap` of a backend on a host in `window`; both
    spans are in seconds.
    """

    cooldown: float = 1800
    cap: int = 20
    window: float = 86400


def declared(backend: Backend) -> dict[str, str]:
    """Give the fingerprint of each value of a description, by the path to it.

    A secret counts by its value, so that moving it to another source is no change.
    """
    found: dict[str, str] = {}
    for field in dataclasses.fields(backend):
        if field.name == "api":  # nothing is mended by it
            continue
        for path, value in _values(field.name, getattr(backend, field.name)):
            found[path] = mark(_known(value))
    return found


def cause(finding: Finding, now: Mapping[str, str], former: Former | None) -> str:
    """Say whether the declaration changed (intentional), or else the host (corrective).

    `new` is what was never applied by a run that the history knows.
    """
    if former is None or not former.declared:
        return "new"
    paths = {path for path in {*now, *former.declared} if _concerns(path, finding)}
    changed = any(now.get(path) != former.declared.get(path) for path in paths)
    return "intentional" if changed else "corrective"


def withheld(
    finding: Finding, backend: Backend, former: Former | None, limits: Limits, *, now: float
) -> str:
    """Say why a scheduled run does not mend a finding; empty where it does."""
    if finding.fault == ONLY_REPORTED and not backend.account(finding.subject).enforce_password:
        return "only reported: who logs in may have changed it (Account(enforce_password=True))"
    if former is None:
        return ""
    # a clock that was set back makes the past the future: that counts as just now
    last = max(former.mended.get(finding.key, ()), default=None)
    if last is not None and now - last < limits.cooldown:
        return (
            f"mended {_ago(now - last)} ago already, so something else keeps changing it back:"
            f" find out what; the next try is after {_ago(limits.cooldown)}"
        )
    lately = sum(now - at < limits.window for times in former.mended.values() for at in times)
    if lately >= limits.cap:
        return f"{lately} repairs here within {_ago(limits.window)}: no more until somebody looked"
    return ""


def refuses(finding: Finding) -> bool:
    """Tell whether to withhold a finding's fix is a refusal, and not merely a report."""
    return finding.fault != ONLY_REPORTED


def _values(path: str, value: Any) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _values(f"{path}.{key}", one)
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            name = one.login if isinstance(one, Account) else str(number)
            yield from _values(f"{path}.{name}", one)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _values(f"{path}.{field.name}", getattr(value, field.name))
    else:
        yield path, value


def _known(value: object) -> str:
    if isinstance(value, Secret) and value.declared:
        try:
            return value.reveal()
        except SecretMissing:
            return repr(value)
    return repr(value)


def _concerns(path: str, finding: Finding) -> bool:
    """Tell whether a declared value has to do with a finding: by its layer, and its subject."""
    part, *rest = path.split(".")
    if part not in _PARTS.get(finding.layer, ("service",)):
        return False
    named = finding.subject.rpartition(":")[2]
    if finding.layer in {"env_file", "jwt"} and "keys" in rest:
        return named in rest
    return finding.layer != "accounts" or "present" not in rest or named in rest


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def when(moment: float) -> str:
    """Give a moment (Unix time) as this machine's clock shows it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
