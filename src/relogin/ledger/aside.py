"""Runs that could not be written into the history: kept as files until they can."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from relogin.places import made_folder, write_whole


def put(history: Path, document: dict[str, Any], why: object) -> str:
    """Keep a run in a file; say in one line where it is, or that it could not be kept at all."""
    failed = [str(why)]
    for folder in _folders(history):
        try:
            aside = _ours(made_folder(folder)) / f"{document['run']}.json"
            write_whole(aside, json.dumps(document).encode())
        except OSError as error:
            failed.append(str(error))
        else:
            return f"this run is in {aside} until the history can be written: {why}"
    return f"this run is not in the history: {'; '.join(failed)}"


def waiting(history: Path) -> Iterator[Path]:
    """Give the files of the runs that wait, those beside the history first."""
    for folder in _folders(history):
        with suppress(OSError):
            yield from sorted(_ours(folder).glob("*.json"))


def _folders(history: Path) -> tuple[Path, Path]:
    """Give where they wait: beside the history, or, where that disk is full, on another one."""
    name = f"relogin-{os.geteuid()}-{sha256(os.fsencode(history)).hexdigest()[:12]}"
    return history.parent / "waiting", Path(tempfile.gettempdir()) / name


def _ours(folder: Path) -> Path:
    """Give a folder of which nobody else has had a hand.

    Raises:
        OSError: it is not there, or somebody has.
    """
    there = folder.lstat()
    if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.geteuid() or there.st_mode & 0o077:
        raise PermissionError(f"{folder} is not a folder of ours alone")
    return folder
