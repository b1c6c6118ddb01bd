"""What these tests share: a backend that answers, a user's folder, and a fleet with its queue."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command.fleets import Fleet
from tests.command.folder import Answering, Folder, answering
from tests.command.shared import shared_server
from tests.core.ssh_server import serving_ssh
from tests.embedded.server import Server


@pytest.fixture
def backend() -> Iterator[Answering]:
    with answering() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, backend: Answering) -> Folder:
    return Folder(tmp_path, backend)


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what is written into the history away from the user's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Give a PostgreSQL for a queue, or a history that machines share."""
    with shared_server() as running:
        yield running


@pytest.fixture
def fleet(folder: Folder, server: Server) -> Iterator[Fleet]:
    with serving_ssh() as port:
        made = Fleet(folder, server, port)
        yield made
        made.end()
