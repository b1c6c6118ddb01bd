"""Which backends a deploy works on: every one of a host's data, narrowed by `--data`; its look."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from pyinfra import host as current_host
from pyinfra import inventory, logger, state
from pyinfra.context import ctx_inventory

from relogin.backend import Backend
from relogin.mend import given, observe, tell_why_halted
from relogin.parts.part import suggest

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.facts.observation import Observation
    from relogin.run import Entry

_known: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()  # by inventory


def each_backend() -> Iterator[Backend]:
    """Give this host's backends, at the same place of the loop on every host.

    pyinfra matches operations in a loop by call site and position, so a bare `for` over a host's
    own list would mix hosts up: the loop goes through the sorted names of all hosts.

    Raises:
        UsageError: two backends of one name, or `--data backend=…` names none.
    """
    mine = backends(current_host)
    union = _names(mine)
    wanted = current_host.data.get("backend")
    if wanted is not None and wanted not in union:
        _refuse(f"--data backend={wanted}: no host has it{suggest(str(wanted), union)}")
    if not union:
        _refuse("no host's data holds a Backend; describe one in inventories/group_data/<group>.py")
    _refuse_unknown_faults(mine.values())
    for name in current_host.loop(union):
        if name in mine and wanted in {None, name}:
            yield mine[name]


def _names(mine: Collection[str]) -> list[str]:
    """Give the sorted names of all hosts' backends, which are looked up once for an inventory.

    A deploy may add one to its host's data while it runs.
    """
    real = ctx_inventory.get()
    if real not in _known or not _known[real] >= set(mine):
        _known[real] = {name for host in real for name in backends(host)}
    return sorted(_known[real])


def each_database() -> Iterator[Backend]:
    """Give those of this host's backends that declare a database, and say of which none is.

    Raises:
        UsageError: as `each_backend` does.
    """
    for backend in each_backend():
        if backend.database is None:
            current_host.log_styled(
                f"{backend.name}: no database is declared", log_func=logger.info
            )
        else:
            yield backend


def looked(record: Entry) -> Observation | None:
    """Give the look of a deploy that registers no operation; None where the host has failed."""
    seen = observe(record)
    if seen is None:
        tell_why_halted(record)
        state.failed_hosts.add(current_host)  # pyinfra exits with 1; its own way would prompt
    return seen


def _refuse_unknown_faults(mine: Collection[Backend]) -> None:
    """Refuse layers and faults that do not exist, or twice: a misspelt one narrows nothing."""
    own = [(one, fault.id) for one in mine for fault in one.faults]
    accepted = [(f"{one!r}: accepted", fault) for one in mine for fault in one.accepted]
    if not (own or accepted or given("only") or given("skip")):
        return  # the catalogue takes a while to load
    from relogin.operations.catalogue import FAULTS

    catalogue = [fault.id for fault in FAULTS]
    for one, fault in own:
        if fault in catalogue:
            _refuse(f"{one!r}: fault {fault!r} is in the catalogue already; give yours another id")
    known = [*catalogue, *(fault for _, fault in own)]
    layers = list(dict.fromkeys(fault.partition(".")[0] for fault in known))
    for layer in given("only"):
        if layer not in layers:
            _refuse(f"--data only={layer}: there is no such layer{suggest(layer, layers)}")
    for where, fault in [*(("--data skip", fault) for fault in given("skip")), *accepted]:
        if fault not in known:
            alike = [one for one in known if one.startswith(f"{fault.partition('.')[0]}.")]
            _refuse(f"{where}={fault}: there is no such fault{suggest(fault, alike or layers)}")


def backends(host: Host) -> dict[str, Backend]:
    """Give the backends in a host's data by their names."""
    _refuse_variables_of_two_groups(host)
    found: dict[str, Backend] = {}
    for variable, value in host.data.dict().items():
        if not isinstance(value, Backend):
            continue
        if value.name in found:
            _refuse(f"{host.name} has two backends named {value.name!r} (one is in {variable})")
        found[value.name] = value
    return found


def _refuse_variables_of_two_groups(host: Host) -> None:
    """Refuse what pyinfra would resolve by silently taking the last group's."""
    seen: dict[str, str] = {}
    for group in dict.fromkeys(host.groups):  # pyinfra names the groups of an @ host twice
        for variable, value in _group_data(group).items():
            if not isinstance(value, Backend):
                continue
            if variable in seen:
                _refuse(
                    f"{host.name}: {variable} is declared by group {seen[variable]} and by group "
                    f"{group}; give one of them another variable name"
                )
            seen[variable] = group


def _group_data(group: str) -> dict[str, Any]:
    data: dict[str, Any] = inventory.get_group_data(group)
    return data


def _refuse(problem: str) -> None:
    from relogin.errors import UsageError

    raise UsageError(problem)
