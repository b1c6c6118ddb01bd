"""The record of a release: per host and backend, its checks, its steps, and what it came to."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from relogin import checkout, run
from relogin.facts import release
from relogin.finding import Unreadable

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.proof import Check
    from relogin.facts.release_state import ReleaseState
    from relogin.parts.source import Source


class Outcome(enum.Enum):
    """What a release came to."""

    NONE = "not known"
    REFUSED = "refused before anything was changed"
    PLANNED = "planned"
    ALREADY = "already runs, and is proven"
    RELEASED = "released and proven"
    BACK = "taken back"
    NEITHER = "neither the new nor the former revision is proven"
    UNKNOWN = "its outcome is not known"


GOOD = frozenset({Outcome.PLANNED, Outcome.ALREADY, Outcome.RELEASED})


@dataclasses.dataclass(repr=False)
class Releasing:
    """What is known of the release of one backend on one host.

    `revision` is what was asked for, `state` what the host said of it, `checks` what was looked at
    before. `failed` is the step that failed, and `plan` what would be done.
    """

    entry: run.Entry
    revision: str
    checks: tuple[Check, ...] = ()
    plan: tuple[str, ...] = ()
    state: ReleaseState | None = None
    outcome: Outcome = Outcome.NONE
    failed: str = ""

    @property
    def source(self) -> Source | None:
        return self.entry.backend.source

    def look(self, host: Host, seen: Observation) -> bool:
        """Look at the tree and the last release; tell whether that could be done."""
        assert self.source is not None  # noqa: S101 # only asked with one
        commit = checkout.commit(self.source, self.revision)
        if isinstance(commit, Unreadable):
            self.entry.halted = commit.reason
            return False
        found = release.look(
            host, self.entry.backend, self.source, seen, revision=self.revision, commit=commit
        )
        if isinstance(found, Unreadable):
            self.entry.halted = self.entry.halted or found.reason
            return False
        self.state = found
        return True


class _InOrder(set[Any]):
    """Hosts in the order of the inventory, where pyinfra's own set has none."""

    def __init__(self, hosts: Iterable[Host], names: Sequence[str]) -> None:
        super().__init__(hosts)
        self._at = {name: number for number, name in enumerate(names)}

    def __iter__(self) -> Iterator[Host]:
        return iter(sorted(super().__iter__(), key=lambda host: self._at[host.name]))


def in_order(state: State) -> None:
    """Have pyinfra work on one host after another as the inventory lists them, the first one first.

    A serial operation takes the hosts as they come out of a set: in another order each time.
    """
    if not isinstance(state.active_hosts, _InOrder):  # each host's deploy asks for it
        state.active_hosts = _InOrder(state.active_hosts, list(state.inventory.hosts))


def of(state: State, host: Host, backend: Backend) -> Releasing:
    """Give the record that belongs to one backend on one host."""
    releases = run.of(state).releases
    key = host.name, backend.name
    if key not in releases:
        declared = backend.source.revision if backend.source else ""
        wanted = str(host.data.get("revision") or declared)
        releases[key] = Releasing(run.Entry(host.name, backend), wanted)
    return releases[key]


def stopped(state: State) -> str:
    """Give the host and backend whose release failed before; '' where none did."""
    bad = {Outcome.REFUSED, Outcome.BACK, Outcome.NEITHER, Outcome.UNKNOWN}
    for (host, backend), one in run.of(state).releases.items():
        if one.outcome in bad:
            return f"{host} · {backend}"
    return ""
