"""Inventories of a test's own: lab hosts, each reached in its own way, with the example's data."""

import dataclasses
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.line import Line

from .host import Host
from .product import REPOSITORY, SECRETS, Ran, keeping_secrets, pyinfra

RESTORE = ("deploys/restore_access.py", "-y")
GROUP_DATA = ("--group-data", "inventories/group_data")


@dataclass(frozen=True)
class Way:
    """A way to a host: the user, and expressions that become more of its data."""

    host: Host
    user: str = "deploy"
    data: tuple[tuple[str, str], ...] = ()

    def line(self) -> str:
        self.host.use.made = True
        data = {
            "ssh_hostname": repr(self.host.address),
            "ssh_user": repr(self.user),
            "ssh_key": repr(str(self.host.key)),
            "ssh_known_hosts_file": repr(str(self.host.known_hosts)),
            "ssh_strict_host_key_checking": "'yes'",
            **dict(self.data),
        }
        pairs = ", ".join(f"{name!r}: {value}" for name, value in data.items())
        return f"    ({self.host.name!r}, {{{pairs}}}),\n"


def by(host: Host, user: str = "deploy", **data: str) -> Way:
    """Give a way to a host; the data are Python expressions of the inventory."""
    return Way(host, user, tuple(data.items()))


def through(line: Line, host: Host, folder: Path, user: str = "deploy", **data: str) -> Way:
    """Give the way to a host that goes through a line of ours."""
    known = folder / f"known_hosts-{host.name}"
    key = host.known_hosts.read_text().split(f"{host.address} ")[1].split("\n")[0]
    known.write_text(f"[127.0.0.1]:{line.port} {key}\n")
    near = dataclasses.replace(host, address="127.0.0.1", known_hosts=known)
    return by(near, user, ssh_port=str(line.port), **data)


def written(folder: Path, *ways: Way) -> str:
    """Write an inventory of these ways; give its path."""
    path = folder / "hosts.py"
    lines = "".join(way.line() for way in ways)
    path.write_text(f"from relogin import Secret\n\nhalext = [\n{lines}]\n")
    return str(path)


def run(
    folder: Path,
    ways: list[Way],
    *words: str,
    secrets: dict[str, str] | None = None,
    program: Sequence[str] = (),
    timeout: float = 300,
) -> Ran:
    """Run pyinfra on these ways: the restore by default, without a prompt."""
    return pyinfra(
        [],
        *GROUP_DATA,
        *(words or RESTORE),
        inventory=written(folder, *ways),
        secrets=SECRETS | (secrets or {}),
        program=program,
        timeout=timeout,
    )


def block(ran: Ran, host: Host) -> str:
    """Give the verdict's block of one host."""
    blocks = ran.verdict.split("─" * 78)
    [found] = [each.strip() for each in blocks if each.strip().startswith(host.name)]
    return found


def at_a_terminal(
    folder: Path, ways: list[Way], *words: str, typed: str, program: str = "pyinfra"
) -> Ran:
    """Run the restore at a terminal of its own, and type one line when a password is asked for."""
    restore, also = (("restore",), ()) if program == "relogin" else ((), RESTORE)
    argv = [str(Path(sys.executable).with_name(program)), *restore, written(folder, *ways)]
    near, far = pty.openpty()
    running = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *argv, *GROUP_DATA, *also, *words],
        cwd=REPOSITORY,
        env={**os.environ, **SECRETS, "HOME": str(folder), "NO_COLOR": "1"},
        stdin=far,
        stdout=far,
        stderr=far,
    )
    os.close(far)
    output = b""
    while data := _read(near):
        output += data
        if b"password: " in data:
            os.write(near, f"{typed}\n".encode())
    os.close(near)
    ran = Ran(running.wait(60), output.decode().replace("\r\n", "\n"))
    return keeping_secrets(ran, {**SECRETS, "typed": typed})


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: nobody has the other end any more (pty(7))
        return b""
