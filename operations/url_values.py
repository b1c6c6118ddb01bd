"""What a DATABASE_URL has to be: every part that is declared, and a password, if one is asked."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from relogin import database_url
from relogin.database_url import DatabaseAddress
from relogin.facts.postgres_state import Server
from relogin.facts.service import ServiceState
from relogin.parts.configuration import DatabaseUrl
from relogin.secret import make_value

if TYPE_CHECKING:
    from relogin.facts.observation import Observation

_DECLARED = ("user", "database", "host", "port")
_NO_DIALECT = "NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:"


def corrected_url(wanted: DatabaseUrl, found: str) -> tuple[str | None, str]:
    """Give the URL that should be there, and how the one that is there differs ('' if not).

    None where nobody knows the password that it should have.
    """
    declared = wanted.password
    password = declared.reveal() if declared and declared.declared else None
    try:
        address = database_url.parse(found)
    except database_url.DatabaseUrlError as error:
        known = wanted.with_password(password) if password or declared is None else None
        return known, f"it cannot be parsed: {error}"
    there = _as_libpq_reads(address, wanted)
    right = {name: getattr(wanted, name) for name in _DECLARED}
    differs = [
        f"{name} {getattr(there, name)}" for name in right if getattr(there, name) != right[name]
    ]
    if password is not None and address.password != password:
        right["password"] = password
        differs.append("another password")
    elif declared is not None and not address.password:
        if declared.source == "kept":
            return None, ", ".join([*differs, "no password"])
        right["password"] = make_value()
        differs.append("no password")
    if not differs:
        return found, ""
    return database_url.build(dataclasses.replace(address, **right)), ", ".join(differs)


def _as_libpq_reads(address: DatabaseAddress, wanted: DatabaseUrl) -> DatabaseAddress:
    """Fill in what a URL may leave out (PostgreSQL docs, 34.1.2), where it is the declared value.

    Who the operating-system's user is, as whom a peer comes, is not known here.
    """
    same = _is_same_place(address.host, wanted.host)
    return dataclasses.replace(
        address,
        port=address.port or 5432,
        host=wanted.host if same else address.host,
        user=address.user or (wanted.user if wanted.password is None else None),
    )


def _is_same_place(found: str | None, wanted: str) -> bool:
    """Tell whether two hosts are one; /var/run is a link to /run wherever systemd is."""
    if wanted.startswith("/"):
        return found is None or _folder(found) == _folder(wanted)
    return found == wanted or {found, wanted} == {"localhost", "127.0.0.1"}


def _folder(path: str) -> str:
    return path.rstrip("/").replace("/var/run/", "/run/", 1)


def why_unusable(seen: Observation, url: str, wanted: DatabaseUrl | None = None) -> str:
    """Say why no driver can use a URL; '' where one can, or where that cannot be known.

    What SQLAlchemy says in the log counts: whether it knows a scheme depends on its release, and
    the backend may well write `postgres` anew for it.
    """
    try:
        address = database_url.parse(url)
    except database_url.DatabaseUrlError as error:
        return str(error)
    if wanted and "@" in (address.database or "") and "@" not in wanted.database:
        return "the password has an @ and a / that must be percent-encoded"
    said = seen.service.exceptions if isinstance(seen.service, ServiceState) else ()
    dialect = _NO_DIALECT + address.driver.replace("+", ".")
    if any(line.endswith(dialect) for line in said):
        return f"the backend's SQLAlchemy knows no {address.driver}"
    return ""


def repaired_url(seen: Observation, wanted: DatabaseUrl, found: str) -> str | None:
    """Give the URL that an unusable one was meant to be; None where that would be a guess.

    A password that was not encoded is taken as it stands where PostgreSQL says that it is the
    role's.
    """
    scheme, given, rest = found.partition("://")
    with_ours = f"{wanted.driver}://{rest}"
    if given and scheme != wanted.driver and not why_unusable(seen, with_ours, wanted):
        return corrected_url(wanted, with_ours)[0]
    if wanted.password is None or wanted.password.declared:
        return wanted.with_password(wanted.password.reveal() if wanted.password else None)
    host = f"(?:{re.escape(wanted.host)}|localhost|127\\.0\\.0\\.1)(?::{wanted.port})?"
    place = rf"{re.escape(wanted.user)}:(.+)@{host}/{re.escape(wanted.database)}(?:\?.*)?"
    inner = re.fullmatch(place, rest)
    role = seen.postgres.role if isinstance(seen.postgres, Server) else None
    if inner is None or role is None or not role.accepts(inner[1]):
        return None
    return wanted.with_password(inner[1])
