"""A Python environment for the sample backend, from wheels fetched once."""

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def wheelhouse(requirements: Path, *, spare: Path) -> Path:
    """Give a folder with every wheel that `requirements` need, fetched by this machine's pip.

    It is kept in `.make/wheels`; in `spare`, for this run only, where that may not be written.
    """
    kept = REPOSITORY / ".make" / "wheels" / _key(requirements)
    if kept.is_dir():
        return kept
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="fetching-", dir=kept.parent))
    except OSError:
        _fetch(requirements, spare)
        return spare
    return _publish(requirements, fresh, kept)


def _publish(requirements: Path, fresh: Path, kept: Path) -> Path:
    """Rename what is complete: of two runs at once, the second finds the first one's."""
    try:
        _fetch(requirements, fresh)
        for path in (fresh, *fresh.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        fresh.rename(kept)
    except OSError:
        if not kept.is_dir():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return kept


def _key(requirements: Path) -> str:
    platform = f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    return f"{platform}-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"


def _fetch(requirements: Path, folder: Path) -> None:
    _pip("download", "--dest", str(folder), "--requirement", str(requirements), "pip")


def environment(folder: Path, requirements: Path, wheels: Path) -> None:
    """Make a virtual environment with `requirements` from `wheels` alone.

    pip comes from there as well: some systems' Python has no ensurepip.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    _pip(
        "--python", str(folder / "bin" / "python"), "install", "--no-index", "--find-links",
        str(wheels), "--no-compile", "--requirement", str(requirements), "pip",
    )  # fmt: skip


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pip {arguments[0]} failed: {(done.stdout + done.stderr).strip()}")
