"""Who pg_hba.conf lets in: the line that decides over the backend's connections."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.hba import Client, Rule, decided
from relogin.facts.postgres_state import Server, Target
from relogin.facts.service_state import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.administrator import address, where_up

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_BY_NAME = {"peer", "ident"}


def deciding(backend: Backend, seen: Observation, server: Server) -> list[Rule] | None:
    """Give the lines that decide over the ways in which the backend tries to connect.

    A way that no line fits gives none. None where that cannot be known: a host's name in the URL, a
    group or a pattern in the file, or a file with a line that the server cannot read.
    """
    clients = _clients(address(backend, seen), server)
    if server.hidden or not clients or any(_unreadable(rule) for rule in server.hba):
        return None
    decisions = [decided(server.hba, client) for client in clients]
    if "unknown" in decisions:
        return None
    return [rule for rule in decisions if isinstance(rule, Rule)]


def _clients(target: Target, server: Server) -> list[Client]:
    """Give the connections that libpq tries one after another (PostgreSQL docs, 34.1.2)."""
    if not target.host or target.host.startswith("/"):
        return [Client(target.role, target.database, None, encrypted=False)]
    encrypted = [False] if target.sslmode in {"disable", "allow", "prefer"} else []
    encrypted += [True] if server.ssl and target.sslmode != "disable" else []
    return [
        Client(target.role, target.database, source, encrypted=tls)
        for source in _sources(target, server)
        for tls in encrypted
    ]


def _sources(target: Target, server: Server) -> tuple[str, ...]:
    """Give the addresses that the server sees: who goes to an address of its own comes from it."""
    host = server.client or target.host
    if host == "localhost":
        return "127.0.0.1", "::1"
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return ()


def _unreadable(rule: Rule) -> bool:
    return rule.error is not None and not rule.type


def _judge_refuses(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    rules = deciding(backend, seen, server)
    if rules is None or any(rule.method != "reject" for rule in rules):
        return None
    target = address(backend, seen)
    came = (
        f"from {server.client or target.host}"
        if target.host[:1] not in {"", "/"}
        else "by the unix socket"
    )
    seen_there = "no line fits"
    if rules:
        seen_there = f"line {rules[0].line} rejects it: {_shown(rules[0])}"
    return Finding(
        f"pg_hba.conf refuses role {target.role} to database {target.database} {came}",
        subject=target.role,
        seen=f"{rules[0].file if rules and rules[0].file else server.hba_file}: {seen_there}"
        + ("; the server has not read that yet" if server.hba_unread else ""),
        expected=_missing_line(target, server),
        remedy=f"put that line {'above it' if rules else 'into it'}, and reload the server"
        " (SELECT pg_reload_conf())",
        severity=Severity.WARNING if server.hba_unread else Severity.CRITICAL,
    )


def _shown(rule: Rule) -> str:
    words = (rule.type, ",".join(rule.databases), ",".join(rule.users), rule.address or "")
    return " ".join(filter(None, (*words, rule.method)))


def _missing_line(target: Target, server: Server) -> str:
    names = f"{_quoted(target.database)} {_quoted(target.role)}"
    if target.host[:1] in {"", "/"}:
        return f"local {names} scram-sha-256"
    sources = [ipaddress.ip_address(source) for source in _sources(target, server)]
    return f"host {names} {sources[0]}/{sources[0].max_prefixlen} scram-sha-256"


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name.islower() else f'"{name}"'


def _judge_unreadable(backend: Backend, seen: Observation, server: Server) -> Iterator[Finding]:
    for rule in filter(_unreadable, server.hba):
        yield Finding(
            f"the server cannot read line {rule.line} of {rule.file or server.hba_file}",
            subject=str(rule.line),
            seen=rule.error or "",
            remedy=f"correct line {rule.line} there: the old rules stay in force until the next"
            " start, which fails then",
        )


def _judge_peer(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    rules = deciding(backend, seen, server) or []
    user = seen.service.user if isinstance(seen.service, ServiceState) else ""
    by_name = [rule for rule in rules if rule.method in _BY_NAME and not rule.options]
    if not by_name or not user or user == server.target.role:
        return None
    return Finding(
        f"only the operating system's user {server.target.role} gets in by the unix socket",
        subject=server.target.role,
        seen=f"line {by_name[0].line} of {server.hba_file} asks for {by_name[0].method}, and the"
        f" service runs as {user}",
        remedy="give the database URL a host (127.0.0.1), so that the password counts, or map"
        f" {user} to the role in pg_ident.conf",
    )


_RULES = ("runuser -u postgres -- psql -c 'TABLE pg_hba_file_rules'",)
HBA_UNREADABLE = Fault(
    "postgres.hba-unreadable",
    where_up(_judge_unreadable),
    severity=Severity.WARNING,
    about="a line of pg_hba.conf cannot be read: the next start of the server fails",
    remedy="correct that line",
    check=_RULES,
)
HBA_REFUSES = Fault(
    "postgres.hba-refuses",
    where_up(_judge_refuses),
    about="pg_hba.conf does not let the backend in",
    remedy="put the line that is named into pg_hba.conf, and reload the server",
    check=(*_RULES, "journalctl -u postgresql@15-main -n 20"),
)
PEER_MISMATCH = Fault(
    "postgres.peer-mismatch",
    where_up(_judge_peer),
    about="the unix socket lets in another user of the operating system only",
    remedy="give the database URL a host, or map the user in pg_ident.conf",
    check=(*_RULES, "systemctl show UNIT -p User"),
)
FAULTS = (HBA_UNREADABLE, HBA_REFUSES, PEER_MISMATCH)
