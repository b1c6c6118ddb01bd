"""The revision of an inventory: a fingerprint of its files, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path, PurePosixPath

from relogin.errors import UsageError


def revision(inventory: str, folder: Path) -> str:
    """Give the fingerprint of an inventory and of the `group_data` beside it, without a secret.

    Raises:
        UsageError: it is no file below the folder.
    """
    named = PurePosixPath(inventory)
    path = folder / named
    if named.is_absolute() or ".." in named.parts or not path.is_file():
        raise UsageError(
            f"{inventory}: a queue needs an inventory that is a file, by its path below {folder}:"
            " workers have it at the same one"
        )
    whole = sha256()
    for file in sorted({path, *_group_data(path, folder)}):
        name = file.relative_to(folder).as_posix()
        content = file.read_bytes()
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:16]


def _group_data(inventory: Path, folder: Path) -> Iterator[Path]:
    for beside in {inventory.parent, folder}:
        yield from (beside / "group_data").glob("*.py")
