"""What a fetched revision brings: migrations, those that cannot be undone, env files of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from relogin import git, remote, shell, sql
from relogin.facts import django_migrations, elsewhere, migrations, postgres, release_django
from relogin.finding import Unreadable
from relogin.parts.database import Django
from relogin.parts.runtime import Compose
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.migrations import Revision
    from relogin.facts.postgres_state import Target
    from relogin.parts.source import Source
    from relogin.remote import Answer

DEADLINE = 60.0
# In a container the folder has another name: it is the one in the source with the configuration.
_FOLDER = """\
folder={folder}
[ -d "$folder" ] || {{
  found=$(find {stage} -name {config} -type f 2>/dev/null)
  [ "$(printf '%s\\n' "$found" | wc -l)" = 1 ] && folder=${{found%/*}} || return 6
}}
"""
# A revision is not undone by a downgrade that is missing, does nothing, or raises.
_LASTING = """\
grep -rlE --include='*.py' '^down_revision[[:space:]]*[:=]' "$folder" | tr '\\n' '\\000' |
  xargs -0 awk '
function say() { if (id != "" && (!does || raises)) print id }
FNR == 1 { say(); id = ""; down = 0; does = 0; raises = 0; doc = 0 }
/^revision[ \\t]*[:=]/ {
  id = $0; sub(/^[^=]*=[ \\t]*/, "", id); sub(/[ \\t]*#.*/, "", id); gsub(/["\\047]/, "", id); next
}
/^def downgrade/ { down = 1; next }
/^[^ \\t#)]/ { down = 0 }
!down { next }
{ line = $0; gsub(/^[ \\t]+|[ \\t]+$/, "", line); quotes = gsub(/["]["]["]/, "&", line) }
doc { if (quotes) doc = 0; next }
quotes && line ~ /^["]["]["]/ { doc = quotes == 1; next }
line == "" || line ~ /^(#|pass$|[.][.][.]$)/ { next }
line ~ /^raise/ { raises = 1 }
{ does = 1 }
END { say() }' /dev/null"""
_OWN = """\
for each in {files}; do
  if tree_git cat-file -e {new}:"$each" 2>/dev/null; then
    [ "$(tree_git rev-parse {new}:"$each")" = "$(tree_git hash-object "$tree/$each")" ] ||
      printf 'held %s\\n' "$each"
  elif tree_git cat-file -e HEAD:"$each" 2>/dev/null; then printf 'gone %s\\n' "$each"; fi
done"""


@dataclass(frozen=True)
class NewRevision:
    """What it brings: revisions of the schema that the database has not, and which of them last.

    `recorded` is what the database has recorded (None: nothing). `lasting` are the ids that no
    downgrade undoes, or that delete what is there. `env_files` are declared env files that the
    revision itself holds, and with another text than the host; `submodules` that it has some.
    `gone` are declared env files that git has now, and the revision has not.
    `apps` are Django's: where each application goes back to. `rivals` are several newest revisions
    where there should be one.
    """

    pending: tuple[Revision, ...] = ()
    recorded: tuple[str, ...] | None = None
    lasting: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    submodules: bool = False
    apps: str | None = None
    rivals: tuple[str, ...] = ()

    @property
    def undone(self) -> str:
        """Give the revision that the schema goes back to; '' where there is no single one."""
        if self.apps is not None:
            return self.apps
        return self.recorded[0] if self.recorded and len(self.recorded) == 1 else ""


def look(
    host: Host, backend: Backend, source: Source, stage: str, new: str, target: Target | None
) -> NewRevision | Unreadable:
    """Look at the stage of a fetched revision, and at what the database has recorded."""
    answers = remote.ask(host, scripts(backend, source, stage, new, target), deadline=DEADLINE)
    if isinstance(answers, Unreadable) or not isinstance(backend.migrations, Django):
        return answers if isinstance(answers, Unreadable) else parse(answers)
    found = parse_django(answers)
    if isinstance(found, Unreadable) or not found.pending:
        return found
    return _judged(host, backend, source, stage, found)


def _judged(
    host: Host, backend: Backend, source: Source, stage: str, found: NewRevision
) -> NewRevision | Unreadable:
    """Read the pending migrations' own files: what of them has no way back."""
    pending = [one.id for one in found.pending]
    script = _folder(backend, source, stage) + release_django.code(pending)
    answers = remote.ask(host, {"code": script}, deadline=DEADLINE)
    if isinstance(answers, Unreadable):
        return answers
    undone = release_django.lasting(pending, answers.get("code", remote.Answer(b"", 1)))
    return dataclasses.replace(found, lasting=tuple(dict.fromkeys([*found.lasting, *undone])))


def scripts(
    backend: Backend, source: Source, stage: str, new: str, target: Target | None
) -> dict[str, str]:
    """Give the parts of that look."""
    top = source.directory.rstrip("/") + "/"
    inside = [f.path.removeprefix(top) for f in backend.env_files if f.path.startswith(top)]
    own = _OWN.format(files=shell.words(inside) or "''", new=new) if inside else ":"
    parts = {
        "own": git.functions(source.directory) + own,
        "submodules": f"[ -e {shell.quote(f'{stage}/.gitmodules')} ]",
    }
    if backend.migrations is None or target is None:
        return parts
    found = _folder(backend, source, stage)
    parts["recorded"] = _recorded(backend, target)
    if isinstance(backend.migrations, Django):
        parts["files"] = found + django_migrations.listed('"$folder"', '"$venv"')
        return parts
    parts["files"] = found + migrations.script("$folder", backend.migrations.command, quoted=True)
    parts["lasting"] = found + _LASTING
    return parts


def _folder(backend: Backend, source: Source, stage: str) -> str:
    """Give the lines that find the new revision's migrations: `$folder`, for Django `$venv` too.

    A virtual environment that was built for it is read in the place of the one that runs.
    """
    declared = backend.migrations
    assert declared is not None  # noqa: S101 # whoever asks has some
    top, folder = source.directory.rstrip("/") + "/", declared.directory
    if isinstance(backend.service, Compose) or not f"{folder}/".startswith(top):
        folder = "/nosuch" if isinstance(backend.service, Compose) else folder
    else:
        folder = f"{stage}/{f'{folder}/'.removeprefix(top)}".rstrip("/")
    named = "manage.py" if isinstance(declared, Django) else migrations.config(declared.command)
    config = named.rpartition("/")[2]
    venv = shell.quote(backend.venv.path) if backend.venv else "/nosuch"
    built = f'venv={venv}; [ ! -d "$venv.relogin-next" ] || venv=$venv.relogin-next\n'
    found = _FOLDER.format(
        folder=shell.quote(folder), stage=shell.quote(stage), config=shell.quote(config)
    )
    return found + (built if isinstance(declared, Django) else "")


def _recorded(backend: Backend, target: Target) -> str:
    assert backend.database is not None and backend.migrations is not None  # noqa: S101, PT018
    admin = backend.database.admin
    if admin is None:
        return "return 7"
    table = sql.name(backend.database.schema, backend.migrations.version_table)
    there = f"select to_regclass({sql.literal(table)}) is not null as there \\gset\n"
    each = "app || '.' || name" if isinstance(backend.migrations, Django) else "version_num"
    rows = f"\\if :there\nselect {each} from {table};\n\\else\n\\echo '#none'\n\\endif\n"
    psql = postgres.admin_command(
        admin,
        port=target.port,
        host=target.host,
        database=target.database,
        service=backend.service,
    )
    return elsewhere.functions(backend) + sql.psql(there + rows, command=psql)


def parse(answers: Mapping[str, Answer]) -> NewRevision | Unreadable:
    """Take the parts' answers apart."""
    found = _beside(answers)
    if isinstance(found, Unreadable) or "files" not in answers:
        return found
    files = migrations.of_files(answers["files"])
    if isinstance(files, Unreadable):
        return Unreadable(f"the new revision's migrations: {files.reason}")
    rows = _rows(answers["recorded"])
    if isinstance(rows, Unreadable):
        return rows
    known = migrations.Migrations(files.revisions, files.nameless, rows)
    dropping = [one.id for one in known.pending if one.drops]
    pending = [one.id for one in known.pending]
    undone = [name for name in answers["lasting"].lines if name in pending]
    lasting = tuple(dict.fromkeys(dropping + undone))
    rivals = known.rivals if pending else ()
    return dataclasses.replace(
        found, pending=known.pending, recorded=rows, lasting=lasting, rivals=rivals
    )


def parse_django(answers: Mapping[str, Answer]) -> NewRevision | Unreadable:
    """Take the parts' answers apart where the migrations are Django's; their code is read later."""
    found = _beside(answers)
    if isinstance(found, Unreadable) or "files" not in answers:
        return found
    rows = _rows(answers["recorded"])
    if isinstance(rows, Unreadable):
        return rows
    known = migrations.of_django(answers["files"], rows)
    if isinstance(known, Unreadable):
        return Unreadable(f"the new revision's migrations: {known.reason}")
    return dataclasses.replace(
        found,
        pending=known.pending,
        recorded=rows,
        lasting=tuple(one.id for one in known.pending if one.drops),
        apps=release_django.way_back(known),
        rivals=known.rivals if known.pending else (),
    )


def _beside(answers: Mapping[str, Answer]) -> NewRevision | Unreadable:
    if "own" not in answers:
        return Unreadable("a part of the answer did not arrive")
    own = [line.partition(" ") for line in answers["own"].lines]
    return NewRevision(
        env_files=tuple(path for word, _, path in own if word == "held"),
        gone=tuple(path for word, _, path in own if word == "gone"),
        submodules="submodules" in answers and answers["submodules"].status == 0,
    )


def _rows(said: Answer) -> tuple[str, ...] | Unreadable | None:
    if said.status != 0:
        return Unreadable("what the database has recorded of migrations could not be read")
    return None if said.lines == ["#none"] else tuple(said.lines)
