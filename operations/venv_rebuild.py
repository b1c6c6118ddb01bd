"""A virtual environment that is not there, or whose interpreter is not the one it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import shell, undo
from relogin.facts.venv import BrokenVenv
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.venv_owner import as_owner, installed
from relogin.parts.runtime import Venv

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_DEADLINE = 180
_START = """\
venv={venv}; options=
id -u "$owner" >/dev/null 2>&1 || {{ echo "there is no user $owner on the host"; return 1; }}
! grep -q '^include-system-site-packages *= *true' "$venv/pyvenv.cfg" 2>/dev/null ||
  options=--system-site-packages
"""
# It is built where it will be, for its scripts hold its path. What was there is renamed, and comes
# back where nothing new can be built.
_BUILD = """\
python=$(command -v {python}) || {{
  printf '%s is not installed on the host: install it, or declare another\\n' {python}; return 1
}}
as_owner "$python" -I -c 'import ensurepip, venv' 2>/dev/null || {{
  echo "$python has no ensurepip, so makes no venv: install its package (Debian: python3-venv)"
  return 1
}}
{store}away() {{ folder_save && aside_of "$v" && mv "$venv" "$aside"; }}
umask 022; [ ! -e "$venv" ] || umask "$(rights "$venv")"
keep folder "$venv" {what}
old=; ! there "$venv" || {{ aside_of "$v"; old=$aside; mv "$venv" "$old"; }}
build() {{
  mkdir "$venv" && chown "$owner:" "$venv" && as_owner "$python" -I -m venv $options "$venv"
}}
said=$(build 2>&1) || {{
  ! there "$venv" || away
  [ -z "$old" ] || mv "$old" "$venv"
  printf '%s\\n' "$said" | tail -n 4; return 1
}}"""
# The dangling links have to go first: else venv itself fails over them.
_RELINK = """\
away() {{ keep "$1"; rm -f "$1"; }}
keep "$venv/pyvenv.cfg"; links=$v
away "$venv/bin/python"; away "$venv/bin/python3"; away "$venv/bin/python"{minor}
for link in "$venv"/bin/python3.*; do ! there "$link" || away "$link"; done
said=$(as_owner {same} -I -m venv --upgrade --without-pip $options "$venv" 2>&1) || {{
  for v in "$kept/$run"/[0-9][0-9][0-9]; do
    [ "${{v##*/}}" -lt "${{links##*/}}" ] || {{ at "$v"; file_back; }}
  done
  printf '%s\\n' "$said" | tail -n 4; return 1
}}"""


def _detect_missing(backend: Backend, seen: Observation) -> Finding | None:
    venv = seen.venv
    if not isinstance(venv, BrokenVenv) or venv.is_venv:
        return None
    hindrance = ""
    if venv.there:
        hindrance = f"see what {venv.path} holds, and move it away: a new one is then built"
    elif not venv.owner:
        hindrance = (
            f"put the backend back: the folder that {venv.path} belongs in is not there either"
        )
    return Finding(
        f"{venv.path} {'is no virtual environment' if venv.there else 'does not exist'}",
        subject=venv.path,
        seen="there is no pyvenv.cfg in it" if venv.there else "",
        remedy=hindrance or _built_as(backend, venv),
        by_person=bool(hindrance),
    )


def _detect_interpreter_gone(backend: Backend, seen: Observation) -> Finding | None:
    venv = seen.venv
    if not isinstance(venv, BrokenVenv) or not venv.is_venv or venv.python:
        return None
    return Finding(
        f"the Python of {venv.path} is gone",
        subject=venv.path,
        seen=f"bin/python leads to {venv.link or 'nothing'}",
        expected=f"Python {venv.made}" if venv.made else "",
        remedy=f"it is linked to {venv.same}, and keeps its packages"
        if venv.same
        else f"there is no other of that version: it is moved away, {_built_as(backend, venv)}",
    )


def _detect_minor_version_changed(backend: Backend, seen: Observation) -> Finding | None:
    venv = seen.venv
    if not isinstance(venv, BrokenVenv) or not venv.python:
        return None
    return Finding(
        f"{venv.path} was made for Python {venv.made}, and its interpreter is another one now",
        subject=venv.path,
        seen=f"Python {venv.python}, which does not see the packages",
        expected=f"Python {venv.made}",
        remedy=f"it is moved away, {_built_as(backend, venv)}",
    )


def _built_as(backend: Backend, venv: BrokenVenv) -> str:
    files = ", ".join(backend.venv.requirements) if backend.venv else ""
    return f"built anew as {_owner(backend, venv)}, and filled with {files or 'nothing'}"


def _owner(backend: Backend, venv: BrokenVenv) -> str:
    return (backend.venv.owner if backend.venv else None) or venv.owner


def _build(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Build it, and install all that its requirements ask for."""
    part, venv = backend.venv, seen.venv
    assert isinstance(part, Venv) and isinstance(venv, BrokenVenv)  # noqa: S101, PT018
    owner = _owner(backend, venv)
    what = shell.quote(f"the virtual environment {part.path}")
    build = _BUILD.format(python=shell.quote(part.python), store=undo.store(backend), what=what)
    away = f" (the old one: {part.path}.broken-{undo.run_id()})" if venv.there else ""
    why = f"{part.python} -m venv {part.path} as {owner}{away}"
    yield Change(_script(part, owner, build), why, _DEADLINE)
    for file in part.requirements:
        yield installed(part, file, owner=owner, folder_of_modules=part.path)


def _relink_or_build(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    venv = seen.venv
    assert isinstance(backend.venv, Venv) and isinstance(venv, BrokenVenv)  # noqa: S101, PT018
    if not venv.same:
        yield from _build(backend, seen, finding)
        return
    owner = _owner(backend, venv)
    minor = shell.quote(".".join(venv.made.split(".")[:2]))
    relink = undo.store(backend) + _RELINK.format(same=shell.quote(venv.same), minor=minor)
    why = f"{venv.same} -m venv --upgrade {venv.path} as {owner}"
    yield Change(_script(backend.venv, owner, relink), why, _DEADLINE)


def _script(part: Venv, owner: str, body: str) -> str:
    return as_owner(owner, _DEADLINE) + _START.format(venv=shell.quote(part.path)) + body


MISSING = Fault(
    "venv.missing",
    _detect_missing,
    _build,
    about="the virtual environment does not exist",
    remedy="it is built anew by its owner, and filled with what its requirements ask for",
    check=("ls -ld VENV", "cat VENV/pyvenv.cfg"),
)
INTERPRETER_GONE = Fault(
    "venv.interpreter-gone",
    _detect_interpreter_gone,
    _relink_or_build,
    about="the virtual environment's Python is not installed any more",
    remedy="it is linked to another Python of its version, else built anew",
    check=("ls -l VENV/bin/python*", "readlink -f VENV/bin/python"),
)
MINOR_VERSION_CHANGED = Fault(
    "venv.minor-version-changed",
    _detect_minor_version_changed,
    _build,
    about="the virtual environment was made for another Python",
    remedy="it is moved away, built anew and filled",
    check=("grep version VENV/pyvenv.cfg", "runuser -u USER -- VENV/bin/python -V", "ls VENV/lib"),
)
