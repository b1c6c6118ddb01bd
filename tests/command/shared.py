"""A real PostgreSQL for what machines share: a role with an odd password, and its database."""

import contextlib
from collections.abc import Iterator
from urllib.parse import quote

from tests.embedded.server import Server
from tests.operations.databases import serving

ROLE = "fleet"
PASSWORD = "canary-77d0 p@ss:/w%rd?"
URL = "postgresql+psycopg://{}:{}@127.0.0.1:{}/{}"


@contextlib.contextmanager
def shared_server() -> Iterator[Server]:
    """Run a server with the role that may log in there."""
    with serving() as server:
        server.sql(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        yield server


def made_database(server: Server, name: str) -> str:
    """Make an empty database of the role; give its URL."""
    server.sql(f"DROP DATABASE IF EXISTS {name}")
    server.sql(f"CREATE DATABASE {name} OWNER {ROLE}")
    return url(server, name)


def url(server: Server, name: str, password: str = PASSWORD) -> str:
    """Give the URL of a database, as an env file has it."""
    return URL.format(ROLE, quote(password, safe=""), server.port, name)
