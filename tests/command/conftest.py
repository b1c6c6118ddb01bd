"""What these tests share: a backend that answers, and a user's folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command.folder import Answering, Folder, answering


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
