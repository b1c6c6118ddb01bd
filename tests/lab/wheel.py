"""relogin's wheel and what it needs, to be installed where there is no index."""

import re
import shutil
import sys
from pathlib import Path

from .base import PYTHON, run
from .image import download_wheels
from .product import REPOSITORY

_SOURCES = ("src", "facts", "operations", "deploys", "pyproject.toml", "README.md", "LICENSE")


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this clone; give its path."""
    source = folder / "source"
    source.mkdir()
    for name in _SOURCES:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copyfile
        copy(REPOSITORY / name, source / name)
    run([sys.executable, "-m", "build", "--no-isolation", "--wheel", str(source)])
    return next((source / "dist").glob("*.whl"))


def locked(folder: Path) -> Path:
    """Write the versions of the lock without their hashes, which a wheel of our own has not."""
    text = (REPOSITORY / "requirements.lock").read_text()
    lines = re.findall(r"^[\w.-]+==[^\s\\]+(?: ;[^\\\n]*)?", text, re.MULTILINE)
    file = folder / "locked.txt"
    file.write_text("\n".join(lines))
    return file


def wheelhouse(folder: Path, suite: str) -> Path:
    """Fill a folder with the wheel and all that it needs on a host of a suite."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"--constraint {locked(folder)}\n{build_wheel(folder)}\n")
    download_wheels(folder / "wheels", PYTHON[suite], wanted)
    return folder / "wheels"
