"""relogin as a user has it: its wheel and what that needs, installed and compiled by pip."""

import sys
from pathlib import Path

from tests.lab.base import run
from tests.lab.wheel import build_wheel, locked


def installed(folder: Path) -> Path:
    """Build and install the wheel; give the pyinfra command of its environment."""
    wheel = build_wheel(folder)
    run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")])
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "env/bin/python")]
    run([*pip, "install", "--quiet", "--constraint", str(locked(folder)), str(wheel)])
    return folder / "env/bin/pyinfra"
