"""What a worker works with: a process that has the inventory loaded, and forks for each host.

It reads lines of JSON on stdin and writes some on stdout. Each host has a process, so a run, of its
own: its lease and its undo store are nobody else's, and it ends with whoever started it.
"""

from __future__ import annotations

import ctypes
import dataclasses
import importlib
import json
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from gevent.monkey import get_original

import relogin.drive  # noqa: F401 # first of all: it patches the standard library
from relogin import run
from relogin.drift import Limits
from relogin.drive import hosts, work
from relogin.drive.session import Options, Session, begin
from relogin.errors import UsageError
from relogin.ledger import keep, whole
from relogin.ledger.store import LedgerError, choose
from relogin.report import document
from relogin.secret import Secret
from relogin.undo import run_id
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host

_fork, _waitpid = get_original("os", "fork"), get_original("os", "waitpid")
_select = get_original("select", "select")
_TO_BE_SURE = 120  # seconds in which a ledger that cannot be written is tried again
_DIE_TOO = 1  # prctl(2), PR_SET_PDEATHSIG
# What each host's process would import by itself: two fifths of its CPU time.
_NEEDED = ("dotenv", "psycopg", "relogin.web")
_ENDED = ("proven", "healthy", "findings", "not-proven")


@dataclass(frozen=True)
class _Begun:
    """A job that a process works on, and until when (by this machine's monotonic clock)."""

    pid: int
    number: int
    deadline: float
    until: float


def main() -> None:
    """Load what the first line names, tell its hosts, and work on those that are asked for."""
    first, rest = _line()
    try:
        choose(first.pop("ledger"))
        session = begin(Options(**_tuples(first)))
    except UsageError as error:
        _say({"problem": str(error)})
        return
    for name in _NEEDED:
        importlib.import_module(name)
    _say({"hosts": [host.name for host in session.work]})
    _serve(session, rest)


def _serve(session: Session, rest: bytes) -> None:
    """Fork for each job, and pass on what it answers in time, until stdin is closed."""
    working: dict[int, _Begun] = {}
    told: dict[int, bytes] = {}
    while True:
        while b"\n" in rest:
            line, _, rest = rest.partition(b"\n")
            job = json.loads(line)
            pid, answers = _forked(session, job, [*working])
            limit = job["deadline"]
            working[answers] = _Begun(pid, job["id"], limit, time.monotonic() + limit)
            told[answers] = b""
        ready, _, _ = _select([0, *working], [], [], _patience(working))
        for fd in ready:
            data = os.read(fd, 65536)
            if fd == 0:
                if not data:
                    for one in working.values():
                        _kill(one.pid)
                    return
                rest += data
            elif data:
                told[fd] += data
            else:
                _ended(fd, working.pop(fd), told.pop(fd))
        for fd in [fd for fd, one in working.items() if one.until <= time.monotonic()]:
            _overdue(fd, working.pop(fd))
            del told[fd]


def _patience(working: dict[int, _Begun]) -> float | None:
    """Give the seconds until the first deadline; None where nothing is worked on."""
    first = min((one.until for one in working.values()), default=None)
    return None if first is None else max(0.0, first - time.monotonic())


def _ended(answers: int, one: _Begun, said: bytes) -> None:
    os.close(answers)
    _waitpid(one.pid, 0)
    answer = json.loads(said) if said else {"problem": "the process that worked on it has died"}
    _say({"id": one.number, **answer})


def _overdue(answers: int, one: _Begun) -> None:
    """End what has not ended in time, with all that it started."""
    _kill(one.pid)
    os.close(answers)
    _waitpid(one.pid, 0)
    why = (
        f"it had not ended after {one.deadline:g} s (--deadline), and was ended with its processes"
    )
    _say({"id": one.number, "problem": why, "overdue": True})


def _kill(pid: int) -> None:
    """End a process and those of its group, also where they are stopped."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _forked(session: Session, job: dict[str, Any], others: list[int]) -> tuple[int, int]:
    import gevent

    answers, mine = os.pipe()
    pid = _fork()  # gevent's own watches for the child, and its loop would be the child's too
    if pid:
        os.close(mine)
        with suppress(OSError):  # it has ended already
            os.setpgid(pid, pid)
        return pid, answers
    try:
        os.setpgid(0, 0)  # both do so: whoever comes first
        gevent.reinit()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_DIE_TOO, signal.SIGKILL)
        for fd in (answers, *others):
            os.close(fd)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # stdout is the worker's
        os.write(mine, json.dumps(_worked(session, job)).encode())
    except BaseException as error:  # noqa: BLE001 # nothing of the parent's may go on here
        os.write(mine, json.dumps({"problem": hosts.told(error)}).encode())
    finally:
        os._exit(0)


def _worked(session: Session, job: dict[str, Any]) -> dict[str, Any]:
    """Work on one host and keep what became of it, unless the ledger has it already."""
    named = [host for host in session.work if host.name == job["host"]]
    if not named:
        return {"problem": f"the inventory has no host {job['host']} with a backend"}
    if job["attempts"] and (known := _known(job)):
        return {"outcome": known, "kept": True}
    run_id.cache_clear()
    (host,) = named
    session.state.limit_hosts = [host]
    record = run.of(session.state)
    record.purpose, record.report_only = "drift", job["report_only"]
    record.of_pass, record.said.ours = job["of_pass"], True
    limits = Limits(cooldown=job["cooldown"], cap=job["cap"], window=job["window"])
    corrected = partial(work.drift, limits=limits)
    task = partial(work.diagnose, refusals=False) if record.report_only else corrected
    work.stage(session.state, changing=record.changing)
    mine = dataclasses.replace(session, work={host: session.work[host]})
    hosts.each(mine, work.compared(task), ended=_nobody)
    told = document.document(record, session.state)
    held = any(one.holder is not None for one in record.entries.values())
    return {"outcome": told["hosts"][0]["outcome"], "held": held, **_kept(told)}


def _known(job: dict[str, Any]) -> str:
    """Give the outcome that this pass has for a host already, of a run that came to its end."""
    try:
        known = whole.of_pass(job["of_pass"], job["host"])
    except LedgerError:
        return ""
    ended = known is not None and known["seconds"] is not None
    word = known["hosts"][0]["outcome"] if known and ended else ""
    return word if word in _ENDED else ""


def _kept(told: dict[str, Any]) -> dict[str, Any]:
    """Keep a run in the ledger, and wait for one that is not there for a while."""
    import gevent

    problem, waited = keep.keep(told), 0
    while problem is not None and waited < _TO_BE_SURE:
        gevent.sleep(5)
        waited += 5
        problem = keep.keep(told)
    return {"kept": problem is None, "said": problem or ""}


def _nobody(host: Host) -> None:
    """Be told that a host has ended."""


def _line() -> tuple[dict[str, Any], bytes]:
    rest = b""
    while b"\n" not in rest:
        data = os.read(0, 65536)
        if not data:
            raise SystemExit
        rest += data
    line, _, rest = rest.partition(b"\n")
    return json.loads(line), rest


def _tuples(given: dict[str, Any]) -> dict[str, Any]:
    """Give options as they were before they were JSON; none of their secrets is in a text."""
    for name, value in (given.get("ssh") or {}).items():
        if "password" in name and value:
            Secret.seen(value)
    return {name: tuple(one) if isinstance(one, list) else one for name, one in given.items()}


def _say(answer: dict[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
