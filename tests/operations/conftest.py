"""What these tests share: a database server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.server import Server
from tests.operations.databases import serving
from tests.operations.places import Place, placed


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


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
