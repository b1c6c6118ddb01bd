"""Git on the host, as the owner of the working tree: nothing that its configuration names is run.

A repository's configuration can have git run programs (core.fsmonitor, hooks; git-config(1)), so
root never runs it for somebody else's. It never asks for a password, and what it writes gets the
rights that the tree's folder has.
"""

from __future__ import annotations

from relogin import shell

# What a release keeps from being collected: what it fetched, what runs, and what ran before.
NEXT, RELEASED, FORMER = "refs/relogin/next", "refs/relogin/released", "refs/relogin/former"

_FUNCTIONS = """\
tree={tree}; owner=$(stat -Lc %U "$tree/.git" 2>/dev/null) || :
home=$(getent passwd "$owner" 2>/dev/null | cut -d : -f 6) || :; [ -d "$home" ] || home=/
mask=$(printf '%03o' "$((0777 & ~0$(stat -Lc %a "$tree")))" 2>/dev/null) || :
tree_git() (
  umask "${{mask:-077}}"
  as_user "$owner" env HOME="$home" GIT_TERMINAL_PROMPT=0 \\
    git -c core.fsmonitor=false -c core.hooksPath=/dev/null -C "$tree" "$@"
)
"""


def functions(directory: str) -> str:
    """Give the shell function `tree_git ARGUMENTS…`, its `$owner` and that one's `$home`."""
    return _FUNCTIONS.format(tree=shell.quote(directory.rstrip("/")))


def is_commit(revision: str) -> bool:
    """Tell whether a revision is a whole commit id (SHA-1 or SHA-256)."""
    return len(revision) in {40, 64} and set(revision) <= set("0123456789abcdef")
