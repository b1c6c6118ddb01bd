"""The virtual environment of a new revision: built beside the old one, switched by renaming."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from relogin import shell
from relogin.operations.release_tree import stage
from relogin.operations.venv_owner import as_owner

if TYPE_CHECKING:
    from relogin.parts.runtime import Venv
    from relogin.parts.source import Source

DEADLINE = 900
# A venv's scripts hold its path, so they are written for the one that it will have. Its byte code
# names files of that path as well (compileall -s -p); it is a convenience, so it may fail.
_MOVED = """
import os, sys
here, there = (name.encode() for name in sys.argv[1:])
bin = os.path.join(sys.argv[1], "bin")
for path in [os.path.join(bin, name) for name in os.listdir(bin)] + [sys.argv[1] + "/pyvenv.cfg"]:
    if os.path.islink(path) or not os.path.isfile(path): continue
    with open(path, "rb") as file: text = file.read()
    if here in text and b"\\0" not in text:
        with open(path, "r+b") as file: file.write(text.replace(here, there)); file.truncate()
"""
_SAME = """\
same() {{
  [ -x "$venv/bin/python" ] || return 1
  {compared}
}}
"""
_BUILD = """\
next=$venv.relogin-next; former=$venv.relogin-former
if ! marked built && ! same; then
  python=$(command -v {python}) || {{ printf '%s is not installed\\n' {python}; exit 1; }}
  rm -rf "$next" "$former"
  umask "$(rights "$venv")"
  mkdir "$next"; chown "$owner:" "$next"; chmod --reference="$venv" "$next"
  make() {{
    as_owner "$python" -I -m venv $options --prompt "${{venv##*/}}" "$next" && cd {folder} &&
      as_owner "$next/bin/python" -I -m pip install -q --disable-pip-version-check --no-input \\
        --no-compile {arguments}
  }}
  said=$(make 2>&1) || {{ printf '%s\\n' "$said" | tail -n 8; exit 1; }}
  ! grep -rqsF -e {stage} "$next"/lib/python*/site-packages/*.pth \\
    "$next"/lib/python*/site-packages/__editable__* || {{
    echo 'a requirement installs the source itself: only distributions can be released'; exit 1
  }}
  as_owner "$next/bin/python" -I -m compileall -q -s "$next" -p "$venv" "$next/lib" >/dev/null || :
  as_owner "$next/bin/python" -I -c {moved} "$next" "$venv"
  mark built
fi
"""
_START = """\
venv={venv}; options=
! grep -q '^include-system-site-packages *= *true' "$venv/pyvenv.cfg" 2>/dev/null ||
  options=--system-site-packages
"""
# `former` is there from here on only where it was switched: the build removed the one before.
_SWITCH = """\
venv={venv}; next=$venv.relogin-next; former=$venv.relogin-former
if marked built && [ -e "$next" ]; then
  [ ! -e "$venv" ] || mv "$venv" "$former"
  mv "$next" "$venv"
fi
"""
_BACK = """\
venv={venv}; next=$venv.relogin-next; former=$venv.relogin-former
if marked built && [ -e "$former" ]; then
  [ ! -e "$venv" ] || {{ rm -rf "$next"; mv "$venv" "$next"; }}
  mv "$former" "$venv"
fi
rm -rf "$next"
"""


def built(part: Venv, source: Source, owner: str) -> str:
    """Give the lines of a step that build the venv that the staged requirements ask for.

    Nothing is built where they are what they were: the venv that is proven stays.
    """
    pairs = [(file, staged(source, file)) for file in part.requirements]
    compared = " && ".join(
        f"cmp -s {shell.quote(old)} {shell.quote(new)}" for old, new in pairs if old != new
    )
    files = [word for _, new in pairs for word in ("-r", new)]
    folder = str(PurePosixPath(files[1]).parent) if files else "/"
    return (
        as_owner(owner, DEADLINE)
        + _START.format(venv=shell.quote(part.path))
        + _SAME.format(compared=compared or "return 0")
        + _BUILD.format(
            python=shell.quote(part.python),
            folder=shell.quote(folder),
            arguments=shell.words([*part.pip_args, *files]),
            stage=shell.quote(stage(source)),
            moved=shell.quote(_MOVED),
        )
    )


def staged(source: Source, path: str) -> str:
    """Give where a file of the source is in the stage; a path outside of the source stays."""
    top = source.directory.rstrip("/") + "/"
    return f"{stage(source)}/{path.removeprefix(top)}" if path.startswith(top) else path


def switched(part: Venv) -> str:
    """Give the lines of a step that put the new venv in the place of the old one, which is kept."""
    return _SWITCH.format(venv=shell.quote(part.path))


def back(part: Venv) -> str:
    """Give the lines of a step that put the former venv back."""
    return _BACK.format(venv=shell.quote(part.path))


def cleared(part: Venv) -> str:
    """Give the lines that remove what was built and never used."""
    return f"rm -rf {shell.quote(part.path + '.relogin-next')}\n"
