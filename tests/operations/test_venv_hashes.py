"""Requirements with hashes, as a bare host's venv is built by them: nothing else is installed."""

import hashlib
import sys
from pathlib import Path

import pytest

from relogin import Backend
from tests.operations.rebuilt import found, mended, place, version, wanting

SYSTEM = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable


@pytest.fixture
def backend(tmp_path: Path, undo: Path) -> Backend:
    return wanting(tmp_path, python=SYSTEM)


def pinned(folder: Path) -> None:
    """Write requirements with the wheel's hash."""
    [wheel] = (folder / "wheels").glob("colt-*")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "requirements.txt").write_text(f"colt==1.0 \\\n    --hash=sha256:{digest}\n")


def test_what_has_the_hash_is_installed_and_then_nothing_is_found(tmp_path, backend):
    pinned(tmp_path)
    assert [0, 0] == [status for status, _ in mended(backend)]
    assert ([], "1.0") == (found(backend), version(backend))


def test_what_has_another_hash_is_not_installed_and_pip_says_so(tmp_path, backend):
    pinned(tmp_path)
    [wheel] = (tmp_path / "wheels").iterdir()
    with wheel.open("ab") as opened:
        opened.write(b"of somebody else")
    *_, (status, said) = mended(backend)
    assert 0 != status
    assert "DO NOT MATCH THE HASHES" in said
    assert [] == list(place(backend).glob("lib/python*/site-packages/colt*"))
