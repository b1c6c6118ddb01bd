"""Take the URL of a PostgreSQL database apart and put it together."""

import re
from dataclasses import field
from ipaddress import IPv6Address
from urllib.parse import quote, unquote

from relogin.values import dataclass

_SCHEMES = ("postgresql", "postgres", "postgis", "pgsql")
_DRIVERS = ("asyncpg", "psycopg", "psycopg_async", "psycopg2", "psycopg2cffi", "pg8000", "aiopg")

# The grammar of libpq (PostgreSQL docs, 34.1.1.2): the password ends at the first @.
_URL = re.compile(
    r"(?P<driver>[^:/?@]*)://"
    r"(?:(?P<user>[^:@/]*)(?::(?P<password>[^@/]*))?@)?"
    r"(?P<place>[^/?]*)"
    r"(?:/(?P<database>[^?]*))?"
    r"(?:\?(?P<query>.*))?"
)
_PLACE = re.compile(r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>.*))?")
_FIELDS = {
    "user": "user",
    "password": "password",
    "host": "host",
    "port": "port",
    "dbname": "database",
}


class DatabaseUrlError(ValueError):
    """Name the part of a database URL that is wrong, never its text."""


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a database is and as whom to go there; None is left to the driver's default.

    `driver` is the scheme as written (`postgresql+asyncpg`); a `host` that begins with `/` is
    the directory of a unix socket. The query can hold secrets too (`sslpassword`).
    """

    driver: str
    user: str | None
    password: str | None = field(repr=False)
    host: str | None
    port: int | None
    database: str | None
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def parse(url: str) -> DatabaseAddress:
    """Give the parts of a URL, percent-decoded, as libpq and SQLAlchemy both read it.

    Raises DatabaseUrlError where they would not, or where it names more than one host. A
    parameter of the query that names a field (`?host=/run/postgresql`) overrides it, as in libpq.
    With a driver in the scheme the URL is SQLAlchemy's: a `%` without two hex digits is text, and
    a `+` in the query is a blank. Without one it is libpq's: the first is wrong, the second a plus.
    """
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        raise DatabaseUrlError("a blank or control character in the URL must be percent-encoded")
    match = _URL.fullmatch(url)
    if not match:
        raise DatabaseUrlError("the URL does not begin with driver://")
    driver = _known(match["driver"])
    parts = _authority(match, lenient="+" in driver)
    query = _pairs(match["query"] or "", lenient="+" in driver)
    parts |= _overrides(query)
    if parts["password"] and not parts["user"]:
        raise DatabaseUrlError("the user is empty but there is a password")
    return DatabaseAddress(
        driver=driver,
        user=parts["user"] or None,
        password=parts["password"] or None,
        host=_single(parts["host"]),
        port=_port(parts["port"]),
        database=parts["database"] or None,
        query=tuple((key, value) for key, value in query if key not in _FIELDS),
    )


def build(address: DatabaseAddress) -> str:
    """Give the URL of an address, with all but ASCII letters, digits, `.`, `_` and `-` encoded.

    A .env file can then hold it without quotes (but for `&`, from the second parameter on, and
    the brackets of IPv6). Raises DatabaseUrlError if it would not read back as the same address.
    SQLAlchemy before 2.1 does not decode the database's name.
    """
    socket = address.host is not None and address.host.startswith("/")
    query = ((("host", address.host or ""),) if socket else ()) + address.query
    url = (
        f"{address.driver}://{_credentials(address)}"
        + ("" if socket else _bracketed(address.host or ""))
        + ("" if address.port is None else f":{address.port}")
        + ("" if address.database is None else f"/{_encoded(address.database)}")
        + ("?" if query else "")
        + "&".join(f"{_encoded(key)}={_encoded(value)}" for key, value in query)
    )
    if parse(url) != address:
        raise DatabaseUrlError("the parts do not read back from a URL (is one of them empty?)")
    return url


def _known(driver: str) -> str:
    scheme, plus, library = driver.partition("+")
    if scheme not in _SCHEMES or (plus and library not in _DRIVERS):
        raise DatabaseUrlError(
            f"the driver, before ://, is none of {', '.join(_SCHEMES)}, alone or with "
            + ", ".join(f"+{name}" for name in _DRIVERS)
        )
    return driver


def _authority(match: re.Match[str], *, lenient: bool) -> dict[str, str]:
    if "@" in match["place"]:
        raise DatabaseUrlError("an @ in the password must be written %40")
    place = _PLACE.fullmatch(match["place"])
    if not place:
        raise DatabaseUrlError("the host has brackets that do not enclose an IPv6 address")
    encoded = {
        "user": match["user"],
        "password": match["password"],
        "host": place["ipv6"] or place["host"],
        "port": place["port"],
        "database": match["database"],
    }
    parts = {part: _decoded(part, text or "", lenient=lenient) for part, text in encoded.items()}
    if place["ipv6"] is not None:
        _check_ipv6(parts["host"])
    return parts


def _check_ipv6(host: str) -> None:
    try:
        IPv6Address(host)
    except ValueError:
        raise DatabaseUrlError("the host in brackets is not an IPv6 address") from None


def _pairs(query: str, *, lenient: bool) -> list[tuple[str, str]]:
    if lenient:
        query = query.replace("+", "%20")
    pairs = []
    for pair in query.split("&") if query else ():
        key, equals, value = (
            _decoded("query", part, lenient=lenient) for part in pair.partition("=")
        )
        if not equals:
            raise DatabaseUrlError("the query has a parameter without =")
        pairs.append((key, value))
    return pairs


def _overrides(query: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in query:
        part = _FIELDS.get(key)
        if part in found:
            raise DatabaseUrlError(f"the query has more than one {key}")
        if part:
            found[part] = value
    return found


def _decoded(part: str, text: str, *, lenient: bool) -> str:
    if not lenient and re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise DatabaseUrlError(f"the {part} has a % that no two hex digits follow (write %25)")
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise DatabaseUrlError(f"the {part} is not percent-encoded UTF-8") from None
    if "\0" in decoded:
        raise DatabaseUrlError(f"the {part} has a NUL")
    return decoded


def _single(host: str) -> str | None:
    if "," in host:
        raise DatabaseUrlError("the host is a list: one is needed")
    return host or None


def _port(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) < 65536):
        raise DatabaseUrlError(
            "the port is not a number from 1 to 65535 (a / : ? or @ in the password must be "
            "percent-encoded)"
        )
    return int(text)


def _credentials(address: DatabaseAddress) -> str:
    password = "" if address.password is None else f":{_encoded(address.password)}"
    user = _encoded(address.user or "")
    return f"{user}{password}@" if user or password else ""


def _bracketed(host: str) -> str:
    return f"[{host.replace('%', '%25')}]" if ":" in host else _encoded(host)


def _encoded(text: str) -> str:
    return quote(text, safe="").replace("~", "%7E")
