"""A backend whose virtual environment is broken and built anew, offline."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from relogin import Backend, Venv
from relogin import undo as undo_store
from relogin.facts import venv as fact
from relogin.fault import Change
from relogin.finding import Finding
from relogin.operations.venv import FAULTS
from tests.facts.answers import run
from tests.facts.venvs import make_venv, make_wheel

RUN = undo_store.run_id()
PYTHON = sys.executable


def wanting(folder: Path, **more: str) -> Backend:
    make_wheel(folder / "wheels", "colt", "1.0")
    (folder / "requirements.txt").write_text("colt\n")
    return described(folder, **more)


def described(folder: Path, name: str = "my env", **more: str) -> Backend:
    venv = Venv(
        f"{folder}/{name}",
        requirements=f"{folder}/requirements.txt",
        pip_args=("--no-index", "--find-links", f"{folder}/wheels"),
        **{"python": PYTHON, **more},
    )
    return Backend("halext", venv=venv)


def place(backend: Backend) -> Path:
    assert backend.venv is not None
    return Path(backend.venv.path)


def look(backend: Backend) -> SimpleNamespace:
    assert backend.venv is not None
    return SimpleNamespace(
        venv=fact.parse(run(fact.script(backend.venv))), service=None, login=None
    )


def found(backend: Backend) -> list[Finding]:
    return [finding for fault in FAULTS for finding in fault.found(backend, look(backend))]


def changes(backend: Backend) -> list[Change]:
    seen = look(backend)
    return [
        change
        for fault in FAULTS
        for finding in fault.found(backend, seen)
        if fault.fix is not None and not finding.by_person
        for change in fault.fix(backend, seen, finding)  # type: ignore[arg-type] # that part
    ]


def mended(backend: Backend) -> list[tuple[int, str]]:
    """Run what mends it, up to the first change that fails; give statuses and words."""
    said = []
    for change in changes(backend):
        answer = run(f"(\n{change.script}\n)")
        said.append((answer.status, answer.text.decode().strip()))
        if answer.status:
            break
    return said


def modes(env: Path) -> dict[Path, int]:
    paths = (path for path in env.rglob("*") if "__pycache__" not in str(path))
    return {path: path.lstat().st_mode for path in paths}


def version(backend: Backend) -> str:
    python = [f"{place(backend)}/bin/python", "-I", "-c", "import colt; print(colt.version)"]
    return subprocess.run(python, capture_output=True, text=True, check=True).stdout.strip()


def filled(backend: Backend) -> Path:
    """Make the venv, with what it has to hold."""
    site_packages = make_venv(place(backend))
    (site_packages / "colt.py").write_text("version = 'of before'\n")
    info = site_packages / "colt-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: colt\nVersion: 1.0\n")
    (info / "RECORD").write_text("../../../bin/colt,,\n")
    return place(backend)


def dangle(env: Path) -> None:
    for name in ("python", "python3"):
        (env / "bin" / name).unlink()
    (env / "bin/python").symlink_to("python3")
    (env / "bin/python3").symlink_to("/usr/bin/python2.2")


def of_another_version(env: Path) -> None:
    text = re.sub(r"(?m)^version = .*", "version = 2.2.1", (env / "pyvenv.cfg").read_text())
    (env / "pyvenv.cfg").write_text(text)


def kept(undo: Path) -> dict[str, Path]:
    return {path.name: path for path in undo.rglob("*") if not path.is_dir()}
