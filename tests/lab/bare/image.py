"""Build the image of a bare host: a Debian with sshd, systemd and sudo, and wheels beside."""

import shutil
import tempfile
from pathlib import Path

from tests.lab import canaries
from tests.lab.base import FILES, PYTHON, TRIXIE, base_image, digest, exists, run
from tests.lab.compose.image import engine_image
from tests.lab.image import BACKEND, download_wheels, inputs

_BARE = Path(__file__).parent / "files"
_ENGINE = Path(__file__).parent / "engine"


def bare_image(suite: str) -> str:
    """Give the tag of a bare host's image, built if it is not there."""
    parent = base_image(suite, _BARE / "packages")
    rendered = {"passwords": f"deploypw:{canaries.SUDO_PASSWORD}\n"}
    own = inputs((_BARE,), rendered, ())
    asked = [(FILES / "sshd-lab.conf").read_bytes(), (BACKEND / "requirements.txt").read_bytes()]
    tag = f"relogin-lab-bare:{digest(parent.encode(), *own, *asked)}"
    if not exists(tag):
        _build(suite, parent, tag, rendered)
    return tag


def _build(suite: str, parent: str, tag: str, rendered: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="relogin-lab-") as made:
        folder = Path(made)
        shutil.copytree(_BARE, folder, dirs_exist_ok=True)
        shutil.copy(FILES / "sshd-lab.conf", folder)
        for name, text in rendered.items():
            (folder / name).write_text(text)
        download_wheels(folder / "wheels", PYTHON[suite], BACKEND / "requirements.txt")
        run(["docker", "build", "--build-arg", f"BASE={parent}", "--tag", tag, made])


def bare_engine_image() -> str:
    """Give the tag of a bare Debian 13 whose projects find their base images, built if missing."""
    parent, host = bare_image(TRIXIE), engine_image()
    tag = f"relogin-lab-bare-engine:{digest(*map(str.encode, (parent, host)), *_files(_ENGINE))}"
    if not exists(tag):
        given = [
            f"--build-arg={name}={value}" for name, value in (("BASE", parent), ("HOST", host))
        ]
        run(["docker", "build", *given, "--tag", tag, str(_ENGINE)])
    return tag


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]
