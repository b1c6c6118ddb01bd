"""Python and pip, run as the owner of a virtual environment and never as root for somebody else."""

from __future__ import annotations

from pathlib import PurePosixPath

from relogin import shell
from relogin.fault import Change
from relogin.parts.runtime import Venv

DEADLINE = 600
_AS_OWNER = """\
owner={owner}
limit=env; if command -v timeout >/dev/null; then limit='timeout {limit}'; fi
home=$(getent passwd "$owner" 2>/dev/null | cut -d : -f 6); [ -d "$home" ] || home=/
as_owner() {{ as_user "$owner" $limit env HOME="$home" "$@"; }}
rights() {{ printf '%03o' "$((0777 & ~0$(stat -Lc %a "$1")))"; }}
"""
# pip runs in the file's folder, to which paths in it are relative, but isolated (-I): the project's
# modules may be named like the standard library's. Its files get the rights that their folder has.
_INSTALL = """\
umask "$(rights {folder_of_modules})"
cd {folder} || exit 1
python() {{ as_owner {python} -I "$@"; }}
install() {{
  python -m pip install -q --disable-pip-version-check --no-input "$@" {arguments}
}}
tell() {{ printf '%s\\n' "$said" | tail -n 8; exit "$1"; }}
{before}said=$(install 2>&1) || tell "$?"
tell 0"""
ENSUREPIP = 'said=$(python -m ensurepip 2>&1) || tell "$?"\n'


def as_owner(owner: str, deadline: float = DEADLINE) -> str:
    """Give the shell functions `as_owner PROGRAM …` and `rights FOLDER`: the umask that it had."""
    return _AS_OWNER.format(owner=shell.quote(owner), limit=int(deadline) - 20)


def installed(
    part: Venv, file: str, *, owner: str, folder_of_modules: str, kept: str = ""
) -> Change:
    """Give the change that installs what a requirements file asks for, with bounds and hashes.

    `kept` are shell lines that come before, and keep what is there.
    """
    script = as_owner(owner) + _INSTALL.format(
        folder_of_modules=shell.quote(folder_of_modules),
        folder=shell.quote(str(PurePosixPath(file).parent)),
        python=shell.quote(f"{part.path}/bin/python"),
        before=kept,
        arguments=shell.words([*part.pip_args, "-r", file]),
    )
    deadline = DEADLINE * (2 if kept else 1)  # pip is asked first, what it would do
    return Change(script, f"pip install -r {file} as {owner}", deadline=deadline)
