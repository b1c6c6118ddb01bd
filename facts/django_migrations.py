"""Django's migrations as the code has them, read as text: nothing of the backend is run.

A migration is named `app.name` (`orders.0002_order_paid`), as django_migrations records it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import compose_files, compose_script
from relogin.facts.revisions import Migrations, Revision, names
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.parts.database import Django
    from relogin.parts.runtime import Compose
    from relogin.remote import Answer


@dataclass(frozen=True)
class Found:
    """A migration's file: what it builds on, which ones it replaces (a squashed one).

    `makes` are the tables that it creates. `installed` is False where the settings do not name its
    application in so many words.
    """

    name: str
    needs: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    drops: bool = False
    installed: bool = True
    makes: tuple[str, ...] = ()

    @property
    def app(self) -> str:
        return self.name.partition(".")[0]


def script(declared: Django, venv: str | None) -> str:
    """Give the part of the look that lists the migrations: the project's own, and its libraries'.

    One line a file: name, what it builds on, what it replaces, a mark if it deletes, the tables
    that it makes; a dash before it where the settings do not name its application.
    """
    interpreter = shlex.split(declared.command)[0]
    if venv is None and interpreter.endswith("/bin/python"):
        venv = interpreter.removesuffix("/bin/python")
    return listed(shell.quote(declared.directory), shell.quote(venv or "/usr"))


def listed(directory: str, venv: str) -> str:
    """Give that part for a project and a virtual environment that are words of the shell."""
    return _SCRIPT.format(directory=directory, venv=venv)


def script_inside(declared: Django, part: Compose) -> str:
    """Give that part of the look where the project is in a container of the service.

    What runs is asked by its own shell. Of what does not stay up, or has no shell, the project's
    own files are copied: its libraries' applications are then out of sight.
    """
    interpreter, folder = shlex.split(declared.command)[0], shell.quote(declared.directory)
    asked = _SCRIPT.format(directory=folder, venv='"$prefix"')
    ask = shell.fed(
        _PREFIX.format(interpreter=shell.quote(interpreter)) + f"look() {{\n{asked}\n}}\nlook\n",
        'within 20 docker exec -i "$id" env LC_ALL=C sh -s',
    )
    read = _SCRIPT.format(directory=f'"$copied"{folder}', venv="/nosuch")
    copied = compose_files.with_copies(part, _COPIED.format(directory=folder) + read)
    filters = shell.words(compose_script.filters(part, part.service))
    return _INSIDE.format(filters=filters, ask=ask, copied=copied)


_PREFIX = """\
python=$(command -v {interpreter} || command -v python3 || command -v python)
prefix=${{python%/bin/*}}
"""
# 126 and 127: it has no shell; 1 is the engine's own: it does not run (docker exec, "Exit status").
_INSIDE = """\
id=$(docker ps -q {filters} | sed -n 1p); rc=1
if [ -n "$id" ]; then {ask}; rc=$?; fi
case $rc in 1 | 125 | 126 | 127) ;; 124 | 137) return 5 ;; *) return "$rc" ;; esac
{copied}"""
# A folder that is cut off would lack migrations that are there. GNU tar has to be told of patterns.
_COPIED = """\
mkdir -p "$copied"{directory}; wild=
case $(tar --version 2>/dev/null) in *GNU*) wild=--wildcards ;; esac
{{ within 20 docker cp "$id":{directory}/. - 2>/dev/null || : >"$copied/cut"; }} |
  tar -x -f - -C "$copied"{directory} $wild '*.py' 2>/dev/null
[ ! -e "$copied/cut" ] || return 2
"""
# The settings' module stands in manage.py, and a library's application counts where the settings'
# folder names it. The label is the folder's name, unless its apps.py says otherwise. A model's
# table is `label_model` unless db_table says otherwise (Django docs, "Model Meta options"); of one
# that is not managed, or is only noted in the state, a migration makes none.
_SCRIPT = """\
cd {directory} || return 2
[ -r manage.py ] || return 3
module=$(sed -n 's/.*DJANGO_SETTINGS_MODULE[^A-Za-z0-9_]*\\([A-Za-z0-9_.]*\\).*/\\1/p' manage.py |
  head -n 1 | tr . /)
case $module in */*) folder=${{module%/*}} ;; *) folder=. ;; esac
settings=$(cat "$folder"/*.py "$module"/*.py 2>/dev/null)
[ -n "$settings" ] || return 4
listed() {{
  dotted=$(printf %s "${{1#./}}" | tr / .)
  mark=-
  case $settings in
    *[\\"\\']"$dotted"[\\"\\']* | *[\\"\\']"$dotted".apps.*) mark= ;;
    *) [ "$own" ] || return 0 ;;
  esac
  label=$(sed -n 's/^ *label *= *[\\"\\x27]\\([^\\"\\x27]*\\).*/\\1/p' "$1/apps.py" 2>/dev/null)
  set -- "${{label:-${{1##*/}}}}" "$1"/migrations/*.py
  app=$1; shift
  [ -e "$1" ] || return 0
  awk -v app="$app" -v mark="$mark" '
function pairs(s, out, pair) {{
  while (match(s, /[(] *["\\047][^"\\047]+["\\047] *, *["\\047][^"\\047]+["\\047]/)) {{
    pair = substr(s, RSTART + 1, RLENGTH - 1); s = substr(s, RSTART + RLENGTH)
    gsub(/[ \\t"\\047]/, "", pair); sub(/,/, ".", pair); out = out "," pair
  }}
  return substr(out, 2)
}}
function quoted(s) {{
  sub(/^[^=:]*[=:] *["\\047]/, "", s); sub(/["\\047].*/, "", s); return s
}}
function close_model() {{
  if (model && table != "" && table !~ /[|,]/) made = made "," table
  model = 0; table = ""
}}
function say() {{
  close_model(); if (noted) made = ""
  if (is) print mark app "." name "|" v["dependencies"] "|" v["replaces"] "|" drops "|" made
  split("", v); drops = ""; is = 0; key = ""; made = ""; noted = 0
}}
FNR == 1 {{ say(); name = FILENAME; sub(/.*\\//, "", name); sub(/[.]py$/, "", name) }}
/^class Migration\\(/ {{ is = 1 }}
{{ sub(/[ \\t]#.*/, ""); gsub(/\\t/, " ") }}
/^[ \\t]+(dependencies|replaces)[ \\t]*(:[^=]*)?=/ {{ key = $1; sub(/[:=].*/, "", key); text = "" }}
key != "" {{ text = text $0; v[key] = pairs(text); if (/\\]/) key = "" }}
/(DeleteModel|RemoveField)[(]/ {{ drops = "!" }}
/migrations[.][A-Z][A-Za-z]*[(]/ {{ close_model() }}
/CreateModel[(]/ {{ close_model(); model = 1; sub(/.*CreateModel[(]/, "") }}
model && table == "" && /^ *name *= *["\\047]/ {{ table = app "_" tolower(quoted($0)) }}
model && /["\\047]db_table["\\047] *:/ {{
  sub(/.*["\\047]db_table["\\047]/, ""); table = quoted($0)
}}
model && /["\\047]managed["\\047] *: *False/ {{ model = 0 }}
/state_operations/ {{ noted = 1 }}
{{ code = tolower($0)
  if (code ~ /drop +(table|column|schema)|truncate |delete +from|[.]delete[(]/) drops = "!" }}
END {{ say() }}' "$@" 2>/dev/null || return 5
}}
venv={venv} own=yes
for site in . "$venv"/lib/python3*/site-packages; do
  cd "$site" 2>/dev/null || continue
  for one in $(find . -maxdepth 5 -path "./${{venv##*/}}" -prune -o -type d -name migrations -print)
  do listed "${{one%/migrations}}" || return 5; done
  own=
done"""


def read(lines: Iterable[str]) -> list[Found]:
    """Take the lines apart."""
    found = []
    for line in lines:
        name, needs, replaces, drops, makes = line.removeprefix("-").split("|")
        kept = (one for one in names(needs) if not one.endswith((".__first__", ".__latest__")))
        found.append(
            Found(
                name,
                tuple(kept),
                names(replaces),
                drops=drops == "!",
                installed=not line.startswith("-"),
                makes=names(makes),
            )
        )
    return found


def in_force(found: Iterable[Found], recorded: Iterable[str]) -> list[Found]:
    """Leave out what Django leaves out: squashed or replaced ones, applications not installed.

    A squashed migration stands for those that it replaces, until some of them alone were run
    (Django docs, "Squashing migrations").
    """
    known = set(recorded)
    used = {name.partition(".")[0] for name in known}
    files = [one for one in found if one.installed or one.app in used]
    gone: set[str] = set()
    for one in files:
        replaced = set(one.replaces)
        run = known & replaced
        if run and one.name not in known:
            gone.add(one.name)
        if one.name in known or run in (set(), replaced):
            gone |= replaced
    return [one for one in files if one.name not in gone]


def unknown(found: Iterable[Found], recorded: Iterable[str]) -> list[str]:
    """Give recorded migrations that are newer than the code: beyond the last file's number.

    Older ones without a file are what squashing leaves behind, which Django does not mind.
    """
    every = list(found)
    names = {name for one in every for name in (one.name, *one.replaces)}
    last: dict[str, int] = {}
    for name in names:
        app = name.partition(".")[0]
        last[app] = max(last.get(app, 0), _number(name))
    return [
        name
        for name in recorded
        if name not in names and _number(name) > last.get(name.partition(".")[0], 10**9)
    ]


def of_files(answer: Answer, recorded: tuple[str, ...] | None) -> Migrations:
    """Take apart what the files say, beside what the database has recorded (None: no table)."""
    found = read(line for line in answer.lines if line)
    used = in_force(found, recorded or ())
    # What an application outside of our sight has, another one's migration may build on.
    apps, skipped = {one.app for one in used}, {one.name for one in found}
    skipped |= {name for one in found for name in one.replaces}
    skipped -= {one.name for one in used}
    return Migrations(
        tuple(
            Revision(
                one.name,
                tuple(n for n in one.needs if n.startswith(f"{one.app}.") and n not in skipped),
                tuple(
                    n
                    for n in one.needs
                    if n.partition(".")[0] in apps - {one.app} and n not in skipped
                ),
                one.drops,
                one.makes,
            )
            for one in used
        ),
        recorded=recorded,
        each=True,
        ahead=tuple(unknown(found, recorded or ())),
    )


def _number(name: str) -> int:
    found = re.match(r"[^.]*\.(\d+)", name)
    return int(found[1]) if found else 0
