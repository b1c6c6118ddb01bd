"""Scripts of a virtual environment that start the interpreter of the place where it was before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import shell, undo
from relogin.facts.venv import VenvState
from relogin.facts.venv_script import SHEBANG
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.venv_owner import as_owner

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_DEADLINE = 60
# Only their heads hold the place (distlib.scripts, from which pip has them). To install the
# distributions again would rewrite them as well, but needs an index that still has these versions.
_REWRITE = r"""
import os, re, sys
own, names = sys.argv[1] + "/bin/", sys.argv[2:]
for name in names:
    path = own + name
    with open(path, "rb") as script: text = script.read()
    head = re.match(rb"@SHEBANG@", text)
    if not head: sys.exit(path + " has changed; run again")
    python = own + os.path.basename(os.fsdecode(head.group(2)))
    if not os.path.exists(python): python = own + "python"
    arguments = b"" if head.group(1) else head.group(3)
    line = b"#!" + os.fsencode(python) + arguments + b"\n"
    if len(line) > 127 or b" " in os.fsencode(python):
        if re.search(r"[\"$`\\]", python): sys.exit(own + ": no script can name such a path")
        line = b"#!/bin/sh\n'''exec' \"" + os.fsencode(python) + b"\" \"$0\" \"$@\"\n' '''\n"
    with open(path + ".new", "wb") as new: new.write(line + text[head.end():])
    os.chmod(path + ".new", os.stat(path).st_mode & 0o7777)
    os.replace(path + ".new", path)
""".replace("@SHEBANG@", SHEBANG)


def _detect(backend: Backend, seen: Observation) -> Finding | None:
    venv = seen.venv
    if not isinstance(venv, VenvState) or not venv.strays:
        return None
    elsewhere = sorted(set(venv.strays.values()))
    return Finding(
        f"scripts in {venv.path}/bin start another Python: {', '.join(venv.strays)}",
        subject=venv.path,
        seen=f"they start {', '.join(elsewhere)}: it was moved here, or copied",
        expected=f"{venv.path}/bin/python",
        remedy="their first lines are rewritten",
    )


def _rewrite(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    venv = seen.venv
    assert isinstance(venv, VenvState)  # noqa: S101 # else there is no finding
    owner = (backend.venv.owner if backend.venv else None) or venv.owner
    kept = "\n".join(f"keep {shell.quote(f'{venv.path}/bin/{name}')}" for name in venv.strays)
    words = shell.words([venv.path, *venv.strays])
    python = shell.quote(f"{venv.path}/bin/python")
    yield Change(
        f"{undo.store(backend)}{kept}\n{as_owner(owner, _DEADLINE)}"
        f"as_owner {python} -I -c {shell.quote(_REWRITE)} {words}",
        f"{venv.path}/bin: let {', '.join(venv.strays)} start its own Python",
        _DEADLINE,
    )


MOVED = Fault(
    "venv.moved",
    _detect,
    _rewrite,
    about="scripts start the Python of another virtual environment",
    remedy="their first lines are rewritten",
    check=("head -qn 2 VENV/bin/pip VENV/bin/uvicorn",),
)
