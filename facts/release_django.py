"""What a revision's Django migrations do that cannot be undone: their files, read as text.

RunPython and RunSQL have a way back only where they are given one (Django docs, "Migration
Operations"). A file that this Python cannot read counts as one without.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import alone

if TYPE_CHECKING:
    from relogin.facts.revisions import Migrations
    from relogin.remote import Answer

_WAY_BACK = {"RunPython": "reverse_code", "RunSQL": "reverse_sql"}
# An application's label is its folder's name, unless its apps.py says otherwise.
_CODE = """\
cd "$folder" || return 2
for wanted in {names}; do
  for site in . "$venv"/lib/python3*/site-packages; do
    find "$site" -maxdepth 7 -path "*/migrations/${{wanted#*.}}.py" 2>/dev/null
  done | while IFS= read -r file; do
    app=${{file%/migrations/*}}
    label=$(sed -n 's/^ *label *= *["\\x27]\\([^"\\x27]*\\).*/\\1/p' "$app/apps.py" 2>/dev/null)
    [ "${{label:-${{app##*/}}}}" != "${{wanted%%.*}}" ] || part "$wanted" cat "$file"
  done
done"""


def code(names: Iterable[str]) -> str:
    """Give the lines that show the files of these migrations, from `$folder` and `$venv`."""
    return _CODE.format(names=shell.words(names) or "''")


def lasting(pending: Sequence[str], answer: Answer) -> tuple[str, ...]:
    """Give those of the pending migrations that have no way back, or whose file was not seen."""
    files: Mapping[str, Answer] = alone.answers(answer.lines) if answer.status == 0 else {}
    return tuple(
        name
        for name in pending
        if name not in files or _lasts(files[name].text.decode("utf-8", "replace"))
    )


def _lasts(text: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return any(_one_way(node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def _one_way(call: ast.Call) -> bool:
    keyword = _WAY_BACK.get(getattr(call.func, "attr", getattr(call.func, "id", "")))
    if keyword is None:
        return False
    given = [*call.args[1:2], *(one.value for one in call.keywords if one.arg == keyword)]
    return not given or (isinstance(given[0], ast.Constant) and given[0].value is None)


def way_back(known: Migrations) -> str:
    """Give where each application that has something pending goes back to; '' if that is not known.

    Words such as `orders.0002_paid`, or `shop.zero` for one of which nothing was ever run.
    """
    recorded = set(known.recorded or ())
    below = {
        down
        for one in known.revisions
        if one.id in recorded
        for down in one.down
        if down in recorded
    }
    words = []
    for app in sorted({one.id.partition(".")[0] for one in known.pending}):
        mine = [one.id for one in known.revisions if one.id in recorded and _is_of(one.id, app)]
        last = [name for name in mine if name not in below]
        if not mine and not any(_is_of(name, app) for name in recorded):
            last = [f"{app}.zero"]
        if len(last) != 1:
            return ""
        words += last
    return " ".join(words)


def _is_of(name: str, app: str) -> bool:
    return name.partition(".")[0] == app
