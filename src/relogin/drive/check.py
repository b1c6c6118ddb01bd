"""A check of an inventory and its descriptions: all that can be told without a connection."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyinfra.context import ctx_host
from pyinfra_cli import inventory as loading

from relogin.backend import Backend
from relogin.deploys.backends import each_backend
from relogin.drive import session
from relogin.errors import UsageError
from relogin.parts import mistakes
from relogin.redaction import redact
from relogin.secret import Secret
from relogin.unfit import problems
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

_Line = dict[str, None]  # lines in order, each once: a thousand hosts share one description


@dataclass(frozen=True)
class Checked:
    """What was found: the mistakes, what is declared but is not here, and who has which backend.

    `unused` are groups that have a backend, and no host.
    """

    hosts: int
    mistakes: tuple[str, ...]
    missing: tuple[str, ...]
    backends: dict[str, tuple[str, ...]]
    unused: tuple[str, ...]


def check(options: session.Options, *, secrets: bool) -> Checked:
    """Load every file and judge every description; with `secrets`, ask their sources as well."""
    with mistakes.collected() as found, _each_file(found, but=Path(options.inventory)):
        try:
            with session.in_one_line():
                state, chosen = session.load(options)
        except (UsageError, UnicodeDecodeError) as error:
            return Checked(0, _once(found or [_said(options.inventory, error)]), (), {}, ())
    lines = dict.fromkeys(sorted(found, key=_by_place))
    for host in chosen:
        lines |= dict.fromkeys(_contradictions(host, told=bool(found)))
    missing, backends = _described(chosen, problems if secrets else _absent)
    return Checked(len(chosen), _once(lines), _once(missing), backends, _unused(state))


@contextlib.contextmanager
def _each_file(found: list[str], *, but: Path) -> Iterator[None]:
    """Let a file that cannot be loaded, of all `but` the inventory, not end the check of others."""
    execute: Callable[..., dict[str, Any]] = loading.exec_file

    def tolerant(filename: str, **how: Any) -> dict[str, Any]:
        if Path(filename) == but:
            return execute(filename, **how)
        before = len(found)
        try:
            with session.in_one_line():
                return execute(filename, **how)
        except (UsageError, UnicodeDecodeError) as error:
            if len(found) == before:  # else that may follow from a mistake that was told
                found.append(_said(filename, error))
        return {}

    loading.exec_file = tolerant
    try:
        yield
    finally:
        loading.exec_file = execute


def _said(filename: str, error: Exception) -> str:
    return f"{filename}: {error}" if isinstance(error, UnicodeDecodeError) else str(error)


def _contradictions(host: Host, *, told: bool) -> Iterator[str]:
    """Give what a host's backends contradict each other in, or the catalogue.

    Where mistakes are told already, that a host has no backend may follow from them.
    """
    if any(mistakes.mistaken(value) for value in host.data.dict().values()):
        return
    ctx_host.set(host)
    try:
        list(each_backend())
    except UsageError as error:
        if not (told and "holds a Backend" in str(error)):
            yield str(error)
    finally:
        ctx_host.reset()


def _described(
    chosen: list[Host], judged: Callable[[Backend], tuple[str, ...]]
) -> tuple[_Line, dict[str, tuple[str, ...]]]:
    missing: _Line = {}
    having: dict[str, list[str]] = {}
    for host in chosen:
        for value in host.data.dict().values():
            if isinstance(value, Secret) and (absent := value.absent()):
                missing[f"{host.name}: {absent}"] = None
            if not isinstance(value, Backend) or mistakes.mistaken(value):
                continue
            if value.name not in having:
                having[value.name] = []
            having[value.name].append(host.name)
            missing |= {f"{value.name}: {one}": None for one in judged(value)}
            missing |= {f"{value.name}: {one}": None for one in _files(value)}
    return missing, {name: tuple(hosts) for name, hosts in having.items()}


def _absent(backend: Backend) -> tuple[str, ...]:
    return tuple(absent for one in backend.secrets() if (absent := one.absent()))


def _files(backend: Backend) -> Iterator[str]:
    """Give the files of this machine that a description names, and that are not here."""
    login, database, source = backend.login, backend.database, backend.source
    baseline = database.health.baseline if database else None
    if login and login.ca and not os.access(login.ca, os.R_OK):
        yield f"Login: ca {login.ca} cannot be read"
    if baseline and not os.access(baseline, os.R_OK):
        yield f"Health: baseline {baseline} cannot be read; --data learn={baseline} writes it"
    if source and source.checkout and not Path(source.checkout).is_dir():
        yield f"Source: checkout {source.checkout} is no folder here"


def _unused(state: State) -> tuple[str, ...]:
    inventory = state.inventory
    used = {group for host in inventory for group in host.groups}
    having = (
        name
        for name, data in inventory.group_data.items()
        if any(isinstance(one, Backend) for one in data.values())
    )
    return tuple(sorted(set(having) - used))


def _by_place(line: str) -> list[str]:
    """Have line 10 of a file behind its line 9."""
    return [f"{int(one):9}" if one.isdecimal() else one for one in re.split(r"(\d+)", line)]


def _once(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(redact(line) for line in lines))
