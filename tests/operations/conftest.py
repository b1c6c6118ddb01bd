"""What these tests share: a database server."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin import baseline, secret
from relogin.facts.database_state import DatabaseState
from tests.embedded import server as embedded
from tests.embedded.server import Server
from tests.operations import databases, shops
from tests.operations.databases import serving
from tests.operations.places import Place, placed
from tests.operations.shops import SHOP, Shop, described_shop

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_amcheck"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_is_resolved() -> None:
    """A secret's source is asked once in a process, and here each test has its own."""
    secret._resolve.cache_clear()
    secret._dotenv.cache_clear()


@pytest.fixture(autouse=True)
def undo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what was overwritten is kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an env file is written; what was overwritten is kept beside it."""
    (tmp_path / "backend it's").mkdir()
    return tmp_path / "backend it's"


@pytest.fixture
def place(server: Server, undo: Path) -> Iterator[Place]:  # what is kept goes there
    with placed(server) as made:
        yield made


@pytest.fixture(scope="module")
def sound(server: Server) -> Shop:
    """The database that the others are copies of; what it has is learnt."""
    server.sql("CREATE DATABASE shop")
    server.sql(shops.SHOP, "shop")
    made = shops.described_shop(server, "shop")
    assert [] == made.faults()
    state = made.look().database
    assert isinstance(state, DatabaseState)
    assert () == state.unasked
    made.learnt = baseline.learned(state)
    assert [] == made.faults()
    return made


@pytest.fixture
def shop(server: Server, sound: Shop, undo: Path) -> Shop:
    name = f"shop {next(shops.numbers)}"
    server.sql(f"CREATE DATABASE {databases.identifier(name)} TEMPLATE shop STRATEGY file_copy")
    return dataclasses.replace(shops.described_shop(server, name), learnt=sound.learnt)


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch, undo: Path) -> Iterator[Shop]:
    """A server of Debian's, which has amcheck."""
    if not DEBIAN:
        pytest.skip("PostgreSQL of Debian is not installed")
    monkeypatch.setattr(embedded, "programs", lambda folder: DEBIAN[-1].parent)
    with databases.serving() as server:
        server.sql("CREATE DATABASE checked")
        server.sql(SHOP, "checked")
        yield described_shop(server, "checked")
