"""What an option names that may hold a secret: a value, or where it comes from."""

from __future__ import annotations

import re
from pathlib import Path

from relogin.database_url import DatabaseAddress, DatabaseUrlError, parse
from relogin.errors import UsageError
from relogin.secret import Secret, SecretMissing


def secret(text: str, home: Path | None = None) -> Secret:
    """Give what an option has: a value, or env:NAME, file:PATH, command:WORDS that has it.

    `home` is the folder whose `.env` counts as well.
    """
    source, colon, name = text.partition(":")
    if not (colon and source in {"env", "file", "command"} and name):
        return Secret.seen(text)
    return Secret(source, name, home=home if source == "env" else None)


def database(text: str, home: Path | None, option: str) -> tuple[Secret, DatabaseAddress]:
    """Give the URL of a PostgreSQL that an option names, as libpq reads it, and what it says.

    Raises:
        UsageError: it names none; what it was given is not shown.
    """
    try:
        url = secret(text, home).reveal().strip()
        found = parse(url)
    except SecretMissing as missing:
        raise UsageError(f"{option}: {missing}") from None
    except DatabaseUrlError:
        found = None
    if found is None or not found.driver.startswith("postgres"):
        raise UsageError(f"{option}: what it was given is no URL of a PostgreSQL (it is not shown)")
    if found.password:
        Secret.seen(found.password)  # no message has it, with or without its URL
    return Secret.seen(re.sub(r"^postgres\w*(\+\w+)?://", "postgresql://", url)), found
