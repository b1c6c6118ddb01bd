"""Wheels that a case needs on a host beside those of its image."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from .base import PYTHON, run
from .host import Host
from .image import download_wheels

_ONE_AT_A_TIME = Lock()


def bring(host: Host, wanted: tuple[str, ...]) -> None:
    """Put these distributions into the host's wheelhouse; healing takes them out again."""
    with _ONE_AT_A_TIME:  # else two hosts' cases fill a folder each, and one is forgotten
        folder = _downloaded(host.suite, wanted)
    run(["docker", "cp", f"{folder.name}/wheels/.", f"{host.name}:/srv/wheels"])


@cache
def _downloaded(suite: str, wanted: tuple[str, ...]) -> TemporaryDirectory[str]:
    """Fill a folder that stays until the tests end."""
    folder = TemporaryDirectory(prefix="relogin-lab-")
    listed = Path(folder.name, "wanted.txt")
    listed.write_text("\n".join(wanted))
    download_wheels(Path(folder.name, "wheels"), PYTHON[suite], listed)
    return folder
