"""Where the backend's code comes from, and which revision of it is meant to run."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from relogin.parts.part import absolute, part, refuse, refuse_unless
from relogin.secret import inventory_folder


@part
class Source:
    """Release the backend's code from git, in place, in the working tree `directory` of the host.

    `revision` is a branch, a tag or a whole commit id; `--data revision=…` names another one for a
    run. It is fetched on the host from `remote` (the name of one, or an address), or, where
    `checkout` names a repository on the control machine (beside the inventory), pushed from there.
    `migrate_first` declares that the running code bears the schema of the new one: it then runs on
    while the migrations do; else it is stopped for as long.
    """

    directory: str
    revision: str = "main"
    remote: str = "origin"
    checkout: str | None = None
    migrate_first: bool = False

    def __post_init__(self) -> None:
        absolute("Source", self.directory)
        refuse_unless(
            self.directory.strip("/"), "Source: directory is /; name the backend's own working tree"
        )
        refuse_unless(
            revision_fits(self.revision), f"Source: revision {self.revision!r} is none that git has"
        )
        if self.remote.startswith("-") or not self.remote.isprintable():
            refuse(f"Source: remote {self.remote!r} is none that git has")
        if "://" in self.remote and urlsplit(self.remote).password is not None:
            refuse("Source: remote holds a password, which git shows in its argv; use a deploy key")
        if self.checkout is not None:
            path = (inventory_folder() or Path()) / Path(self.checkout).expanduser()
            object.__setattr__(self, "checkout", str(path.absolute()))


def revision_fits(name: str) -> bool:
    """Tell whether git could have a revision of this name (git-check-ref-format(1))."""
    odd = re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)", name)
    return bool(name) and odd is None and name[0] not in "-/." and name[-1] not in "/."
