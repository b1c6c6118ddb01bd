"""The administrator's psql where PostgreSQL is elsewhere: by a URL that no process list shows.

libpq takes a connection's parameters from a service file as well, and that may be a pipe
(PostgreSQL docs, 34.17; PGSERVICEFILE in 34.15): so they are in no argument, environment or file. A
pipe is read once, and psql 18 asks for the service again for each database: that one gets them on
its standard input. A password file would have to be a plain file (34.16).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import shell
from relogin.database_url import DatabaseAddress, DatabaseUrlError, parse
from relogin.parts.database import AdminUrl
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend

_BY_URL = """\
{{ printf '%s' {service} | env -u PGPASSWORD -u PGSERVICE PGCONNECT_TIMEOUT=5 \
PGSERVICEFILE=/dev/fd/3 "$client" -w -d "service=relogin $db" "$@" 3<&0 <&4 4<&-; }} 4<&0
"""
_FUNCTION = """\
admin_psql() {{
  newest {psql}; db=$1; shift
  command -v "$client" >/dev/null || {{ echo '#no-psql'; return 127; }}
  {by_url}}}
"""
# The newest of Debian's packages: an older pg_dump dumps no newer server.
NEWEST = """\
newest() {
  client=$1
  [ "$1" != "${1##*/}" ] || for found in /usr/lib/postgresql/[1-9][0-9]/bin/"$1"; do
    [ ! -x "$found" ] || client=$found
  done
}
"""
_DOWN = """\
echo '#elsewhere'; printf '#ready '; {ready} -h {host} -p {port} 2>/dev/null; echo $?"""


def admin_url(backend: Backend) -> AdminUrl | None:
    """Give the administrator's URL, where there is one."""
    admin = backend.database.admin if backend.database else None
    return admin if isinstance(admin, AdminUrl) else None


def address(admin: AdminUrl) -> DatabaseAddress:
    """Give where the administrator's URL points.

    Raises:
        SecretMissing: it has no value.
        DatabaseUrlError: it is none that psql takes.
    """
    found = parse(admin.url.reveal())
    if found.password:
        Secret.seen(found.password)  # also by itself it is in no output
    return found


def place(admin: AdminUrl) -> tuple[str, int]:
    """Give the server's host and port."""
    found = address(admin)
    return found.host or "", found.port or 5432


def unfit(admin: AdminUrl) -> str | None:
    """Say why the URL cannot be used, without it."""
    try:
        found = address(admin)
    except DatabaseUrlError as error:
        return str(error)
    if not found.host or not found.user:
        return f"the URL names no {'user' if found.host else 'host'}"
    if any("\n" in value or value != value.rstrip() for _, value in _parameters(found)):
        return "a part of the URL has a line break, or a blank at its end, which libpq drops"
    return None


def functions(backend: Backend) -> str:
    """Give the shell function that is the administrator's psql; empty where it is none by URL."""
    admin = admin_url(backend)
    if admin is None:
        return ""
    return NEWEST + _FUNCTION.format(psql=shell.quote(admin.psql), by_url=_by_url(admin))


def client(admin: AdminUrl, program: str, database: str, *words: str) -> str:
    """Give the lines, after NEWEST, that run one of PostgreSQL's programs in a database.

    In a shell function: its arguments follow the words.
    """
    db = shell.quote(_named(database))
    given = f'{shell.words(words)} "$@"'.strip()
    return f"newest {shell.quote(program)}; db={db}; set -- {given}\n{_by_url(admin)}"


def _by_url(admin: AdminUrl) -> str:
    lines = (f"{name}={value}\n" for name, value in _parameters(address(admin)))
    return _BY_URL.format(service=shell.quote(f"[relogin]\n{''.join(lines)}"))


def command(admin: AdminUrl, database: str = "") -> str:
    """Give the psql of `functions`, in a database: by default the one of the URL, or postgres."""
    return f"admin_psql {shell.quote(_named(_database(admin, database)))}"


def connect(admin: AdminUrl, database: str) -> str:
    """Give the line by which a session of psql goes on in another database."""
    parameters = [*_parameters(address(admin)), ("connect_timeout", "5")]
    words = [f"{name}={_value(value)}" for name, value in parameters]
    text = " ".join([*words, _named(database)]).replace("\\", "\\\\").replace("'", "''")
    return f"\\connect '{text}'\n"


def whether_down(admin: AdminUrl) -> str:
    """Give what asks whether anybody answers there."""
    host, port = place(admin)
    return _DOWN.format(ready=ready(admin.psql), host=shell.quote(host), port=port)


def ready(psql: str) -> str:
    """Give the pg_isready beside a psql."""
    return f"{shell.quote(psql.removesuffix('psql') + 'pg_isready')} -q -t 3"


def _database(admin: AdminUrl, database: str) -> str:
    return database or address(admin).database or "postgres"


def _named(database: str) -> str:
    return f"dbname={_value(database)}"


def _value(text: str) -> str:
    """Quote a value of a connection string (PostgreSQL docs, 34.1.1.1)."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _parameters(found: DatabaseAddress) -> Iterator[tuple[str, str]]:
    given = {"user": found.user, "password": found.password, "host": found.host}
    yield from ((name, value) for name, value in given.items() if value)
    yield "port", str(found.port or 5432)
    yield from found.query
