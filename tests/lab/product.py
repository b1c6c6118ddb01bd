"""Run the product as its users do: the pyinfra command, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from . import canaries
from .host import Host
from .leaks import SIGNS, leaks

REPOSITORY = Path(__file__).parents[2]
SECRETS = {
    "HALEXT_ACCESS_CODE": canaries.ACCESS_CODE,
    "HALEXT_OPS_PASSWORD": canaries.OPS_PASSWORD,
}


@dataclass(frozen=True)
class Ran:
    """A run of pyinfra: its exit code and all that it printed."""

    code: int
    output: str

    @property
    def verdict(self) -> str:
        """What was printed last, between the rules."""
        return self.output.partition("─" * 78)[2]

    def section(self, title: str) -> list[str]:
        """Give a section's lines of the (first) verdict, without their indentation."""
        lines = self.verdict.split("\n")
        if f"  {title}" not in lines:
            return []
        start = lines.index(f"  {title}") + 1
        return [line.strip() for line in lines[start:] if line.startswith("    ")][
            : next(
                (n for n, line in enumerate(lines[start:]) if not line.startswith("    ")),
                len(lines),
            )
        ]

    def changed(self) -> list[str]:
        """Name the operations that pyinfra counts as changes: its table's Success column."""
        rows = [line for line in self.output.split("\n") if line.startswith("    Restore access |")]
        return [row for row in rows if row.split()[-3] != "-"]


def pyinfra(
    hosts: list[Host],
    *words: str,
    user: str = "deploy",
    secrets: dict[str, str] = SECRETS,
    inventory: str = "inventories/lab.py",
    profile: str = "",
    stdin: str = "",
    program: Sequence[str] = (),
    timeout: float = 300,
    may_leak: bool = False,
) -> Ran:
    """Run `pyinfra inventories/lab.py WORDS…` on these hosts; secrets are in the environment.

    None of them may be in what it prints, nor any other that was planted, unless `may_leak`.
    `profile` is what the example's description is changed by, as arguments of dataclasses.replace:
    `login=_login(deadline=2)` changes fields of its Login.
    """
    with TemporaryDirectory() as folder:
        listed = Path(folder) / "hosts.json"
        if profile:
            (Path(folder) / "halext.py").write_text(changed(profile))
            words = ("--group-data", folder, *words)
        listed.write_text(json.dumps([_described(host, user) for host in hosts]))
        environment = {
            **os.environ,
            **secrets,
            "RELOGIN_LAB_HOSTS": str(listed),
            "HOME": folder,
            "NO_COLOR": "1",
        }
        done = subprocess.run(
            [*(program or (str(Path(sys.executable).with_name("pyinfra")),)), inventory, *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            cwd=REPOSITORY,
            env=environment,
        )
    ran = Ran(done.returncode, done.stdout + done.stderr)
    return ran if may_leak else keeping_secrets(ran, secrets)


def changed(profile: str, backend: str = "halext") -> str:
    """Give the group data by which an example's description is changed so."""
    example = str(REPOSITORY / f"inventories/group_data/{backend}.py")
    told = _CHANGED.replace("CHANGES", profile).replace("EXAMPLE", repr(example))
    return told.replace("BACKEND", backend)


def keeping_secrets(ran: Ran, given: dict[str, str] = SECRETS) -> Ran:
    """Give the run, which printed no secret: of those that it was given or that were planted."""
    secrets = {value for name, value in given.items() if name != "XDG_STATE_HOME"}
    assert [] == leaks(ran.output, {*SIGNS, *secrets}), ran.output
    return ran


_CHANGED = """
import functools as _functools
from dataclasses import replace as _replace
from runpy import run_path as _run_path

from relogin import Api as _Api
from relogin import Cookie as _Cookie
from relogin import Endpoint as _Endpoint
from relogin import Journey as _Journey
from relogin import Onboard as _Onboard
from relogin import Secret as _Secret
from relogin import Source as _Source
from relogin import Step as _Step
from relogin import Supervisor as _Supervisor

_example = _run_path(EXAMPLE)["BACKEND"]
_login = _functools.partial(_replace, _example.login)
_env_file = _example.env_files[0]


def _keys(**keys):
    return _replace(_env_file, keys=_env_file.keys | keys)


BACKEND = _replace(_example, CHANGES)
del _example  # pyinfra takes every name of this file for data
"""


def _described(host: Host, user: str) -> dict[str, str]:
    host.use.made = True
    return {
        "name": host.name,
        "address": host.address,
        "user": user,
        "key": str(host.key),
        "known_hosts": str(host.known_hosts),
    }


def restore(host: Host, *words: str, user: str = "deploy", profile: str = "") -> Ran:
    """Run the user's command on one host, without a prompt."""
    command = ("deploys/restore_access.py", "-y", *words)
    return pyinfra([host], *command, user=user, profile=profile)


def undo(host: Host, *words: str) -> Ran:
    """Run the command that takes the last run back, without a prompt."""
    return pyinfra([host], "deploys/undo.py", "-y", *words)


def diagnose(host: Host, *words: str, profile: str = "") -> Ran:
    return pyinfra([host], "deploys/diagnose.py", "--dry", *words, profile=profile)
