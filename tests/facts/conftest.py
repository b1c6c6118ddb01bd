"""What these tests share: a small virtual environment."""

from pathlib import Path

import pytest

from .venvs import install, make_venv


@pytest.fixture
def env(tmp_path: Path) -> Path:
    install(make_venv(tmp_path / "env"), "six", "1.17.0")
    return tmp_path / "env"
