"""Where a secret value comes from, without ever showing it."""

from __future__ import annotations

import functools
import hmac
import os
import re
import secrets
import sys
from pathlib import Path
from shutil import which
from typing import Any, NoReturn

from relogin import carried, printed
from relogin.places import made_folder, state_folder, write_whole
from relogin.redaction import remember


class SecretMissing(ValueError):
    """Raised when a secret's source has no value; the message is one line and holds none."""


class Secret:
    """Name the source of a secret value; `reveal()` alone gives the value.

    It prints as its source, survives `copy.copy` (pyinfra copies host data), and refuses pickling
    and interpolation, so that a value cannot get into text by accident.
    """

    __slots__ = ("_home", "_value", "name", "source")

    def __init__(
        self, source: str, name: str = "", *, home: Path | None = None, value: str | None = None
    ) -> None:
        self.source = source
        self.name = name
        self._home = home
        self._value = value

    @classmethod
    def env(cls, name: str) -> Secret:
        """Take the control machine's environment variable, else the `.env` beside the inventory.

        Else the credential of that name that systemd gave to the unit it runs in.
        """
        return cls("env", name, home=inventory_folder())

    @classmethod
    def file(cls, path: str) -> Secret:
        """Take a file's text on the control machine, without its final newline."""
        return cls("file", path, home=inventory_folder())

    @classmethod
    def command(cls, command: str) -> Secret:
        """Take what a command prints on the control machine: `sops -d …`, `pass …`, `op read …`."""
        return cls("command", command, home=inventory_folder())

    @classmethod
    def generated(cls) -> Secret:
        """Make the value once, on the host, when it is nowhere; never replace one that is there."""
        return cls("generated")

    @classmethod
    def kept(cls) -> Secret:
        """Require that a sound value is there, whatever it is; never make one."""
        return cls("kept")

    @classmethod
    def seen(cls, value: str) -> Secret:
        """Wrap a value that was read from a host, so that no output can hold it."""
        remember(value)
        return cls("seen", value=value)

    @property
    def declared(self) -> bool:
        """Tell whether a value is declared (and not only that there has to be one)."""
        return self.source in {"env", "file", "command", "seen"}

    def reveal(self) -> str:
        """Give the value.

        Raises:
            SecretMissing: the source has none.
        """
        if self.source == "seen":
            return self._value or ""
        value, why = _had(self.source, self.name, self._home)
        if not value:
            raise SecretMissing(f"{self!r} has no value: {why}")
        if carried.text(value.replace("\0", "")) is not None:
            raise SecretMissing(f"{self!r} is not UTF-8")
        remember(value)
        return value

    def absent(self) -> str | None:
        """Say in one line that the source is not there, as far as that is seen without asking it.

        No command is run: only its first word is looked for.
        """
        if not self.declared or _is_there(self.source, self.name, self._home):
            return None
        why = _next_step(self.source, self._home)
        if self.source == "command":
            why = f"there is no command {next(iter(self.name.split()), '')!r} here"
        return f"{self!r} has no value: {why}"

    def fingerprint(self) -> str:
        """Give a short mark that tells equal values, under a key that stays on this machine."""
        return mark(self.reveal())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return (self.source, self.name, self._value) == (other.source, other.name, other._value)

    def __hash__(self) -> int:
        return hash((self.source, self.name))

    def __repr__(self) -> str:
        return f"Secret.{self.source}({self.name!r})" if self.name else f"Secret.{self.source}()"

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a Secret cannot be put into text; reveal() it where it is needed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")

    def to_json(self) -> str:
        return repr(self)


def make_value() -> str:
    """Make a new secret of 64 random bytes in letters that every .env reader reads alike."""
    return remember(secrets.token_urlsafe(64))


def inventory_folder() -> Path | None:
    """Give the folder that paths in a description begin at: the inventory's, while it loads."""
    context = sys.modules.get("pyinfra.context")
    filename = None
    if context is not None and context.ctx_state.isset():
        filename = context.ctx_state.get().current_exec_filename
    if filename is None:
        return None
    folder = Path(filename).resolve().parent
    return folder.parent if folder.name == "group_data" else folder


def _had(source: str, name: str, home: Path | None) -> tuple[str, str]:
    """Give a source's value, or '' and why there is none; who comes meanwhile waits for it."""
    if source != "command":
        return _resolve(source, name, home)
    with printed.turn(name, home):
        return _resolve(source, name, home)


@functools.cache
def _resolve(source: str, name: str, home: Path | None) -> tuple[str, str]:
    """Ask the source, once; what cannot be read, or is no text, has no value."""
    why = _next_step(source, home)
    try:
        return _asked(source, name, home) or "", why
    except (OSError, UnicodeDecodeError):
        return "", why
    except printed.Overdue as overdue:
        return "", str(overdue)


def _asked(source: str, name: str, home: Path | None) -> str | None:
    if source == "env":
        return os.environ.get(name) or _dotenv(home).get(name) or _credential(name)
    if source == "file":
        return _text_of((home or Path()) / Path(name).expanduser())
    if source == "command":
        return printed.text(name, home)
    return None


def _is_there(source: str, name: str, home: Path | None) -> bool:
    if source == "command":
        first = next(iter(name.split()), "")
        plain = re.fullmatch(r"[\w./+-]+", first)  # else it begins with what sh itself does
        path = str((home or Path()) / first) if "/" in first else first
        return bool(name.strip()) and (not plain or which(path) is not None or printed.of_sh(first))
    if source == "file":
        file = (home or Path()) / Path(name).expanduser()
        return file.is_file() and os.access(file, os.R_OK) and file.stat().st_size > 0
    return source == "seen" or bool(_resolve(source, name, home)[0])


@functools.cache
def _dotenv(home: Path | None) -> dict[str, str | None]:
    from dotenv import dotenv_values

    path = (home or Path()) / ".env"
    return dict(dotenv_values(path, interpolate=False)) if path.is_file() else {}


def _credential(name: str) -> str | None:
    """Give a credential of our unit (systemd.exec(5), LoadCredential=): in no environment."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return _text_of(Path(folder, name)) if folder and "/" not in name else None


def _text_of(path: Path) -> str | None:
    return path.read_text("utf-8", "surrogateescape").rstrip("\n") if path.is_file() else None


def _next_step(source: str, home: Path | None) -> str:
    folder = home or Path()
    return {
        "env": f"set it in the environment or in {folder / '.env'}",
        "file": "the file is missing, empty or not readable on this machine",
        "command": "the command failed or printed nothing; run it by hand to see why",
    }.get(source, "it is only known on the host")


@functools.cache
def _fingerprint_key() -> bytes:
    path = state_folder() / "fingerprint.key"
    try:
        if not path.is_file() or not path.stat().st_size:  # one that is empty was cut short
            made_folder(path.parent)
            write_whole(path, secrets.token_bytes(32))
        return path.read_bytes()
    except OSError:  # one that lasts for this run still tells equal values
        return secrets.token_bytes(32)


def mark(text: str) -> str:
    """Give a short mark that tells equal texts, under a key that stays on this machine."""
    return hmac.new(
        _fingerprint_key(), text.encode("utf-8", "surrogateescape"), "sha256"
    ).hexdigest()[:8]
