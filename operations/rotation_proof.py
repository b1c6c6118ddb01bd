"""The proof of a rotation: the login with the new value, and what becomes of the former one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host

from relogin.facts.login_requests import Requests
from relogin.facts.postgres_state import Server
from relogin.facts.proof import Check, kept_out, token_in
from relogin.mend import observe
from relogin.operations.release_proof import proven as login_proven
from relogin.parts.configuration import FromEnv
from relogin.rotating import Kind
from relogin.secret import SecretMissing

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.rotation import UnderWay
    from relogin.rotating import Rotated, Rotating


def proven(record: Rotating, what: Rotated, under_way: UnderWay) -> str:
    """Prove the login, and that the former value is refused; give what is wrong, or ''.

    Where the backend checks tokens by several secrets, one of before has to be still good.
    """
    entry = record.entry
    stays = _stays(entry.backend, what)
    problem = login_proven(entry, under_way.token if stays else None)
    if problem:
        return problem
    seen = observe(entry)
    if seen is None:
        return entry.halted or "nothing could be looked at"
    record.checks = tuple(_of_former(entry.backend, seen, what, under_way))
    return next((check.said for check in record.checks if check.ok is False), "")


def _stays(backend: Backend, what: Rotated) -> bool:
    several = backend.token is not None and backend.token.former is not None
    return what.kind is Kind.TOKENS and several


def _of_former(
    backend: Backend, seen: Observation, what: Rotated, under_way: UnderWay
) -> Iterator[Check]:
    former, new = under_way.former.reveal(), under_way.new.reveal()
    if what.kind is Kind.DATABASE:
        yield _of_role(seen, former, new)
    elif what.kind is Kind.CODE:
        yield _of_code(backend, seen, what.key, former)
    elif not _stays(backend, what):
        yield _of_token(backend, seen, under_way)


def _of_role(seen: Observation, former: str, new: str) -> Check:
    server = seen.postgres
    role = server.role if isinstance(server, Server) else None
    if role is None:
        return Check("former", None, "the role could not be seen")
    right = role.accepts(new) is True and role.accepts(former) is not True
    said = f"role {role.name} has the new password, and not the former one"
    return Check("former", right, said if right else f"role {role.name} has another password")


def _of_code(backend: Backend, seen: Observation, key: str, former: str) -> Check:
    """Log in with the former value, where a login carries it."""
    assert backend.login is not None  # noqa: S101 # only asked with one
    if FromEnv(key) not in backend.login.headers.values():
        return Check("former", None, "the former value: not tried, the login does not carry it")
    requests = Requests(current_host, backend, seen, {key: former})
    try:
        reply = requests.log_in(requests.password)
    except SecretMissing as missing:
        return Check("former", None, str(missing))
    let_in = token_in(backend.login.token, reply) is not None
    return kept_out("former", f"a login with the former {key}", reply, let_in=let_in)


def _of_token(backend: Backend, seen: Observation, under_way: UnderWay) -> Check:
    assert backend.login is not None  # noqa: S101 # only asked with one
    if under_way.token is None or backend.login.protected is None:
        return Check("former", None, "a token of before: not tried")
    reply = Requests(current_host, backend, seen).get(under_way.token.reveal())
    return kept_out("former", "a token that the former secret signed", reply, let_in=reply.ok)
