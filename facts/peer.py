"""PostgreSQL as the backend's own user sees it: by a unix socket, where that user is the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import remote, shell
from relogin.facts.connection import Connection
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.database_url import DatabaseAddress

# PostgreSQL docs, psql, "Exit Status": 2 is a connection that went bad.
_SCRIPT = """\
[ -S {socket} ] || return 3
as_user {user} env -u PGPASSWORD -u PGSERVICE PGCONNECT_TIMEOUT=5 $(psql_at {port} {folder}) \
  -w -XqAt {where} -c 'select 1'"""


def is_for_a_peer(url: DatabaseAddress) -> bool:
    """Tell whether the server can only know by the operating system's user who comes."""
    return url.password is None and (url.host is None or url.host.startswith("/"))


def connect(
    host: Host, service: ServiceState | Unreadable | None, url: DatabaseAddress
) -> Connection | Unreadable:
    """Connect as the user that the backend runs as, by psql on the host, and leave again."""
    user = service.user if isinstance(service, ServiceState) else ""
    if not user:
        return Unreadable(
            "as whom the backend runs is not known, and a peer is known by that alone"
        )
    answers = remote.ask(host, {"peer": _script(user, url)}, deadline=15)
    if isinstance(answers, Unreadable):
        return answers
    status = answers["peer"].status if "peer" in answers else None
    if status in {0, 2, 3}:
        return Connection(ok=status == 0, refused=status == 3)
    return Unreadable(f"psql could not be run as {user}")


def _script(user: str, url: DatabaseAddress) -> str:
    folder, port = url.host or "/var/run/postgresql", str(url.port or 5432)
    role = ["-U", url.user] if url.user else []
    where = ["-h", folder, "-p", port, *role, "-d", url.database or url.user or user]
    return _SCRIPT.format(
        socket=shell.quote(f"{folder}/.s.PGSQL.{port}"),
        user=shell.quote(user),
        port=shell.quote(port),
        folder=shell.quote(folder),
        where=shell.words(where),
    )
