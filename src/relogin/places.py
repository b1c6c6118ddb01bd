"""Where relogin keeps what it remembers on the control machine."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def state_folder() -> Path:
    """Give $RELOGIN_STATE, else $XDG_STATE_HOME/relogin; a relative one is none (XDG, as ours).

    The first one is this machine's alone: what runs on `@local` has its leases elsewhere.
    """
    own = os.environ.get("RELOGIN_STATE") or ""
    if own.startswith("/"):
        return Path(own)
    named = os.environ.get("XDG_STATE_HOME") or ""
    home = Path(named) if named.startswith("/") else Path.home() / ".local/state"
    return home / "relogin"


def made_folder(path: Path) -> Path:
    """Give a folder that only its owner enters, making it where it is missing.

    Raises:
        OSError: it cannot be made.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file that is there whole or not at all, whoever else writes it.

    Raises:
        OSError: it could not be written; the former one is as it was.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
