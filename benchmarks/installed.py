"""relogin as a user has it: its wheel and what that needs, installed and compiled by pip."""

import re
import shutil
import sys
from pathlib import Path

from tests.lab.base import run

from .measure import REPOSITORY

_SOURCES = ("src", "facts", "operations", "deploys", "pyproject.toml", "README.md", "LICENSE")


def installed(folder: Path) -> Path:
    """Build and install the wheel; give the pyinfra command of its environment."""
    source = folder / "source"
    source.mkdir()
    for name in _SOURCES:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copyfile
        copy(REPOSITORY / name, source / name)
    run([sys.executable, "-m", "build", "--no-isolation", "--wheel", str(source)])
    wheel = next((source / "dist").glob("*.whl"))
    run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")])
    (folder / "locked.txt").write_text("\n".join(_locked()))
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "env/bin/python")]
    run([*pip, "install", "--quiet", "--constraint", str(folder / "locked.txt"), str(wheel)])
    return folder / "env/bin/pyinfra"


def _locked() -> list[str]:
    """Give the versions of the lock without their hashes, which a wheel of our own has not."""
    text = (REPOSITORY / "requirements.lock").read_text()
    return re.findall(r"^[\w.-]+==[^\s\\]+(?: ;[^\\\n]*)?", text, re.MULTILINE)
