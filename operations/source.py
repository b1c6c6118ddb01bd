"""Ensure that the backend's code is there: a git working tree of the declared revision.

One that is there stays at the revision that it has: another one is a release's business.
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra.api import FunctionCommand, operation

from relogin import checkout, git, onboarding, shell
from relogin.facts import bare as facts
from relogin.fault import Change
from relogin.finding import Unreadable
from relogin.git import NEXT

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.bare import Bare
    from relogin.parts.source import Source

_DEADLINE = 300
# The tree is made whole beside its place, and renamed: what was killed on the way is made again.
_BESIDE = """\
umask 022; made={made}; place={place}; owner={owner}
[ ! -e "$place/.git" ] || exit 0
up=${{place%/*}}; [ -d "${{up:-/}}" ] || mkdir -p "$up"
rm -rf "$made"; mkdir "$made"; chown "$owner:" "$made"
tell() {{ printf '%s\\n' "$said" | tail -n 4; exit 1; }}
init() {{ as_user "$owner" env HOME=/ git -c init.defaultBranch=main init -q --template= "$made"; }}
said=$(init 2>&1) || tell
"""
_PUSHED = """\
{fed}
chown "$owner:" "$made/.git/relogin.bundle"
said=$(tree_git fetch -q --no-tags --no-write-fetch-head .git/relogin.bundle +{next}:{next} 2>&1) ||
  tell
rm -f "$made/.git/relogin.bundle"
"""
_FETCHED = """\
tree_git remote add origin {remote}
for ref in {refs}; do
  said=$(tree_git fetch -q --no-write-fetch-head origin "+$ref:{next}" 2>&1) && break
done
tree_git rev-parse -q --verify {next} >/dev/null || tell
"""
_WHOLE = """\
said=$(tree_git checkout -q --detach {next} 2>&1) || tell
tree_git update-ref -d {next}
sync "$made" 2>/dev/null || sync
"""
# What lies there already stays as it is: files that are the revision's own, and such as it does not
# have. Who owns the folder does it, for it may hold links of theirs.
_IN_PLACE = """\
rmdir "$place" 2>/dev/null || :
[ -e "$place" ] || { mv "$made" "$place"; exit; }
whose=$(stat -Lc %U "$place")
[ "$whose" = root ] || [ "$whose" = "$owner" ] || {
  echo "$place belongs to $whose, not to $owner: give it to $owner, or move it away"; exit 1; }
differing=$(cd "$made" && find . -path ./.git -prune -o ! -type d -print | while IFS= read -r f; do
  { [ ! -e "$place/$f" ] && [ ! -L "$place/$f" ]; } || cmp -s "$f" "$place/$f" || echo "$f"
done | head -n 5)
[ -z "$differing" ] || {
  echo "other than in the revision, in $place: move it away"; echo "$differing"; exit 1; }
as_user "$whose" sh -c 'set -e; umask 022; cd "$1"
  find . -path ./.git -prune -o -type d -print | while IFS= read -r d; do mkdir -p "$2/$d"; done
  find . -path ./.git -prune -o ! -type d -print | while IFS= read -r f; do
    [ -e "$2/$f" ] || mv "$f" "$2/$f"
  done
  mv .git "$2/.git"' sh "$made" "$place"
rm -rf "$made"
"""
_FOLDER = """\
umask 022
[ -d {folder} ] || {{ mkdir -p {folder} && chown {owner}: {folder}; }} || exit 1
"""


@operation()
def laid(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the code and the folders that it needs are there, for the backend's own user.

    + backend: the backend, as described
    """
    yield from onboarding.step(backend, changes)


def changes(backend: Backend, bare: Bare) -> Iterator[Change]:
    """Give the changes that bring the working tree, and make the folders beside it.

    Raises:
        ValueError: the checkout beside the inventory has no such revision.
    """
    owner = facts.owner(backend)
    if backend.source is not None and bare.code != "git":
        how = "push" if backend.source.checkout else "fetch"
        revision = meant(backend.source)
        why = f"{backend.source.directory}: {how} {revision}, for {owner}"
        yield Change(_tree(backend.source, revision, owner), why, deadline=_DEADLINE)
    beside = backend.venv.path.rpartition("/")[0] if backend.venv else ""
    for folder in (one for one in facts.folders(backend) if one in bare.lacking):
        whose = owner if folder == beside else "root"  # who may enter it may put links there
        words = {"folder": shell.quote(folder), "owner": shell.quote(whose)}
        yield Change(_FOLDER.format(**words), f"mkdir {folder}, for {whose}")


def meant(source: Source) -> str:
    """Give the revision that is meant: the declared one, or that of `--data revision=…`."""
    return str(current_host.data.get("revision") or source.revision)


def _tree(source: Source, revision: str, owner: str) -> str:
    place = source.directory.rstrip("/")
    made = f"{place}.relogin-new"
    head = _BESIDE.format(
        made=shell.quote(made), place=shell.quote(place), owner=shell.quote(owner)
    )
    brought = _brought(source, revision)
    return f"set -e\n{head}{git.functions(made)}{brought}{_WHOLE.format(next=NEXT)}{_IN_PLACE}"


def _brought(source: Source, revision: str) -> str:
    if source.checkout is None:
        refs = [f"refs/tags/{revision}", f"refs/heads/{revision}"]
        refs = [revision, "refs/heads/*"] if git.is_commit(revision) else refs
        return _FETCHED.format(remote=shell.quote(source.remote), refs=shell.words(refs), next=NEXT)
    commit = checkout.commit(source, revision)
    if isinstance(commit, Unreadable):
        raise ValueError(commit.reason)  # noqa: TRY004 # what the caller says in one line
    packed = base64.b64encode(checkout.bundle(source, commit, "")).decode()
    fed = shell.fed(packed, 'base64 -d >"$made/.git/relogin.bundle"')
    return _PUSHED.format(fed=fed, next=NEXT)
