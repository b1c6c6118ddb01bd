"""Pull a backup from its host to the control machine, piece by piece, for its owner alone."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from relogin import remote, shell
from relogin.finding import Unreadable
from relogin.places import made_folder
from relogin.undo import place

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend

_PIECE = 2 * 1024 * 1024  # bytes: it is held in memory, on the host too
_DEADLINE = 120
_SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([a-zA-Z0-9][\w.-]*)")
_NAMED = re.compile(r"\d{8}T\d{6}Z")


class NotPulled(Exception):
    """A backup could not be pulled; the message is one line and says why."""


def pull(host: Host, backend: Backend, made: str) -> Path:
    """Pull one backup, and give where it is: whole, with the sums that it has on the host.

    Raises:
        NotPulled: it could not be had, or not as it is there.
    """
    assert backend.backup is not None and backend.backup.to is not None  # noqa: S101, PT018
    folder = Path(backend.backup.to) / host.name / backend.name
    part = folder / f"{made}.part"
    try:
        shutil.rmtree(part, ignore_errors=True)
        made_folder(part)
        _pulled(host, backend, made, part)
        part.rename(folder / made)
        _prune(folder, backend.backup.keep)
    except OSError as error:
        raise NotPulled(f"{folder}: {error.strerror or error}") from None
    return folder / made


def _pulled(host: Host, backend: Backend, made: str, part: Path) -> None:
    _file(host, backend, f"{made}/{_SUMS}", part / _SUMS)
    lines = (part / _SUMS).read_text().splitlines()
    known = [match for line in lines if (match := _LINE.fullmatch(line))]
    if not known or len(known) != len(lines):
        raise NotPulled(f"{made}/{_SUMS} on the host is no list of sums")
    for one in known:
        if _file(host, backend, f"{made}/{one[2]}", part / one[2]) != one[1]:
            raise NotPulled(f"{made}/{one[2]} is not as its sum says")


def _file(host: Host, backend: Backend, name: str, to: Path) -> str:
    """Pull one file and give its sum."""
    digest, offset = hashlib.sha256(), 0
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := _piece(host, backend, name, offset):
            file.write(piece)
            digest.update(piece)
            offset += len(piece)
            if len(piece) < _PIECE:
                break
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _piece(host: Host, backend: Backend, name: str, offset: int) -> bytes:
    path = f'"$kept"/{shell.quote(name)}'
    script = (
        f"{place(backend, 'backups')}[ -f {path} ] || return 1\n"
        f"tail -c +{offset + 1} {path} | head -c {_PIECE}"
    )
    answers = remote.ask(host, {"piece": script}, deadline=_DEADLINE)
    if isinstance(answers, Unreadable):
        raise NotPulled(answers.reason)
    if "piece" not in answers or answers["piece"].status != 0:
        raise NotPulled(f"{name} could not be read on the host")
    return answers["piece"].text


def _prune(folder: Path, keep: int | None) -> None:
    """Remove what is older than the newest `keep`, of what was pulled whole."""
    whole = [one for one in folder.iterdir() if _NAMED.fullmatch(one.name)]
    whole = sorted(one for one in whole if (one / _SUMS).is_file())
    for one in whole[:-keep] if keep else ():
        shutil.rmtree(one)
