"""PostgreSQL's programs beside the administrator's psql: what dumps a database and reads a dump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell, sql
from relogin.facts import elsewhere
from relogin.facts.compose_script import container_of
from relogin.facts.postgres import admin_command
from relogin.facts.release import dumps_in_container, pg_programs
from relogin.parts.database import AdminUrl, Peer
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.postgres_state import Target

# A dump counts only if it reads back whole (pg_restore(1): -f without -d writes the statements;
# --list reads no more than the beginning). A file that lacks its last bytes may read back all the
# same, so it needs its sum as well.
_FUNCTIONS = """\
{newest}dump() {{
{dump}
}}
reads() {{
{reads}
}}
sum() {{ sha256sum <"$1" | cut -c 1-64; }}
reads_back() {{ [ -s "$1" ] && reads <"$1"; }}
"""
_IN_CONTAINER = """\
export PGPASSWORD="${POSTGRES_PASSWORD-}"
exec "$0" -U "${ROLE:-${POSTGRES_USER:-postgres}}" "$@\""""


def functions(backend: Backend, of: Target) -> str:
    """Give the shell functions `dump WORDS…` of the backend's database and `reads <DUMP`.

    Also `sum FILE` and `reads_back FILE`, and what the administrator's psql needs.
    """
    url = isinstance(_admin(backend), AdminUrl)
    return elsewhere.functions(backend) + _FUNCTIONS.format(
        newest=elsewhere.NEWEST if url else "",
        dump=client(backend, of, "pg_dump", of.database, "-Fc"),
        reads=_reads(backend),
    )


def client(backend: Backend, of: Target, name: str, database: str, *words: str) -> str:
    """Give the body of a shell function that runs pg_dump or pg_restore in a database."""
    admin, service = _admin(backend), backend.service
    if dumps_in_container(backend):
        assert isinstance(service, Compose) and service.database_service  # noqa: S101, PT018
        role = (
            f"-e ROLE={shell.quote(admin.role)} " if isinstance(admin, Peer) and admin.role else ""
        )
        inside = f"docker exec -i {role}{container_of(service, service.database_service)}"
        given = [name, "-d", sql.connected_to(database), *words]
        return f'{inside} sh -c {shell.quote(_IN_CONTAINER)} {shell.words(given)} "$@"'
    program = dict(zip(("pg_dump", "pg_restore"), pg_programs(backend), strict=True))[name]
    if isinstance(admin, AdminUrl):
        return elsewhere.client(admin, program, database, *words)
    return f'{_as_peer(admin, of, program, database)} {shell.words(words)} "$@"'


def psql(backend: Backend, of: Target, database: str) -> str:
    """Give the administrator's psql in a database, which is fed statements and given words."""
    command = admin_command(
        _admin(backend), port=of.port, host=of.host, database=database, service=backend.service
    )
    return f"{command} -X -qAt -v ON_ERROR_STOP=1"


def within(backend: Backend) -> str | None:
    """Give what runs a command where the server's files are; None where that is elsewhere."""
    service = backend.service
    if isinstance(_admin(backend), AdminUrl):
        return None
    if dumps_in_container(backend):
        assert isinstance(service, Compose) and service.database_service  # noqa: S101, PT018
        return f"docker exec {container_of(service, service.database_service)} "
    return "env "


def _reads(backend: Backend) -> str:
    service = backend.service
    if dumps_in_container(backend):
        assert isinstance(service, Compose) and service.database_service  # noqa: S101, PT018
        inside = container_of(service, service.database_service)
        return f"docker exec -i {inside} pg_restore -f /dev/null"
    _, restore = pg_programs(backend)
    if isinstance(_admin(backend), AdminUrl):
        return f'newest {shell.quote(restore)}; "$client" -f /dev/null'
    return f"{shell.quote(restore)} -f /dev/null"


def _admin(backend: Backend) -> Peer | AdminUrl:
    admin = backend.database.admin if backend.database else None
    assert admin is not None  # noqa: S101 # who asks has looked, or put the own URL in its place
    return admin


def _as_peer(admin: Peer, of: Target, program: str, database: str) -> str:
    socket = admin.socket or (of.host if of.host.startswith("/") else "")
    where = ["-h", socket] if socket else []
    role = ["-U", admin.role] if admin.role else []
    at = ["-p", str(admin.port or of.port), *role, "-d", sql.connected_to(database)]
    clean = "env -u PGPASSWORD -u PGSERVICE PGCONNECT_TIMEOUT=5"
    return f"as_user {shell.quote(admin.os_user)} {clean} {shell.words([program, *where, *at])}"
