"""Accounts that the backend makes itself: by its own command, or as people register."""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gevent.lock import BoundedSemaphore

from relogin import undo
from relogin.fault import Change
from relogin.finding import Unreadable
from relogin.operations import one_at_a_time, user_row
from relogin.operations.own_command import as_owner
from relogin.parts.database import Register
from relogin.remote import Answer

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.database import Account


def by_the_backend(backend: Backend, seen: Observation, account: Account) -> Iterator[Change]:
    """Give the changes by which it makes an account; the declared password follows as a hash."""
    create = user_row.declared(backend).create
    if isinstance(create, Register):
        yield from _by_request(backend, seen, account, create)
        return
    assert create is not None  # noqa: S101 # who calls this has looked
    known = {"login": account.login, "email": account.email or "", "password": _throw_away()}
    words = [word.format_map(known) for word in shlex.split(create)]
    run = f"{as_owner(backend, seen, backend.directory, words)}\n"
    shared = one_at_a_time.applies(backend)
    if shared:
        already = user_row.is_there(backend, account)
        run = one_at_a_time.alone(backend, seen, run, already=already)
    command = " ".join(word for word in shlex.split(create) if "{" not in word)
    script = _adopted(backend, seen, account, run)
    deadline = 120 + (one_at_a_time.PATIENCE if shared else 0)
    yield Change(script, f"create account {account.login} ({command})", deadline=deadline)


def _throw_away() -> str:
    return f"Aa1{secrets.token_urlsafe(24)}"  # never taken for an option


def _adopted(backend: Backend, seen: Observation, account: Account, run: str) -> str:
    if user_row.scheme(backend, seen) is not None:  # else the row that is made tells it
        run += user_row.adopted(backend, seen, account)
    return undo.stays(backend, run, f"the row of account {account.login}, which it made")


def _by_request(
    backend: Backend, seen: Observation, account: Account, how: Register
) -> Iterator[Change]:
    def ask(host: Host) -> Answer | Unreadable:
        return _asked(host, backend, seen, account, how)

    what = f"register account {account.login} (POST {how.url})"
    yield Change("", what, unless=("service",), request=ask)
    adopt = _adopted(backend, seen, account, "")
    yield Change(adopt, f"account {account.login}: set the declared password")


def _asked(
    host: Host, backend: Backend, seen: Observation, account: Account, how: Register
) -> Answer | Unreadable:
    """Send it, unless another host of this run, with the same database, has done so."""
    if not one_at_a_time.applies(backend):
        return _sent(host, backend, seen, account, how)
    with _REQUESTS:
        there = one_at_a_time.done_by_now(host, backend, seen, user_row.is_there(backend, account))
        return Answer(b"#already", 0) if there else _sent(host, backend, seen, account, how)


# Cooperative: hosts are worked on side by side in one thread.
_REQUESTS = BoundedSemaphore()


def _sent(
    host: Host, backend: Backend, seen: Observation, account: Account, how: Register
) -> Answer | Unreadable:
    """Send it; a backend that was only just started is waited for as the login is."""
    from relogin.facts.login_requests import Requests

    requests = Requests(host, backend, seen)
    until = time.monotonic() + requests.login.deadline
    password = _throw_away()
    while True:
        reply = requests.register(how, account, password)
        if not reply.refused or time.monotonic() > until:
            break
        time.sleep(0.3)  # cooperative: other hosts go on
    if reply.status is None and not reply.refused:
        return Unreadable(f"whether account {account.login} was made is unknown: {reply.shown}")
    said = "" if reply.ok else f"POST {how.url}: answered {reply.shown}"
    return Answer(said.encode(), 0 if reply.ok else 1)
