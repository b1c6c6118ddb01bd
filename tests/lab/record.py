"""Record anew what a healthy lab host answers, for the tests that judge recorded looks.

    RELOGIN_LAB=required RELOGIN_LAB_KEEP=mine python -m tests.lab.record postgres migrations

Only the named parts are replaced; an answer with parts of its own (service) is not among them.
"""

import re
import sys

from relogin import shell
from relogin.facts import alone, observation
from relogin.remote import Answer
from tests.operations.looks import HALEXT, RECORDED, recorded

from . import engine
from .base import BOOKWORM
from .host import Host


def answered(host: Host, parts: list[str]) -> dict[str, Answer]:
    """Give what the host answers to these parts of the look."""
    scripts = observation.scripts(HALEXT)
    body = shell.side_by_side({part: scripts[part] for part in parts})
    return alone.answers(host.root(f"{shell.PRELUDE}\n{body}").splitlines())


def written(answers: dict[str, Answer]) -> bytes:
    """Give the text of a file of recorded answers."""
    text = b"".join(
        f"=== {name} {answer.status}\n".encode() + answer.text + b"\n"
        for name, answer in answers.items()
    )
    for word, value in _KERNEL.items():
        text = re.sub(rb'"%s": "[^"]*"' % word, b'"%s": "%s"' % (word, value), text)
    return text


# Of the kernel that the host happened to run on, which is no part of it.
_KERNEL = {b"platform_release": b"6.1.0-40-amd64", b"platform_version": b"#1 SMP"}


if __name__ == "__main__":
    with engine.hosts({BOOKWORM: 1}) as hosts:
        found = answered(hosts[0], sys.argv[1:])
    (RECORDED / "halext.txt").write_bytes(written(recorded("halext") | found))
