"""pg_hba.conf as the server reads it: which line decides over a connection of the backend.

The first line that fits type, database, user and address decides; without one the connection is
refused (PostgreSQL docs, 21.1).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from relogin.values import dataclass

_LOOPBACK = ("127.0.0.1", "::1")
_BY_KEYWORD = ("+", "/", "same")


@dataclass(frozen=True)
class Rule:
    """A line of pg_hba.conf; `file` is None in pg_hba.conf itself.

    Of a line that the server cannot read only `line`, `file` and `error` are known.
    """

    line: int
    type: str
    databases: tuple[str, ...]
    users: tuple[str, ...]
    address: str | None
    netmask: str | None
    method: str
    options: tuple[str, ...]
    error: str | None
    file: str | None


@dataclass(frozen=True)
class Client:
    """A connection as the server meets it; `address` is None on a unix socket."""

    role: str
    database: str
    address: str | None
    encrypted: bool


Decision = Rule | None | Literal["unknown"]


def rules(rows: Iterable[Sequence[Any]]) -> tuple[Rule, ...]:
    """Give the rules as the look wrote them."""
    return tuple(
        Rule(
            line=line,
            type=kind or "",
            databases=tuple(databases or ()),
            users=tuple(users or ()),
            address=address,
            netmask=netmask,
            method=method or "",
            options=tuple(options or ()),
            error=error,
            file=file,
        )
        for line, kind, databases, users, address, netmask, method, options, error, file in rows
    )


def decided(lines: Iterable[Rule], client: Client) -> Decision:
    """Give the line that decides over a connection, None where none fits.

    `unknown` where that hangs on what cannot be judged here: a group, a pattern, a host's name.
    """
    for rule in lines:
        fits = _fits(rule, client)
        if fits is None:
            return "unknown"
        if fits:
            return rule
    return None


def _fits(rule: Rule, client: Client) -> bool | None:
    checks = (
        _fits_type(rule.type, client),
        _listed(rule.databases, client.database, client.role),
        _listed(rule.users, client.role, client.role),
        _fits_address(rule, client.address),
    )
    if False in checks:
        return False
    return None if None in checks else True


def _fits_type(kind: str, client: Client) -> bool:
    if client.address is None:
        return kind == "local"
    allowed = {"host", "hostnogssenc", "hostssl" if client.encrypted else "hostnossl"}
    return kind in allowed


def _listed(names: tuple[str, ...], wanted: str, role: str) -> bool | None:
    if "all" in names or wanted in names or ("sameuser" in names and wanted == role):
        return True
    by_keyword = any(name.startswith(_BY_KEYWORD) for name in names if name != "sameuser")
    return None if by_keyword else False


def _fits_address(rule: Rule, address: str | None) -> bool | None:
    if address is None or rule.address == "all":
        return True
    if rule.address in {"samehost", "samenet"}:
        return True if address in _LOOPBACK else None
    if rule.address is None:
        return False
    if rule.netmask is None:  # a host's name, which the server asks its resolver for
        return True if rule.address == "localhost" and address in _LOOPBACK else None
    client, network = ipaddress.ip_address(address), ipaddress.ip_address(rule.address)
    mask = int(ipaddress.ip_address(rule.netmask))
    return client.version == network.version and int(client) & mask == int(network) & mask
