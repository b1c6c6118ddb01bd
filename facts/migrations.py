"""Revisions of the schema: those of the code, and those that the database has recorded.

Nothing of the backend is run for it: the revision files are read as text (`alembic heads` takes a
second, and needs a virtual environment that is sound).
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import shell, sql
from relogin.facts import alone, compose_files, django_migrations, postgres
from relogin.facts.revisions import Migrations, Revision, names
from relogin.finding import Unreadable
from relogin.parts.database import Django

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.parts.database import Alembic
    from relogin.parts.runtime import Compose, Venv
    from relogin.remote import Answer


def script_of(declared: Alembic | Django, venv: Venv | None, inside: Compose | None = None) -> str:
    """Give the part of the look that lists the revision files of a backend."""
    if isinstance(declared, Django):
        if inside is not None:
            return django_migrations.script_inside(declared, inside)
        return django_migrations.script(declared, venv.path if venv else None)
    return script(declared.directory, declared.command, inside)


def script(
    directory: str, command: str, inside: Compose | None = None, *, quoted: bool = False
) -> str:
    """Give the part of the look that lists the revision files' ids.

    One line a file: id, what it builds on, what it depends on, and a mark if its upgrade deletes.
    The files may be `inside` a project's container: then they are copied to be read. A directory
    that is `quoted` is a word of the shell already.
    """
    named = config(command)
    if inside is None:
        where = f'"{directory}"' if quoted else shell.quote(directory)
        enter = f"cd {where} || return 2\nroot="
        return _SCRIPT.format(enter=enter, config=shell.quote(named), fetch="")
    folder = shell.quote(directory.rstrip("/"))
    named = shell.quote(posixpath.relpath(posixpath.join(directory, named), directory))
    enter = _ENTER_COPY.format(directory=folder, config=named)
    body = _SCRIPT.format(enter=enter, config=named, fetch=_FETCH.format(directory=folder))
    return compose_files.with_copies(inside, body)


def config(command: str) -> str:
    """Give the configuration file that the command names (alembic's -c), or the usual one."""
    words = shlex.split(command)
    for option in ("-c", "--config"):
        if option in words[:-1]:
            return words[words.index(option) + 1]
    return "alembic.ini"


_ENTER_COPY = """\
fetch {directory}/{config} || fetch {directory}/pyproject.toml || return 3
root=$copied; cd "$root"{directory} || return 2"""
_FETCH = """\
  case $folder in /*) ;; *) folder={directory}/$folder ;; esac
  fetch "$folder" || return 4
  folder=$root$folder
"""
_SCRIPT = """\
{enter}
config={config}; [ -e "$config" ] || config=pyproject.toml
[ -r "$config" ] || return 3
case $config in */*) here=${{config%/*}} ;; *) here=. ;; esac
said() {{
  sed -n "/^[[:space:]]*$1[[:space:]]*=[[:space:]]*/{{s///; y/:;/  /; s/[]\\"'[,]//g
    s#%(here)s#$here#g; $2p; q;}}" "$config"
}}
folders=$(said version_locations)
[ -n "$folders" ] || folders=$(said script_location 'y# #/#; ')/versions
for folder in $folders; do
{fetch}  [ -r "$folder" ] && [ -x "$folder" ] || return 4
  set -- "$folder"/*.py
  [ -e "$1" ] || continue
  awk -v "root=$root" '
function ids(s, out) {{
  while (match(s, /["\\047][^"\\047]+["\\047]/)) {{
    out = out "," substr(s, RSTART + 1, RLENGTH - 2); s = substr(s, RSTART + RLENGTH)
  }}
  return substr(out, 2)
}}
function say() {{
  if (v["revision"] != "") print v["revision"] "|" v["down_revision"] "|" v["depends_on"] "|" drops
  else if (file != "" && file !~ /\\/(__init__|[.]#)[^\\/]*$/) print "?" file
  split("", v); drops = ""; up = 0; unclosed = 0
}}
FNR == 1 {{
  say(); file = FILENAME
  if (root != "" && index(file, root) == 1) file = substr(file, length(root) + 1)
}}
{{ sub(/[ \\t]#.*/, "") }}
unclosed {{ text = text $0; v[key] = ids(text); if (/[])]/) unclosed = 0; next }}
/^(revision|down_revision|depends_on)[ \\t]*[:=]/ {{
  key = $1; sub(/[:=].*/, "", key); text = $0; sub(/^[^=]*=/, "", text)
  v[key] = ids(text); unclosed = text ~ /[[(][^])]*$/
}}
/^def / {{ up = /^def upgrade/ }}
up {{
  code = tolower($0)
  if (code ~ /drop_(table|column)|drop +(table|column|schema)|truncate/) drops = "!"
  if (code ~ /delete +from|[.]delete[(]/) drops = "!"
}}
END {{ say() }}' "$@" 2>/dev/null || return 5
done"""
_REASONS = {
    compose_files.NO_CONTAINER: "there is no container of the backend, in which they would be",
    2: "the folder that the profile names for migrations cannot be entered",
    3: "there is no configuration of Alembic that could be read",
    4: "the folder of the revision files is not where Alembic's configuration says, or is closed",
}
_REASONS_DJANGO = {
    compose_files.NO_CONTAINER: _REASONS[compose_files.NO_CONTAINER],
    2: "the folder that the profile names for migrations cannot be entered",
    3: "there is no manage.py that could be read",
    4: "the settings that manage.py names could not be read",
}


def select(backend: Backend) -> str:
    """Give the statements that fetch what the database has recorded, for the look's session.

    Alembic keeps it in the first schema of the search path unless told otherwise.
    """
    return "" if backend.migrations is None else sql.fill(_SELECT, **_named(backend))


def changed_since(backend: Backend, recorded: Sequence[str] | None) -> str:
    """Give the query that tells whether something else is recorded by now: t, f, or nothing."""
    seen = f"array[{', '.join(map(sql.literal, recorded or ()))}]::text[]"
    return sql.fill(_CHANGED, seen=seen, **_named(backend))


def _named(backend: Backend) -> dict[str, str]:
    assert backend.migrations is not None  # noqa: S101 # else there is no such table
    schema = backend.database.schema if backend.database else "public"
    table = backend.migrations.version_table
    each = "app || ''.'' || name" if isinstance(backend.migrations, Django) else "version_num"
    return {"schema": sql.literal(schema), "table": sql.literal(table), "each": each}


# It is said first whether there is such a table: one that is locked is not taken for one that is
# missing, and neither is an answer that breaks off before. (psql's \gexec passes over a NULL.)
_SELECT = """\
select format('select jsonb_build_object(''part'', ''version_table'', ''there'', %L::bool)',
 q is not null), q from (select (select format('select jsonb_build_object(''part'', ''recorded'',
 ''rows'', coalesce(jsonb_agg(:each:), ''[]'')) from %I.%I', nspname, relname)
 from pg_class join pg_namespace n on n.oid = relnamespace
 where relname = :table: and relkind = 'r' and nspname in (:schema:, 'public')
 order by nspname = :schema: desc limit 1) q) x \\gexec
"""
_CHANGED = """\
select format('select not (now @> %L and now <@ %L) from
 (select coalesce(array_agg((:each:)::text), ''{}'') now from %I.%I) x', v, v, nspname, relname)
 from (select :seen: v) seen, pg_class join pg_namespace n on n.oid = relnamespace
 where relname = :table: and relkind = 'r' and nspname in (:schema:, 'public')
 order by nspname = :schema: desc limit 1 \\gexec
"""


def parse(
    answer: Answer, of_database: Answer, declared: Alembic | Django | None = None
) -> Migrations | Unreadable:
    """Take both answers apart: that of the files, and that of the database's part."""
    django = isinstance(declared, Django)
    files = _of_status(answer, _REASONS_DJANGO) if django else of_files(answer)
    if isinstance(files, Unreadable):
        return files
    by_part = postgres.rows(of_database)
    if "tables" not in by_part:
        return Unreadable("the database could not be entered")
    if "version_table" not in by_part:
        return Unreadable("the answer breaks off before the table of recorded revisions")
    if by_part["version_table"]["there"] and "recorded" not in by_part:
        return Unreadable("the table of recorded revisions could not be read (is it locked?)")
    recorded = tuple(by_part["recorded"]["rows"]) if "recorded" in by_part else None
    if files is None:
        return django_migrations.of_files(answer, recorded)
    return Migrations(files.revisions, files.nameless, recorded)


def _of_status(answer: Answer, reasons: Mapping[int, str]) -> Unreadable | None:
    if answer.status == 0:
        return None
    return Unreadable(reasons.get(answer.status, "the revision files could not be read"))


def of_files(answer: Answer) -> Migrations | Unreadable:
    """Take apart what the files of Alembic say."""
    if (unseen := _of_status(answer, _REASONS)) is not None:
        return unseen
    lines = [line for line in answer.lines if line]
    nameless = tuple(line[1:] for line in lines if line.startswith("?"))
    return Migrations(tuple(_revision(line) for line in lines if line[0] != "?"), nameless)


def of_django(answer: Answer, recorded: tuple[str, ...] | None) -> Migrations | Unreadable:
    """Take apart what the files of Django say, beside what the database has recorded."""
    unseen = _of_status(answer, _REASONS_DJANGO)
    return unseen or django_migrations.of_files(answer, recorded)


def _revision(line: str) -> Revision:
    name, down, depends, drops = line.split("|")
    return Revision(name, names(down), names(depends), drops=drops == "!")


class Revisions(FactBase[Any]):
    """Give the ids of an Alembic project's revisions and its heads, as its files have them.

    + directory: the folder with alembic.ini
    + command: how migrations are run; only its -c is looked at
    """

    def command(self, directory: str, command: str = "alembic upgrade head") -> StringCommand:
        return alone.command({"migrations": script(directory, command)})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "migrations", _alone)


def _alone(answer: Answer) -> Any:
    files = of_files(answer)
    if isinstance(files, Unreadable):
        return files
    return {"heads": list(files.heads), "revisions": list(files.ids)}
