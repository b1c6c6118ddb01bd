"""relogin's wheel and what it needs, to be installed where there is no index."""

import re
import shutil
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from .base import PYTHON, run
from .host import Host
from .image import download_wheels
from .product import REPOSITORY

HOME = "/opt/relogin"
_INSTALL = f"""
mkdir {HOME}; tar -x -C {HOME}
python3 -m venv {HOME}/env
{HOME}/env/bin/pip install -q --no-index --find-links {HOME}/wheels relogin
rm -r {HOME}/wheels
"""
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


def install(host: Host) -> None:
    """Install relogin below HOME on a host, as its users do; whoever asks removes that folder."""
    host.install(Path(_house(host.suite).name), ["wheels"], _INSTALL)


@cache
def _house(suite: str) -> TemporaryDirectory[str]:
    """Fill a folder that stays until the tests end."""
    folder = TemporaryDirectory(prefix="relogin-lab-")
    wheelhouse(Path(folder.name), suite)
    return folder
