"""Python and pip, run as the owner of a virtual environment and never as root for somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from relogin import shell
from relogin.fault import Change
from relogin.parts.runtime import Venv
from relogin.undo import distributions_kept

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.venv import VenvState

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
{after}tell 0"""
_INSTEAD = """\
said=$(python -m pip uninstall -qy --disable-pip-version-check {name} 2>&1) || tell "$?"
said=$(install 2>&1) || tell "$?"
"""
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
        after="",
    )
    deadline = DEADLINE * (2 if kept else 1)  # pip is asked first, what it would do
    return Change(script, f"pip install -r {file} as {owner}", deadline=deadline)


def pip(
    backend: Backend,
    venv: VenvState,
    arguments: Sequence[str],
    *,
    what: str,
    folder: str = "",
    wrong: Iterable[str] = (),
    instead_of: str = "",
) -> Change:
    """Give the change `pip install ARGUMENTS`, as the venv's owner; what it replaces is kept.

    It runs beside the file `folder`, or else the first requirements file. `what` says it in a line,
    `wrong` are the distributions that are known to be replaced. `instead_of` is one that is
    uninstalled: what both had in common goes with it, so pip installs twice.
    """
    part = backend.venv
    assert part is not None  # noqa: S101 # without a venv no finding
    owner = part.owner or venv.owner
    kept = distributions_kept(
        backend,
        part.path,
        first="" if venv.pip else ENSUREPIP,
        wrong=wrong,
        removed=[instead_of] if instead_of else (),
    )
    beside = [folder, *part.requirements, part.path]
    file = PurePosixPath(next(filter(None, beside)))
    script = as_owner(owner) + _INSTALL.format(
        folder_of_modules=shell.quote(venv.site_packages),
        folder=shell.quote(str(file.parent)),
        python=shell.quote(f"{part.path}/bin/python"),
        before=kept,
        arguments=shell.words([*part.pip_args, *arguments]),
        after=_INSTEAD.format(name=shell.quote(instead_of)) if instead_of else "",
    )
    return Change(script, f"{what} as {owner}", deadline=2 * DEADLINE)
