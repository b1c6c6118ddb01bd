"""Record what lab hosts answer to the one look while a fault is there, for tests without a lab.

    RELOGIN_LAB=required RELOGIN_LAB_KEEP=mine python -m tests.lab.record_cases [FAULT…]

makes each of recordable.py's faults (all, or these), looks as root, keeps what differs from health
(see tests/operations/sick.py), and heals. What differs does so from the healthy looks, which are
recorded where all are, or where one is not there yet. Faults of the login are judged by HTTP
answers, which tests/apps/answers records.
"""

import dataclasses
import os
import re
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from relogin import Unreadable, shell
from relogin.backend import Backend
from relogin.facts import alone, observation, postgres
from relogin.remote import Answer
from tests.operations import sick

from . import engine
from .backends.places import PLACES
from .host import Host
from .recordable import HEALTHY, SECRETS, SICK, SUPERVISED, Look

# What is of the machine that the lab happened to run on, in the words that were agreed upon.
_OF_THE_MACHINE = (
    (rb'("platform_release": )"[^"]*"', rb'\1"6.1.0-40-amd64"'),
    (rb'("platform_version": )"[^"]*"', rb'\1"#1 SMP"'),
    (rb"/docker/[0-9a-f]{64}", b""),
    (rb"(?m)^Linux \S+", b"Linux 6.1.0-40-amd64"),
    (
        rb"(?m)^(#fs /(?:tmp)?\t)\d+\t\d+\t\d+\t\d+",
        rb"\g<1>264212084\t75849560\t16777216\t16195150",
    ),
)


def looked(host: Host, backend: Backend) -> dict[str, Answer]:
    """Give what a host answers to the look, the service's parts by their own names."""
    asked = time.time()
    answers = _answered(host, observation.scripts(backend))
    if backend.database is not None and "postgres" not in answers:
        answers |= _answered(host, _of_postgres(backend, answers))
    times = f"{asked:.6f} {time.time():.6f}".encode()
    service = answers[sick.NESTED]
    inner = alone.answers(service.lines)
    own = [line for line in service.text.split(b"\n") if b"\t" not in line]
    answers[sick.NESTED] = Answer(b"\n".join(own), service.status)
    answers |= {f"{sick.NESTED}.{name}": answer for name, answer in inner.items()}
    plain = {part: Answer(_plain(it.text, host), it.status) for part, it in answers.items()}
    return {sick.ASKED: Answer(times, 0), **plain}


def record(host: Host, look: Look) -> None:
    """Make a fault on a healthy host, try to log in as people do, and keep the look."""
    look.make(host)
    look.tried(host)
    found = looked(host, sick.described(look.example, look.profile))
    sick.written(look.file, found, look.example)
    print(look, flush=True)


def main(faults: list[str]) -> None:
    os.environ |= SECRETS
    chosen = [look for look in (*HEALTHY, SUPERVISED, *SICK) if _is_wanted(look, faults)]
    with (
        engine.hosts(dict.fromkeys((look.suite for look in chosen), 1)) as hosts,
        ThreadPoolExecutor(len(hosts)) as pool,
    ):
        list(pool.map(partial(record_all, chosen), hosts))


def _is_wanted(look: Look, faults: list[str]) -> bool:
    if not faults or look.fault in faults:
        return True
    return not look.fault and not sick.path(look.file, look.example).exists()


def record_all(looks: Iterable[Look], host: Host) -> None:
    """Record those of a host's suite; after each it is healthy again."""
    for look in looks:
        if look.suite == host.suite:
            try:
                record(host, look)
            finally:
                host.heal()
                waiting = [one.waiting for one in PLACES if one.backend == look.example]
                host.root("\n".join([":", *waiting]))


def _answered(host: Host, scripts: dict[str, str]) -> dict[str, Answer]:
    parts = shell.side_by_side(scripts)
    output = host.root(f"exec 2>/dev/null\n{shell.PRELUDE}\n{parts}\nexit 0")
    return alone.answers(output.splitlines())


def _of_postgres(backend: Backend, answers: dict[str, Answer]) -> dict[str, str]:
    """Give the script of the part that only the env files lead to."""
    without = dataclasses.replace(
        backend, database=None, migrations=None, accounts=None, login=None
    )
    seen = observation._parsed(None, without, observation.Answers(answers))  # type: ignore[arg-type] # asks no host
    target = postgres.target_in_force(backend, seen.env)
    if isinstance(target, Unreadable):
        return {}
    return {"postgres": postgres.script(backend, target)}


def _plain(text: bytes, host: Host) -> bytes:
    for pattern, word in _OF_THE_MACHINE:
        text = re.sub(pattern, word, text)
    return text.replace(host.name.encode(), b"api-host")


if __name__ == "__main__":
    main(sys.argv[1:])
