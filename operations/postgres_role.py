"""The backend's role: that it is there, may log in, has its password and its privileges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import scram, sql, undo
from relogin.facts.postgres_state import Role, Server
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.administrator import (
    administrator,
    is_peer,
    password_in_force,
    where_up,
)

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _judge_role_missing(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    if server.role is not None:
        return None
    alike = ", ".join(server.similar_roles)
    known = is_peer(backend) or password_in_force(backend, seen) is not None
    return Finding(
        f"role {server.target.role} does not exist",
        subject=server.target.role,
        seen=f"there is {alike}" if alike else "no such row in pg_roles",
        remedy=f"decide whether {alike} is meant"
        if alike
        else "it is made" + ("" if is_peer(backend) else ", with the URL's password"),
        by_person=bool(alike) or not known,
    )


def _fix_role_missing(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    peer = is_peer(backend)
    password = "" if peer else f" password {_verifier(backend, seen)}"
    statement = f"create role {sql.name(finding.subject)} login{password};"
    psql = sql.psql(sql.WRITE + statement, command=administrator(backend, seen))
    script = undo.stays(backend, psql, f"role {finding.subject}, which it made")
    how = "" if peer else ", with the password of the database URL"
    yield Change(script, f"CREATE ROLE {finding.subject} LOGIN{how}")


def _verifier(backend: Backend, seen: Observation) -> str:
    password = password_in_force(backend, seen)
    assert password is not None  # noqa: S101 # without one there is no finding to fix
    return sql.literal(scram.scram_verifier(password))


def _judge_no_login(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    if server.role is None or server.role.can_login:
        return None
    return Finding(
        f"role {server.role.name} may not log in",
        subject=server.role.name,
        seen="pg_roles.rolcanlogin is false",
        remedy="it gets LOGIN; if somebody locked it on purpose, accept this fault in the profile",
    )


def _fix_no_login(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    role = sql.literal(finding.subject)
    script = undo.changed_sql(
        backend,
        administrator(backend, seen),
        what=f"LOGIN of role {finding.subject}",
        read="select case when rolcanlogin then 'login' else 'nologin' end"
        f" from pg_roles where rolname = {role}",
        write=f"alter role {sql.name(finding.subject)} :to;",
        to="'login'",
    )
    yield Change(script, f"ALTER ROLE {finding.subject} LOGIN")


def _judge_password(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    password = password_in_force(backend, seen)
    if server.role is None or password is None or server.role.accepts(password) is not False:
        return None
    return Finding(
        f"the password of role {server.role.name} is not the one in the database URL",
        subject=server.role.name,
        seen=_said(server.role),
        remedy="the role gets the URL's password",
    )


def _said(role: Role) -> str:
    return (
        "it has no password" if role.kind == "none" else f"its {role.kind} verifier does not match"
    )


def _fix_password(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    role = sql.literal(finding.subject)
    script = undo.changed_sql(
        backend,
        administrator(backend, seen),
        what=f"password of role {finding.subject}",
        read=f"select quote_nullable(rolpassword) from pg_authid where rolname = {role}",
        write=f"alter role {sql.name(finding.subject)} password :to;",
        to=f"quote_nullable({_verifier(backend, seen)})",
    )
    yield Change(script, f"ALTER ROLE {finding.subject}: set the password of the database URL")


def _judge_privileges(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    closed = [*server.closed_tables, *server.closed_sequences]
    if not closed or server.role is None:
        return None
    return Finding(
        f"role {server.role.name} may not use {', '.join(closed)}",
        subject=server.role.name,
        seen="has_any_column_privilege and has_sequence_privilege say no",
        remedy="SELECT, INSERT and UPDATE are granted, and USAGE on the sequences",
    )


def _fix_privileges(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    assert backend.database is not None  # noqa: S101 # there is no finding otherwise
    assert isinstance(seen.postgres, Server)  # noqa: S101
    schema = backend.database.schema
    wanted: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [("schema", (schema,), ("usage",))]
    for table in seen.postgres.closed_tables:
        wanted.append(("table", (schema, table), ("select", "insert", "update")))
    for sequence in seen.postgres.closed_sequences:
        wanted.append(("sequence", (schema, sequence), ("usage",)))
    psql = administrator(backend, seen, seen.postgres.target.database)
    kept = [
        undo.kept_privileges(psql, finding.subject, on=on, names=names, privileges=privileges)
        for on, names, privileges in wanted
    ]
    grants = [
        f"grant {', '.join(privileges)} on {on} {sql.name(*names)} to {sql.name(finding.subject)};"
        for on, names, privileges in wanted
    ]
    yield Change(
        undo.store(backend) + "".join(kept) + sql.psql(sql.WRITE + "\n".join(grants), command=psql),
        f"GRANT to {finding.subject} what the backend needs",
    )


ROLE_MISSING = Fault(
    "postgres.role-missing",
    where_up(_judge_role_missing),
    _fix_role_missing,
    about="the backend's role does not exist",
)
ROLE_CANNOT_LOGIN = Fault(
    "postgres.role-cannot-login",
    where_up(_judge_no_login),
    _fix_no_login,
    about="the role may not log in",
)
ROLE_PASSWORD_DIFFERS = Fault(
    "postgres.role-password-differs",
    where_up(_judge_password),
    _fix_password,
    about="the role's password is not the one in DATABASE_URL",
)
PRIVILEGES_MISSING = Fault(
    "postgres.table-privileges-missing",
    where_up(_judge_privileges),
    _fix_privileges,
    about="the role may not use the users table or its sequence",
)
FAULTS = (ROLE_MISSING, ROLE_CANNOT_LOGIN, ROLE_PASSWORD_DIFFERS)
