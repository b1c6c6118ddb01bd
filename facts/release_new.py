"""What a fetched revision brings: migrations, those that cannot be undone, env files of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relogin import git, remote, shell, sql
from relogin.facts import migrations, postgres
from relogin.finding import Unreadable
from relogin.parts.runtime import Compose

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
      printf '%s\\n' "$each"
  fi
done"""


@dataclass(frozen=True)
class NewRevision:
    """What it brings: revisions of the schema that the database has not, and which of them last.

    `recorded` is what the database has recorded (None: nothing). `lasting` are the ids that no
    downgrade undoes, or that delete what is there. `env_files` are declared env files that the
    revision itself holds, and with another text than the host; `submodules` that it has some.
    """

    pending: tuple[Revision, ...] = ()
    recorded: tuple[str, ...] | None = None
    lasting: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    submodules: bool = False

    @property
    def undone(self) -> str:
        """Give the revision that the schema goes back to; '' where there is no single one."""
        return self.recorded[0] if self.recorded and len(self.recorded) == 1 else ""


def look(
    host: Host, backend: Backend, source: Source, stage: str, new: str, target: Target | None
) -> NewRevision | Unreadable:
    """Look at the stage of a fetched revision, and at what the database has recorded."""
    answers = remote.ask(host, scripts(backend, source, stage, new, target), deadline=DEADLINE)
    return answers if isinstance(answers, Unreadable) else parse(answers)


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
    declared = backend.migrations
    folder = declared.directory
    if isinstance(backend.service, Compose) or not f"{folder}/".startswith(top):
        folder = "/nosuch" if isinstance(backend.service, Compose) else folder
    else:
        folder = f"{stage}/{f'{folder}/'.removeprefix(top)}".rstrip("/")
    config = migrations.config(declared.command).rpartition("/")[2]
    found = _FOLDER.format(
        folder=shell.quote(folder), stage=shell.quote(stage), config=shell.quote(config)
    )
    parts["files"] = found + migrations.script("$folder", declared.command, quoted=True)
    parts["lasting"] = found + _LASTING
    parts["recorded"] = _recorded(backend, target)
    return parts


def _recorded(backend: Backend, target: Target) -> str:
    assert backend.database is not None and backend.migrations is not None  # noqa: S101, PT018
    admin = backend.database.admin
    if admin is None:
        return "return 7"
    table = sql.name(backend.database.schema, backend.migrations.version_table)
    there = f"select to_regclass({sql.literal(table)}) is not null as there \\gset\n"
    rows = f"\\if :there\nselect version_num from {table};\n\\else\n\\echo '#none'\n\\endif\n"
    psql = postgres.admin_command(
        admin,
        port=target.port,
        host=target.host,
        database=target.database,
        service=backend.service,
    )
    return sql.psql(there + rows, command=psql)


def parse(answers: Mapping[str, Answer]) -> NewRevision | Unreadable:
    """Take the parts' answers apart."""
    if "own" not in answers:
        return Unreadable("a part of the answer did not arrive")
    found = NewRevision(
        env_files=tuple(answers["own"].lines),
        submodules="submodules" in answers and answers["submodules"].status == 0,
    )
    if "files" not in answers:
        return found
    files = migrations.of_files(answers["files"])
    if isinstance(files, Unreadable):
        return Unreadable(f"the new revision's migrations: {files.reason}")
    said = answers["recorded"]
    if said.status != 0:
        return Unreadable("what the database has recorded of migrations could not be read")
    rows = None if said.lines == ["#none"] else tuple(said.lines)
    known = migrations.Migrations(files.revisions, files.nameless, rows)
    dropping = [one.id for one in known.pending if one.drops]
    pending = [one.id for one in known.pending]
    undone = [name for name in answers["lasting"].lines if name in pending]
    lasting = tuple(dict.fromkeys(dropping + undone))
    return dataclasses.replace(found, pending=known.pending, recorded=rows, lasting=lasting)
