"""A run as plain data: what `--json` writes and the history keeps, redacted.

Its form is that of report/run.schema.json; `version` is raised when a field changes its meaning.
"""

from __future__ import annotations

import functools
import getpass
import os
import socket
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import TYPE_CHECKING, Any

from relogin import outcome
from relogin.failures import LEFT_ALONE
from relogin.finding import Finding, Severity
from relogin.redaction import redact
from relogin.report.ranking import ranked, traced

if TYPE_CHECKING:
    from pyinfra.api.state import State

    from relogin.facts.proof import Check, Proof
    from relogin.run import Done, Entry, Run

VERSION = 1


def document(record: Run, state: State | None = None) -> dict[str, Any]:
    """Give a whole run; with its pyinfra state also the hosts that were not reached."""
    entries = [*record.entries.values(), *(one.entry for one in record.undoings.values())]
    entries += [one.entry for one in record.releases.values()]
    entries += [one.entry for one in record.backings.values()]
    of_host: dict[str, list[Entry]] = {}
    for one in entries:
        of_host.setdefault(one.host, []).append(one)
    hosts = [_host(name, mine, record) for name, mine in of_host.items()]
    told = {one["host"] for one in hosts}
    missed = [_unreached(name, record) for name in _unreached_hosts(state, told)]
    return _document(record, [*hosts, *missed], seconds=record.seconds)


def part(record: Run, entry: Entry) -> dict[str, Any]:
    """Give what is known by now of one backend, while the run goes on."""
    return _document(record, [_host(entry.host, [entry], record)], seconds=None)


def _document(record: Run, hosts: list[dict[str, Any]], *, seconds: float | None) -> dict[str, Any]:
    whole = {
        "version": VERSION,
        "run": record.id,
        "purpose": record.purpose,
        "began": round(record.began, 3),
        "seconds": None if seconds is None else round(seconds, 3),
        "relogin": version(),
        "operator": operator(),
        "pass": record.of_pass,
        "exit": outcome.code(one["outcome"] for one in hosts),
        "hosts": hosts,
    }
    clean: dict[str, Any] = _redacted(whole, functools.cache(redact))  # much of it comes often
    return clean


def _host(name: str, mine: list[Entry], record: Run) -> dict[str, Any]:
    decides = outcome.worst(_outcome(one, record) for one in mine)
    return {
        "host": name,
        "reached": True,
        "outcome": decides.word if decides else None,
        "error": None,
        "backends": [_backend(one, record) for one in mine],
        "transcript": record.said.of(name),
    }


def _unreached_hosts(state: State | None, told: set[str]) -> Iterator[str]:
    if state is None:
        return
    for host in state.inventory:
        missed = state.is_host_in_limit(host) and host not in state.activated_hosts
        if missed and host.name not in told:
            yield host.name


def _unreached(name: str, record: Run) -> dict[str, Any]:
    error = record.lost.get(name, "it could not be reached")
    left = error.startswith(LEFT_ALONE)
    lost = (outcome.Outcome.NOT_TRIED if left else outcome.Outcome.UNREACHABLE).word
    told = {"outcome": lost, "error": error, "backends": [], "transcript": record.said.of(name)}
    return {"host": name, "reached": False, **told}


def _backend(entry: Entry, record: Run) -> dict[str, Any]:
    leading, followed = ranked(entry.backend, entry.first.values(), late=entry.late)
    causes = traced(entry.backend, leading, followed)
    return {
        "backend": entry.backend.name,
        "outcome": _outcome(entry, record).word,
        "seconds": round(entry.seconds, 3),
        "halted": entry.halted,
        "disabled": entry.disabled,
        "findings": [
            _finding(entry, one, record, causes.get(one.key)) for one in (*leading, *followed)
        ],
        "changes": [_change(one) for one in entry.changes],
        "unseen": [{"layer": layer, "reason": why} for layer, why in entry.unseen.items()],
        "proof": None if entry.proof is None else _proof(entry.proof),
        "reports": [
            {"title": title, "checks": [_told(one) for one in checks]}
            for title, checks in entry.reports.items()
        ],
        "said": list(entry.said),
        "refused_logins": dict(entry.refusals),
        "declared": dict(entry.declared),
        "signing": entry.signing,
    }


def _outcome(entry: Entry, record: Run) -> outcome.Outcome:
    if record.purpose in {"disable", "enable", "backup"}:
        return outcome.of_deed(entry)
    return outcome.of(entry, changing=record.changing, drift=record.purpose == "drift")


def _finding(
    entry: Entry, one: Finding, record: Run, causes: list[Finding] | None
) -> dict[str, Any]:
    """Give a finding; `causes` are those from which it followed, None where it leads."""
    mended = one.key in entry.mended and entry.executed
    accepted = one.severity is Severity.NOTE and entry.backend.accepts(one.fault) is not None
    return {
        **one.to_json(),
        "at": round(entry.times.get(one.key, record.began), 3),
        "state": "mended" if mended else "accepted" if accepted else "left",
        "leads": causes is None,
        "follows_from": [{"fault": it.fault, "subject": it.subject} for it in causes or ()],
        "held": entry.held.get(one.key, ""),
        "before": entry.before.get(one.key, ""),
        "after": entry.after.get(one.key, ""),
        "cause": entry.causes.get(one.key, ""),
    }


def _change(one: Done) -> dict[str, Any]:
    return {
        "fault": one.fault,
        "subject": one.subject,
        "why": one.why,
        "ok": one.ok,
        "began": round(one.began, 3),
        "seconds": round(one.seconds, 3),
        "output": one.output,
    }


def _proof(proof: Proof) -> dict[str, Any]:
    checks = [_told(one) for one in proof.checks]
    took = None if proof.seconds is None else round(proof.seconds, 4)
    known: dict[str, Any] = {"account": proof.account, "url": proof.url, "proven": proof.proven}
    known["at"] = round(proof.at, 3)
    return {**known, "seconds": took, "checks": checks}


def _told(one: Check) -> dict[str, Any]:
    return {"name": one.name, "ok": one.ok, "said": one.said, "accepted": one.accepted}


def all_mended(backend: dict[str, Any]) -> bool:
    """Tell whether of a backend's findings none is left but what is no more than a note."""
    left = (one for one in backend["findings"] if one["state"] == "left")
    return all(one["severity"] == "note" for one in left)


@functools.cache
def version() -> str:
    """Give the version of relogin that runs."""
    return metadata.version("relogin")


@functools.cache
def operator() -> str:
    """Say who runs it, and where: user@machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, in a container
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _redacted(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _redacted(one, clean) for key, one in value.items()}
    return [_redacted(one, clean) for one in value] if isinstance(value, list) else value
