"""The backend's role: that it is there, may log in, has its password, and in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import scram, sql, undo
from relogin.facts.postgres_state import Role, Server
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.administrator import (
    NO_WRITES,
    administrator,
    altered,
    is_peer,
    password_in_force,
    server_of,
    where_up,
)
from relogin.operations.env_file_placeholder import is_asked_for
from relogin.operations.postgres_hba import deciding

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_SOON = 14.0
_NO_PLACEHOLDER = "set the role's password in the env file: what stands there is a placeholder"


def _judge_role_missing(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    if server.role is not None:
        return None
    alike, asked = ", ".join(server.similar_roles), is_asked_for(backend, seen)
    known = is_peer(backend) or (password_in_force(backend, seen) is not None and not asked)
    made = "it is made" + ("" if is_peer(backend) else ", with the URL's password")
    unlike = _NO_PLACEHOLDER if asked else made
    return Finding(
        f"role {server.target.role} does not exist",
        subject=server.target.role,
        seen=f"there is {alike}" if alike else "no such row in pg_roles",
        remedy=f"decide whether {alike} is meant" if alike else unlike,
        by_person=bool(alike) or not known,
    )


def _fix_role_missing(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    peer = is_peer(backend)
    password = "" if peer else f" password {_verifier(backend, seen)}"
    statement = f"create role {sql.name(finding.subject)} login{password}"
    made = sql.alone(
        f"select {sql.literal(statement)} where not exists"
        f" (select from pg_roles where rolname = {sql.literal(finding.subject)}) \\gexec"
    )
    psql = sql.psql(sql.WRITE + made, command=administrator(backend, seen))
    script = undo.stays(backend, psql, f"role {finding.subject}, which it made")
    how = "" if peer else ", with the password of the database URL"
    yield Change(script, f"CREATE ROLE {finding.subject} LOGIN{how}")


def _verifier(backend: Backend, seen: Observation) -> str:
    password = password_in_force(backend, seen)
    assert password is not None  # noqa: S101 # without one there is no finding to fix
    return sql.literal(scram.scram_verifier(password))


def _judge_verifier(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    """An md5 verifier does not do for a line that asks for SCRAM, whatever the password."""
    if server.role is None or server.role.kind != "md5":
        return None
    rules = deciding(backend, seen, server)
    if not rules or any(rule.method != "scram-sha-256" for rule in rules):
        return None
    known = password_in_force(backend, seen) is not None
    return Finding(
        f"the stored password of role {server.role.name} is of a kind that pg_hba.conf refuses",
        subject=server.role.name,
        seen=f"an md5 verifier, and line {rules[0].line} of {server.hba_file} asks for SCRAM",
        remedy="the URL's password is set anew, as SCRAM",
        by_person=not known,
    )


def _judge_password(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    password = password_in_force(backend, seen)
    if server.role is None or password is None or server.role.accepts(password) is not False:
        return None
    if _judge_verifier(backend, seen, server) is not None:  # the same is done about it
        return None
    asked = is_asked_for(backend, seen)
    return Finding(
        f"the password of role {server.role.name} is not the one in the database URL",
        subject=server.role.name,
        seen=_said(server.role),
        remedy=_NO_PLACEHOLDER if asked else "the role gets the URL's password",
        by_person=asked,
    )


def _said(role: Role) -> str:
    return (
        "it has no password" if role.kind == "none" else f"its {role.kind} verifier does not match"
    )


def _fix_password(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    verifier, why = _verifier(backend, seen), "set the password of the database URL"
    yield _with_verifier(backend, seen, finding.subject, verifier, why)


def with_password(backend: Backend, seen: Observation, role: str, password: str) -> Change:
    """Give the change that sets a role's password, as SCRAM, while it is the one that was seen."""
    verifier = sql.literal(scram.scram_verifier(password))
    return _with_verifier(backend, seen, role, verifier, "set its new password")


def _with_verifier(
    backend: Backend, seen: Observation, role: str, verifier: str, why: str
) -> Change:
    its = f"where rolname = {sql.literal(role)}"
    return altered(
        backend,
        seen,
        f"ALTER ROLE {role}: {why}",
        what=f"password of role {role}",
        read=f"select quote_nullable(rolpassword) from pg_authid {its}",
        write=f"alter role {sql.name(role)} password :to;",
        to=f"quote_nullable({verifier})",
        still=_as_seen(server_of(seen).role),
    )


def _as_seen(role: Role | None) -> str:
    """Give the condition that the stored verifier still is the one that was looked at."""
    assert role is not None  # noqa: S101 # there is no finding otherwise
    nonce, proof = sql.literal(role.nonce), sql.literal(role.proof)
    same = sql.fill(_SAME.get(role.kind, "true"), nonce=nonce, proof=proof)
    return f"exists (select from pg_authid where rolname = {sql.literal(role.name)} and {same})"


_SAME = {
    "none": "rolpassword is null",
    "md5": "encode(sha256(convert_to(:nonce: || rolpassword, 'UTF8')), 'hex') = :proof:",
    "scram": "encode(sha256(convert_to(:nonce:, 'UTF8') || decode(split_part("
    "split_part(rolpassword, '$', 3), ':', 1), 'base64')), 'hex') = :proof:",
}


def _judge_expired(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    role = server.role
    if role is None or (not role.expired and (role.days_left is None or role.days_left >= _SOON)):
        return None
    if role.expired:
        return Finding(
            f"the password of role {role.name} has expired",
            subject=role.name,
            seen="pg_authid.rolvaliduntil is in the past",
            remedy="it is made valid for ever",
        )
    return Finding(
        f"the password of role {role.name} expires in {role.days_left:.0f} days",
        subject=role.name,
        seen="pg_authid.rolvaliduntil",
        remedy=f"ALTER ROLE {sql.name(role.name)} VALID UNTIL 'infinity', or a later day",
        severity=Severity.WARNING,
        by_person=True,
    )


def _fix_expired(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    role = sql.literal(finding.subject)
    yield altered(
        backend,
        seen,
        f"ALTER ROLE {finding.subject} VALID UNTIL 'infinity'",
        what=f"expiry of role {finding.subject}",
        read=f"select quote_literal(rolvaliduntil) from pg_roles where rolname = {role}",
        write=f"alter role {sql.name(finding.subject)} valid until :to;",
        to="quote_literal('infinity')",
    )


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
    yield altered(
        backend,
        seen,
        f"ALTER ROLE {finding.subject} LOGIN",
        what=f"LOGIN of role {finding.subject}",
        read="select case when rolcanlogin then 'login' else 'nologin' end"
        f" from pg_roles where rolname = {role}",
        write=f"alter role {sql.name(finding.subject)} :to;",
        to="'login'",
    )


_ROLE = (
    "runuser -u postgres -- psql -c 'SELECT rolname, rolcanlogin, rolvaliduntil,"
    " left(rolpassword, 3) FROM pg_authid'",
)
ROLE_MISSING = Fault(
    "postgres.role-missing",
    where_up(_judge_role_missing),
    _fix_role_missing,
    unless=NO_WRITES,
    about="the backend's role does not exist",
    remedy="it is made, with the URL's password; beside a look-alike you decide which is meant",
    check=_ROLE,
)
VERIFIER_UNUSABLE = Fault(
    "postgres.verifier-unusable",
    where_up(_judge_verifier),
    _fix_password,
    unless=NO_WRITES,
    about="the role's password is stored as md5, and pg_hba.conf asks for SCRAM",
    remedy="the URL's password is set anew, as SCRAM",
    check=(*_ROLE, "runuser -u postgres -- psql -c 'TABLE pg_hba_file_rules'"),
)
ROLE_PASSWORD_DIFFERS = Fault(
    "postgres.role-password-differs",
    where_up(_judge_password),
    _fix_password,
    unless=NO_WRITES,
    about="the role's password is not the one in DATABASE_URL",
    remedy="the role gets the URL's password",
    check=("psql -h 127.0.0.1 -U ROLE -d DATABASE -c 'SELECT 1'", *_ROLE),
)
ROLE_EXPIRED = Fault(
    "postgres.role-expired",
    where_up(_judge_expired),
    _fix_expired,
    unless=NO_WRITES,
    about="the role's password has expired",
    remedy="it is made valid for ever; that it expires within two weeks is a warning",
    check=_ROLE,
)
ROLE_CANNOT_LOGIN = Fault(
    "postgres.role-cannot-login",
    where_up(_judge_no_login),
    _fix_no_login,
    unless=NO_WRITES,
    about="the role may not log in",
    remedy="it gets LOGIN",
    check=_ROLE,
)
FAULTS = (
    ROLE_MISSING,
    VERIFIER_UNUSABLE,
    ROLE_PASSWORD_DIFFERS,
    ROLE_EXPIRED,
    ROLE_CANNOT_LOGIN,
)
