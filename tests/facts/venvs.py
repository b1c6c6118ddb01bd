"""Small virtual environments and wheels, made here without a network."""

import atexit
import base64
import hashlib
import shutil
import sys
import tempfile
import venv
import zipfile
from functools import cache
from pathlib import Path

from relogin import Unreadable, Venv
from relogin.facts import venv as facts
from relogin.facts.venv import BrokenVenv, VenvState
from tests.facts.answers import run


def make_venv(path: Path, *, pip: bool = False) -> Path:
    """Make a venv of the Python that runs the tests; give its site-packages.

    One with pip is copied: to make it takes ensurepip some seconds.
    """
    if pip:
        shutil.copytree(_with_pip(), path, symlinks=True)
        for file in (path / "pyvenv.cfg", *path.glob("bin/[!p]*"), *path.glob("bin/pip*")):
            file.write_text(file.read_text().replace(str(_with_pip()), str(path)))
    else:
        venv.create(path, symlinks=True)
    return path / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


@cache
def _with_pip() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    venv.create(folder / "env", with_pip=True, symlinks=True)
    return folder / "env"


def install(site_packages: Path, name: str, version: str, *needs: str) -> None:
    """Put a distribution's metadata there, as pip leaves it."""
    folder = site_packages / f"{name}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(metadata(name, version, *needs))
    (folder / "RECORD").write_text(f"{folder.name}/METADATA,,\n{folder.name}/RECORD,,\n")


def metadata(name: str, version: str, *needs: str) -> str:
    lines = "".join(f"Requires-Dist: {need}\n" for need in needs)
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}"
    return f"{head}\nName: not this one\nRequires-Dist: nor-this\n"


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *needs: str,
    module: str = "",
    more: dict[str, str] | None = None,
) -> None:
    """Make a wheel with one module that knows its version (PEP 427); `more` are further files."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{module or f'{name}.py'}": f"version = {version!r}\n",
        f"{info}/METADATA": metadata(name, version, *needs),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **{path.format(info=info): text for path, text in (more or {}).items()},
    }
    record = "".join(f"{path},{_hash(text)},{len(text)}\n" for path, text in files.items())
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


def _hash(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"


def look(path: Path, *requirements: Path) -> VenvState | BrokenVenv | Unreadable:
    return facts.parse(run(facts.script(Venv(str(path), tuple(map(str, requirements))))))


def site_packages(env: Path) -> Path:
    return next(env.glob("lib/python*/site-packages"))
