"""The steps of a rotation, each one remote command that can be repeated after a killed run."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from relogin import database_url, shell
from relogin.facts.postgres_state import Server
from relogin.fault import Change
from relogin.operations import env_values, postgres_role, service_control
from relogin.rotating import Kind
from relogin.undo import place, run_id

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.env_file import EnvFileState
    from relogin.facts.observation import Observation
    from relogin.parts.configuration import EnvFile
    from relogin.rotating import Rotated
    from relogin.secret import Secret

_DEADLINE = 240
_FALLBACK = 86_400.0  # seconds for which a former secret stays, where no lifetime is known
_STORE = """\
set -e; umask 077
{place}mkdir -p "$kept"; chmod 700 "$kept"
under=$kept/under-way
"""
_BEGIN = """\
[ ! -d "$under" ] || {{ echo 'another rotation began meanwhile: run again'; exit 9; }}
rm -rf "$kept/new"; mkdir "$kept/new"
{values}
{new}
[ -s "$kept/new/new" ] || {{ echo 'no new value could be made'; exit 1; }}
sync; mv "$kept/new" "$under"; sync
"""
# 48 bytes, in letters that every reader and every URL has alike.
_MADE = "od -An -v -tx1 -N48 /dev/urandom | tr -d ' \\n' >\"$kept/new/new\""
_ENDED = """\
{retiring}printf '%s %s %s\\n' {number} "$(date +%s)" {run} >>"$kept/done"
sync; rm -rf "$under"
"""


def begin(
    backend: Backend, what: Rotated, *, number: int, former: str, token: Secret | None
) -> Change:
    """Note on the host what was, and the next value; it is made there, unless one is declared."""
    values = {"number": str(number), "phase": "forward", "former": former}
    values["token"] = token.reveal() if token else ""
    lines = [shell.fed(text, f'cat >"$kept/new/{name}"') for name, text in values.items()]
    declared = what.source.declared
    new = shell.fed(what.source.reveal(), 'cat >"$kept/new/new"') if declared else _MADE
    script = _store(backend, what.key) + _BEGIN.format(values="\n".join(lines), new=new)
    where = f"from {what.source!r}" if declared else "made on the host"
    return Change(script, f"note the new value of {what.key}, {where}")


def applied(
    backend: Backend, seen: Observation, what: Rotated, value: str, *, former: str | None
) -> Change:
    """Put a value in force: the env files, the role, a restart; in one remote command.

    Files come first: a backend whose run was cut off there still works with what it was started
    with, and is restored to the new value. `former` stays good beside it, where that is declared.

    Raises:
        ValueError: no form of the value is read alike by every reader.
    """
    changes = [*_files(backend, seen, what, value, former), *_role(backend, seen, what, value)]
    restart = service_control.released(backend, "restart")
    scripts = [change.script for change in changes] + [restart]
    why = ", ".join([*(change.why for change in changes), "restart"])
    return Change("".join(map(_one, scripts)), why, _DEADLINE)


def _one(script: str) -> str:
    """Run a script in a shell of its own; `set -e` holds there, as it does not before `||`."""
    return f'one() (\n{script}\n)\none\nrc=$?; [ "$rc" = 0 ] || exit "$rc"\n'


def _files(
    backend: Backend, seen: Observation, what: Rotated, value: str, former: str | None
) -> Iterator[Change]:
    for declared, state in env_values.readable(backend, seen):
        due = dict(_due(backend, declared, state, what, value, former))
        if due:
            yield env_values.written(backend, declared, state, due)


def _due(
    backend: Backend,
    declared: EnvFile,
    state: EnvFileState,
    what: Rotated,
    value: str,
    former: str | None,
) -> Iterator[tuple[str, str]]:
    """Give the keys of a file that are to be written, with their values."""
    found = state.value(what.key)
    if found is not None and what.of(found) != value:
        yield what.key, _with(what, found, value)
    listed = backend.token.former if backend.token else None
    if what.kind is Kind.TOKENS and listed is not None and listed.key in declared.keys:
        before = secrets_in(state.value(listed.key))
        after = [one for one in before if one != value]
        after = [former, *(one for one in after if one != former)] if former else after
        if before != after:
            yield listed.key, ",".join(after)


def _with(what: Rotated, found: str, value: str) -> str:
    if what.kind is not Kind.DATABASE or "://" not in found:
        return value
    address = database_url.parse(found)
    return database_url.build(dataclasses.replace(address, password=value))


def _role(backend: Backend, seen: Observation, what: Rotated, value: str) -> Iterator[Change]:
    server = seen.postgres
    if what.kind is not Kind.DATABASE or not isinstance(server, Server) or server.role is None:
        return
    if server.role.accepts(value) is not True:
        yield postgres_role.with_password(backend, seen, server.role.name, value)


def secrets_in(text: str | None) -> list[str]:
    """Give the former secrets of a list."""
    return [one for one in (text or "").split(",") if one]


def going_back(backend: Backend, key: str) -> str:
    """Give the lines that note that a rotation goes back, also for the next run."""
    return f'{_store(backend, key)}printf back >"$under/phase.new"\n' + (
        'mv "$under/phase.new" "$under/phase"; sync\n'
    )


def back(backend: Backend, seen: Observation, what: Rotated, former: str) -> Change:
    """Put the former value in force again."""
    change = applied(backend, seen, what, former, former=None)
    script = _one(going_back(backend, what.key)) + change.script
    return dataclasses.replace(change, script=script, why=f"go back: {change.why}")


def ended(
    backend: Backend,
    what: Rotated,
    *,
    number: int,
    retiring: Mapping[str, float] | None = None,
    counts: bool = True,
) -> Change:
    """Note that a rotation has ended; one that was taken back does not count.

    `retiring` are former secrets that stay good, and until when.
    """
    script = _store(backend, what.key)
    lines = "".join(f"{until:.0f} {_sum(one)}\n" for one, until in (retiring or {}).items())
    kept = shell.fed(lines, 'cat >>"$kept/retiring"') + "\n" if lines else ""
    if counts:
        script += _ENDED.format(retiring=kept, number=number, run=run_id())
    else:
        script += 'rm -rf "$under"\n'
    how = "note that it is done" if counts else "note that it was taken back"
    return Change(script, f"{what.key}: {how}")


def retired(backend: Backend, seen: Observation, what: Rotated, due: tuple[str, ...]) -> Change:
    """Take former secrets out whose tokens have all expired, and restart."""
    listed = backend.token.former if backend.token else None
    assert listed is not None  # noqa: S101 # else none was ever put there
    scripts = []
    for declared, state in env_values.readable(backend, seen):
        before = secrets_in(state.value(listed.key))
        after = [one for one in before if _sum(one) not in due]
        if before != after:
            values = {listed.key: ",".join(after)}
            scripts.append(env_values.written(backend, declared, state, values).script)
    if scripts:
        scripts.append(service_control.released(backend, "restart"))
    gone = " ".join(f"-e {one}" for one in due)
    scripts.append(
        f'{_store(backend, what.key)}grep -v {gone} "$kept/retiring" >"$kept/retiring.new" || :\n'
        'mv "$kept/retiring.new" "$kept/retiring"'
    )
    why = f"{listed.key}: take out what no token that is good was signed with"
    return Change("".join(map(_one, scripts)), why, _DEADLINE)


def until(backend: Backend, claims: Mapping[str, object]) -> float:
    """Give until when tokens of the former secret may be good (epoch seconds)."""
    declared = backend.token.lifetime if backend.token else None
    issued, expires = claims.get("iat"), claims.get("exp")
    if declared is None and isinstance(expires, int | float):
        began = issued if isinstance(issued, int | float) else time.time()
        declared = max(0.0, float(expires) - float(began))
    leeway = backend.token.leeway if backend.token else 0.0
    return time.time() + (_FALLBACK if declared is None else declared) + leeway


def _sum(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _store(backend: Backend, key: str) -> str:
    return _STORE.format(place=place(backend, f"rotate/{key}"))
