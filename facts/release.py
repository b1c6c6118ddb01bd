"""What a release has to know: the working tree, the revision that is meant, and the last release.

The folder of a release is for root only, `/var/lib/relogin/BACKEND/release/`:

    running             the commit that was proven last, and when (epoch seconds)
    under-way/          of a release that has begun: run, from, to, phase, steps, token …
    backups/*.dump      what pg_dump wrote
    deploy.log          every step of every release
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import git, remote, shell, sql
from relogin.facts import alone, elsewhere, own_url, postgres
from relogin.facts.release_state import Backup, ReleaseState, Room, Tree, UnderWay
from relogin.finding import Unreadable, legible
from relogin.parts.database import AdminUrl
from relogin.parts.runtime import Compose
from relogin.secret import Secret
from relogin.undo import place

if TYPE_CHECKING:
    from pyinfra.api import StringCommand
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.source import Source
    from relogin.remote import Answer

DEADLINE = 60.0
# `refs/heads/…` is asked for in full: git takes a bare name for the end of any (git-ls-remote(1)).
# A tag comes before a branch of that name, as gitrevisions(7) has it.
_TREE = """\
[ -d "$tree" ] || {{ echo "problem $tree is not there"; return; }}
command -v git >/dev/null || {{ echo 'problem git is not installed'; return; }}
[ -e "$tree/.git" ] || {{ echo "problem $tree is no git working tree"; return; }}
said=$(tree_git rev-parse --verify -q 'HEAD^{{commit}}' 2>&1) || {{
  printf 'problem git cannot read %s: %s\\n' "$tree" "${{said:-it has no commit}}" | head -n 1
  return
}}
printf 'head %s\\nowner %s\\n' "$said" "$owner"
printf 'branch %s\\n' "$(tree_git symbolic-ref -q --short HEAD)"
cd "$tree" && printf 'moved %s\\n' "$(stat -Lc %Y "$(tree_git rev-parse --git-path logs/HEAD)")"
tree_git -c core.quotePath=false --no-optional-locks status --porcelain --untracked-files=no |
  head -n 20 | sed 's/^/dirty /'
[ ! -e "$(tree_git rev-parse --git-path index.lock)" ] || echo locked
{wanted}"""
_KNOWN = "tree_git cat-file -e {commit}'^{{commit}}' 2>/dev/null && echo present\n"
_LISTED = """\
remote={remote}
said=$(tree_git ls-remote -q "$remote" {heads} {tags} {tags}'^{{}}' 2>&1) || {{
  printf 'unfetched %s\\n' "$(printf '%s\\n' "$said" | tail -n 1)"; return
}}
printf '%s\\n' "$said" | awk -v tag={tags} -v head={heads} '
  {{ id[$2] = $1 }}
  END {{
    if (tag in id) print "wanted", (tag "^{{}}" in id) ? id[tag "^{{}}"] : id[tag], tag
    else if (head in id) print "wanted", id[head], head
  }}' | while read -r word commit ref; do
  printf '%s %s %s\\n' "$word" "$commit" "$ref"
  tree_git cat-file -e "$commit^{{commit}}" 2>/dev/null && echo present
done"""
_KEPT = """\
for each in run from to branch phase steps recorded backup failed token; do
  [ ! -e "$kept/under-way/$each" ] || part "under_way_$each" cat "$kept/under-way/$each"
done
[ ! -e "$kept/running" ] || part running cat "$kept/running"
for each in "$kept"/backups/*.dump; do
  [ ! -s "$each" ] || part backup printf '%s %s %s' "$(stat -c '%Y %s' "$each")" "$each"
done"""
_ROOM = """\
for each in {places}; do
  while [ ! -e "$each" ] && [ -n "$each" ]; do each=${{each%/*}}; done
  df -Pk "${{each:-/}}" | awk -v at="$each" 'END {{ print "left", $(NF - 2), $NF, at }}'
done
[ ! -d {venv} ] || du -sk {venv} | awk '{{ print "venv", $1 }}'
for each in {tools}; do command -v "$each" >/dev/null || printf 'lacking %s\\n' "$each"; done"""


def look(
    host: Host, backend: Backend, source: Source, seen: Observation, *, revision: str, commit: str
) -> ReleaseState | Unreadable:
    """Look at the tree, what is meant and the last release, in one remote command.

    `revision` is asked of the remote, unless `commit` is known already.
    """
    parts = {
        "tree": tree_script(source, revision, commit),
        "kept": kept_script(backend),
        "room": room_script(backend, source),
    }
    if size := size_script(backend, seen):
        parts["size"] = size
    answers = remote.ask(host, parts, deadline=DEADLINE)
    return answers if isinstance(answers, Unreadable) else parse(answers, commit=commit)


def size_script(backend: Backend, seen: Observation) -> str:
    """Give the part that asks for the size of the database; '' where nobody can be asked."""
    if backend.database is None:
        return ""
    target = postgres.target_in_force(backend, seen.env)
    reached = own_url.reached(backend, seen.env)
    if isinstance(target, Unreadable) or isinstance(reached, Unreadable):
        return ""
    assert reached.database is not None and reached.database.admin is not None  # noqa: S101, PT018
    psql = postgres.admin_command(
        reached.database.admin,
        port=target.port,
        host=target.host,
        database=target.database if backend.database.admin is None else "",
        service=backend.service,
    )
    size = f"select pg_database_size({sql.literal(target.database)}) / 1024"
    return elsewhere.functions(reached) + sql.psql(f"{size};", command=psql)


def kept_script(backend: Backend) -> str:
    """Give the part that reads what releases have left: the proven commit, and one under way."""
    return place(backend, "release") + _KEPT


def tree_script(source: Source, revision: str, commit: str = "") -> str:
    """Give the part that looks at the working tree and finds the commit that is meant."""
    commit = commit or (revision if git.is_commit(revision) else "")
    if commit:
        wanted = f"echo wanted {commit}\n" + _KNOWN.format(commit=commit)
    else:
        wanted = _LISTED.format(
            remote=shell.quote(source.remote),
            heads=shell.quote(f"refs/heads/{revision}"),
            tags=shell.quote(f"refs/tags/{revision}"),
        )
    return git.functions(source.directory) + _TREE.format(wanted=wanted)


def room_script(backend: Backend, source: Source) -> str:
    """Give the part that measures what a release takes, and looks for the programs it needs."""
    venv = backend.venv.path if backend.venv else "/nosuch"
    places = shell.words([source.directory, venv.rpartition("/")[0] or "/", "/var/lib"])
    if isinstance(backend.service, Compose):  # images are elsewhere than one may think
        places += " $(docker info --format '{{.DockerRootDir}}' 2>/dev/null)"
    programs = ["git", *(pg_programs(backend) if backend.database else ())]
    return _ROOM.format(places=places, venv=shell.quote(venv), tools=shell.words(programs))


def pg_programs(backend: Backend) -> tuple[str, ...]:
    """Give PostgreSQL's programs that make and read a backup, beside the administrator's psql."""
    admin = backend.database.admin if backend.database else None
    folder = admin.psql.rpartition("/")[0] if admin is not None else ""
    if dumps_in_container(backend):
        return ()
    names = ("pg_dump", "pg_restore")
    return tuple(f"{folder}/{name}" for name in names) if folder else names


def dumps_in_container(backend: Backend) -> bool:
    """Tell whether the database's own container has the programs that make and read a backup."""
    by_url = backend.database is not None and isinstance(backend.database.admin, AdminUrl)
    service = backend.service
    return isinstance(service, Compose) and bool(service.database_service) and not by_url


def parse(answers: Mapping[str, Answer], *, commit: str = "") -> ReleaseState | Unreadable:
    """Take the parts' answers apart."""
    if not {"tree", "kept", "room"} <= set(answers):
        return Unreadable("a part of the answer did not arrive")
    kept = [pair for line in answers["kept"].lines if (pair := remote.answer_in(line)) is not None]
    texts = {name: answer.text.decode("utf-8", "replace").strip() for name, answer in kept}
    running = texts.get("running", "").split()
    size = answers["size"].lines[-1:] if "size" in answers else []
    seen, under_way = tree(answers["tree"].lines), _under_way(texts)
    if under_way is not None and not seen.wanted:  # it is on the host already
        seen = dataclasses.replace(seen, wanted=under_way.new, present=True, unfetched="")
    return ReleaseState(
        seen,
        under_way,
        running[0] if running else "",
        tuple(sorted(_backups(kept), key=lambda backup: backup.made, reverse=True)),
        _room(answers["room"].lines, int(size[0]) if size and size[0].isdigit() else 0),
    )


def tree(lines: Iterable[str]) -> Tree:
    """Take apart what is said of the working tree."""
    words: dict[str, list[str]] = {}
    for line in lines:
        name, _, rest = line.partition(" ")
        words.setdefault(name, []).append(rest)
    found, _, ref = one(words, "wanted").partition(" ")
    return Tree(
        problem=legible(one(words, "problem")),
        head=one(words, "head"),
        owner=one(words, "owner"),
        branch=one(words, "branch"),
        moved=float(one(words, "moved") or 0),
        dirty=tuple(words.get("dirty", ())),
        locked="locked" in words,
        wanted=found,
        ref=ref,
        present="present" in words,
        unfetched=legible(one(words, "unfetched")),
    )


def one(words: Mapping[str, list[str]], name: str) -> str:
    """Give the first line of a name, without it; '' where there is none."""
    return next(iter(words.get(name, ())), "")


def _under_way(texts: Mapping[str, str]) -> UnderWay | None:
    found = {
        name.removeprefix("under_way_"): text
        for name, text in texts.items()
        if name.startswith("under_way_")
    }
    if not found.get("from") or not found.get("to"):
        return None
    token = found.get("token")
    return UnderWay(
        found.get("run", ""),
        found["from"],
        found["to"],
        found.get("phase", "forward"),
        tuple(found.get("steps", "").split("\n")),
        found.get("branch", ""),
        found.get("recorded", ""),
        found.get("backup", ""),
        found.get("failed", ""),
        Secret.seen(token) if token else None,
    )


def _backups(kept: Iterable[tuple[str, Answer]]) -> Iterable[Backup]:
    for name, answer in kept:
        if name == "backup":
            made, size, path = answer.text.decode().split(" ", 2)
            yield Backup(path, float(made), int(size))


def _room(lines: Iterable[str], database: int) -> Room:
    left, venv, lacking = {}, 0, []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "left":
            kib, mount, at = rest.split(" ", 2)
            left[at] = mount, int(kib)
        elif word == "venv":
            venv = int(rest)
        elif word == "lacking":
            lacking.append(rest)
    return Room(left, venv, database, tuple(lacking))


class SourceTree(FactBase[Any]):
    """Give which commit a git working tree is at, and what of its tracked files differs from it.

    + directory: the working tree
    """

    def command(self, directory: str) -> StringCommand:
        script = git.functions(directory) + _TREE.format(wanted="")
        return alone.command({"tree": script})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "tree", _told)


def _told(answer: Answer) -> dict[str, Any]:
    found = tree(answer.lines)
    if found.problem:
        return {"unreadable": found.problem}
    return {"commit": found.head, "branch": found.branch or None, "changed": list(found.dirty)}
