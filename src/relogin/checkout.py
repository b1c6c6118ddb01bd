"""A git repository on the control machine, from which a revision is pushed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from gevent.lock import BoundedSemaphore

from relogin.finding import Unreadable, legible

if TYPE_CHECKING:
    from relogin.parts.source import Source


def commit(source: Source, revision: str) -> str | Unreadable:
    """Give the commit that a revision is in the declared checkout; '' where none is declared."""
    if source.checkout is None:
        return ""
    done = _git(source.checkout, "rev-parse", "--verify", "-q", f"{revision}^{{commit}}")
    if done.returncode == 0:
        return done.stdout.decode().strip()
    said = legible(done.stderr.decode(errors="replace").strip()) or f"it has no {revision}"
    return Unreadable(f"Source: checkout {source.checkout}: {said}")


def bundle(source: Source, new: str, old: str) -> bytes:
    """Give what takes a host that has `old` to `new` (git-bundle(1)); all of it without `old`.

    Raises:
        ValueError: git could not make it.
    """
    assert source.checkout is not None  # noqa: S101 # only asked with one
    known = _git(source.checkout, "cat-file", "-e", f"{old}^{{commit}}").returncode == 0
    name = "refs/relogin/next"
    but = [f"^{old}"] if known else []
    with _ONE_NAME:
        _git(source.checkout, "update-ref", name, new)
        done = _git(source.checkout, "bundle", "create", "-q", "-", name, *but)
        _git(source.checkout, "update-ref", "-d", name)
    if done.returncode != 0:
        said = legible(done.stderr.decode(errors="replace").strip())
        raise ValueError(f"git bundle in {source.checkout} failed: {said}")
    return done.stdout


# Cooperative: several hosts of a run may be given the same checkout at once.
_ONE_NAME = BoundedSemaphore()


def _git(folder: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", folder, *words], capture_output=True, check=False)
