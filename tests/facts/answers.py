"""Answers of hosts: from a shell that runs the script for real, or recorded from one."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from relogin import shell
from relogin.facts import alone
from relogin.remote import Answer

RECORDED = Path(__file__).parent / "recorded"
SHELLS = [
    pytest.param(("sh",), id="sh"),
    pytest.param(
        ("busybox", "sh"),
        id="busybox",
        marks=pytest.mark.skipif(shutil.which("busybox") is None, reason="there is no busybox"),
    ),
]


def run(script: str, sh: tuple[str, ...] = ("sh",)) -> Answer:
    """Give what the script of one part answers, run here as the look runs it on a host."""
    whole = (
        f"exec 2>/dev/null\n{{\n{shell.PRELUDE}\n{shell.side_by_side({'it': script})}\nexit 0\n}}"
    )
    done = subprocess.run([*sh, "-s"], input=whole.encode(), capture_output=True, check=True)
    return alone.answers(done.stdout.decode().splitlines())["it"]


def run_alone(command: object) -> list[str]:
    """Give the lines that a fact's own command writes; it has to end with status 0."""
    done = subprocess.run(
        ["sh", "-c", str(command)], capture_output=True, check=True, stdin=subprocess.DEVNULL
    )
    return done.stdout.decode().splitlines()


def recorded(name: str) -> Answer:
    """Give an answer of a real host; its frames are kept as text, each under `=== name status`."""
    kind = name.partition("-")[0]
    lines = [kind]
    for frame in (RECORDED / f"{name}.txt").read_text().split("=== ")[1:]:
        head, _, text = frame.partition("\n")
        part, status = head.split(" ")
        body = f"{text.rstrip()}\n\n#rc={status}".encode()
        lines.append(f"{part}\t{base64.b64encode(body).decode()}")
    return Answer("\n".join(lines).encode(), 0)
