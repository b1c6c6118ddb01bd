"""Record what lab hosts answer to the one look while a fault is there, for tests without a lab.

    RELOGIN_LAB=required RELOGIN_LAB_KEEP=mine python -m tests.lab.record_cases [FAULT…]

makes each case (all, or those of these faults), looks as root, keeps what differs from health (see
tests/operations/sick.py), and heals. Faults of the login are judged by HTTP answers, which
tests/apps/answers records, and what only another description makes wrong has no look of its own.
"""

import os
import re
import sys
import time

from relogin import shell
from relogin.facts import alone, observation
from relogin.remote import Answer
from tests.operations import sick

from . import engine
from .base import BOOKWORM
from .cases import MENDED, PERSONS
from .cases.case import Case
from .host import Host
from .product import SECRETS

# Told by its token alone, which no look has.
_OF_THE_PROOF = ("env_file.other-file-used, the code reads another one",)
RECORDABLE = tuple(
    case
    for case in (*MENDED, *PERSONS)
    if not case.profile and not case.fault.startswith("login.") and str(case) not in _OF_THE_PROOF
)
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


def name_of(case: Case) -> str:
    """Give the name of the file that a case is recorded in."""
    return re.sub(r"[^a-z0-9._]+", "-", str(case).lower())


def looked(host: Host) -> dict[str, Answer]:
    """Give what a host answers to the look, the service's parts by their own names."""
    parts = shell.side_by_side(observation.scripts(sick.example()))
    asked = time.time()
    output = host.root(f"exec 2>/dev/null\n{shell.PRELUDE}\n{parts}\nexit 0")
    times = f"{asked:.6f} {time.time():.6f}".encode()
    answers = alone.answers(output.splitlines())
    service = answers[sick.NESTED]
    inner = alone.answers(service.lines)
    own = [line for line in service.text.split(b"\n") if b"\t" not in line]
    answers[sick.NESTED] = Answer(b"\n".join(own), service.status)
    answers |= {f"{sick.NESTED}.{name}": answer for name, answer in inner.items()}
    plain = {part: Answer(_plain(it.text, host), it.status) for part, it in answers.items()}
    return {sick.ASKED: Answer(times, 0), **plain}


def record(host: Host, case: Case) -> None:
    """Make a fault on a healthy host, try to log in as people do, and keep the look."""
    host.root(case.inject)
    host.login()
    sick.written(name_of(case), looked(host))


def main(faults: list[str]) -> None:
    os.environ |= SECRETS
    with engine.hosts({BOOKWORM: 1}) as [host]:
        if not faults:
            sick.CASES.mkdir(exist_ok=True)
            sick.written(sick.HEALTHY, looked(host))
        for case in RECORDABLE:
            if not faults or case.fault in faults:
                record(host, case)
                host.heal()
                print(name_of(case), flush=True)


def _plain(text: bytes, host: Host) -> bytes:
    for pattern, word in _OF_THE_MACHINE:
        text = re.sub(pattern, word, text)
    return text.replace(host.name.encode(), b"api-host")


if __name__ == "__main__":
    main(sys.argv[1:])
