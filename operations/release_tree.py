"""The working tree: a revision is fetched, laid out beside it, and checked out in place.

Files that git does not track are never touched: a checkout that would overwrite one is refused.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from relogin import checkout, git, shell
from relogin.git import FORMER, NEXT, RELEASED

if TYPE_CHECKING:
    from relogin.facts.release_state import ReleaseState
    from relogin.parts.source import Source

# The stage is the new revision's tree beside the old one: what is in it is known before anything
# changes, and the new environment is built from its requirements.
_STAGE = """\
stage={stage}; rm -rf "$stage"; mkdir -m 700 "$stage"; chown -h "$owner:" "$stage"
tree_git archive --format=tar {new} | as_user "$owner" tar -x -C "$stage"
[ -n "$(ls -A "$stage")" ] || {{ echo "$stage could not be filled"; exit 1; }}
"""
_FETCH = """\
tree_git cat-file -e {new}'^{{commit}}' 2>/dev/null || {{
  said=$(tree_git fetch -q --no-tags --no-write-fetch-head {remote} +{what}:{next} 2>&1) ||
    said=$(tree_git fetch -q --no-tags --no-write-fetch-head {remote} 2>&1) ||
    {{ printf '%s\\n' "$said" | tail -n 3; exit 1; }}
}}
"""
_PUSHED = """\
bundle=$tree/.git/relogin.bundle
[ -d "$tree/.git" ] || bundle=$(tree_git rev-parse --absolute-git-dir)/relogin.bundle
{fed}
rc=0; said=$(tree_git fetch -q --no-tags --no-write-fetch-head "$bundle" +{next}:{next} 2>&1) ||
  rc=$?
rm -f "$bundle"
[ "$rc" = 0 ] || {{ printf '%s\\n' "$said" | tail -n 3; exit 1; }}
"""
_PIN = """\
tree_git cat-file -e {new}'^{{commit}}' || {{ echo 'the remote has no {new}'; exit 1; }}
tree_git update-ref {next} {new}
"""
# On a disk that is filled meanwhile there is room for the way back: for each file that is replaced,
# twice (it is kept aside first), and for the index. It is not made of zeros, which a file system
# may store as nothing, and by the owner: what is in the owner's folder may lead anywhere.
_RESERVE = """\
reserve=$(tree_git rev-parse --absolute-git-dir)/relogin.reserve
room_kept() {
  replaced=$(tree_git diff --no-renames --name-only -z --diff-filter=MDT "$(told from)" \
    "$(told to)" | ( cd "$tree" && xargs -0 -r du -k -- 2>/dev/null ) |
    awk '{ n += $1 } END { print n + 0 }')
  index=$(du -k "${reserve%/*}/index" | cut -f 1)
  as_user "$owner" sh -c 'head -c "$1" /dev/urandom >"$2"' sh \
    "$(((2 * replaced + 2 * index + 256) * 1024))" "$reserve" 2>/dev/null ||
    { room_given; echo "no room beside $tree for the way back"; exit 1; }
}
room_given() { as_user "$owner" rm -f "$reserve"; }
"""
# A checkout that was killed, or had no room, leaves index.lock and files of both revisions. Before
# it the tree was as committed, and had nothing where new files go: so what differs is that
# checkout's own. What is overwritten of tracked files is kept all the same.
_CHECKOUT = """\
present() (
  cd "$tree" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\\0" "$f"; done' sh
)
added() { tree_git diff --no-renames --name-only -z --diff-filter=A "$(told from)" "$(told to)"; }
at_head() { [ "$(tree_git rev-parse HEAD)" = "$1" ]; }
in_the_way() {
  found=$(added | present | tr '\\000' '\\n' | head -n 5)
  [ -z "$found" ] || { echo 'not tracked by git, and in the way of the new revision:'
    printf '%s\n' "$found"; exit 1; }
}
cleaned() {
  room_given
  lock=$(cd "$tree" && readlink -f "$(tree_git rev-parse --git-path index.lock)") || lock=
  [ -z "$lock" ] || [ ! -e "$lock" ] || { rm -f "$lock"; note 'removed index.lock'; }
  tree_git diff --name-only -z HEAD | present >"$under/changed"
  [ ! -s "$under/changed" ] || {
    tar -C "$tree" --null -T "$under/changed" -cf "$kept/aside-$(date -u +%Y%m%dT%H%M%SZ).tar"
    note 'kept aside what a killed checkout left'
  }
  tree_git reset -q --hard
  ! at_head "$(told from)" || added | ( cd "$tree" && xargs -0 rm -f -- )
}
check_out() {
  said=$(tree_git checkout -q --no-overwrite-ignore "$@" 2>&1) || {
    printf '%s\n' "$said" | head -n 8; exit 1
  }
}
"""


def stage(source: Source) -> str:
    """Give the folder in which the new revision is laid out."""
    return f"{source.directory.rstrip('/')}.relogin-stage"


def fetched(source: Source, state: ReleaseState) -> str:
    """Give the script that has the meant commit on the host and in the stage; nothing else."""
    new = state.tree.wanted
    words = {"new": new, "next": NEXT, "stage": shell.quote(stage(source))}
    if state.tree.present:
        how = ""
    elif source.checkout is not None:
        packed = base64.b64encode(checkout.bundle(source, new, state.tree.head)).decode()
        # as the owner: what is in the owner's folder may lead anywhere
        write = """base64 -d | as_user "$owner" sh -c 'cat >"$1"' sh "$bundle\""""
        fed = shell.fed(packed, write)
        how = _PUSHED.format(fed=fed, **words)
    else:
        what = state.tree.ref or new
        how = _FETCH.format(remote=shell.quote(source.remote), what=shell.quote(what), **words)
    return f"set -e\n{git.functions(source.directory)}{how}{(_PIN + _STAGE).format(**words)}"


def switched(source: Source, new: str) -> str:
    """Give the lines of a step that check the new commit out, detached."""
    return (
        f"{git.functions(source.directory)}{_RESERVE}{_CHECKOUT}"
        "if marked checkout; then cleaned; else in_the_way; fi\nroom_kept; mark checkout\n"
        f"check_out --detach {new}\n"
    )


def back(source: Source, old: str, branch: str) -> str:
    """Give the lines of a step that check the former commit out, as the branch that it was."""
    named = shell.quote(f"refs/heads/{branch}")
    return f"""\
{git.functions(source.directory)}{_RESERVE}{_CHECKOUT}if marked checkout; then
  cleaned
  if [ "$(tree_git rev-parse -q --verify {named})" = {old} ]; then
    check_out {shell.quote(branch)} --
  else check_out --detach {old}; fi
fi
"""


def pinned(source: Source, old: str, new: str) -> str:
    """Give the lines that note which commit runs and which one ran before, and clear the stage."""
    return (
        f"{git.functions(source.directory)}tree_git update-ref {RELEASED} {new}\n"
        f"tree_git update-ref {FORMER} {old}\n{cleared(source)}"
    )


def cleared(source: Source) -> str:
    """Give the lines that clear what a release laid out."""
    return (
        f"{git.functions(source.directory)}{_RESERVE}room_given\n"
        f"rm -rf {shell.quote(stage(source))}\n"
        f"tree_git update-ref -d {NEXT} || :\n"
    )
