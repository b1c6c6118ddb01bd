"""The chain of one backend in a run, from its cause to the proof, in order and with times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relogin.report.ranking import by_cause
from relogin.report.wording import CHANGED_BY, GROUPS, ONLY_LOOK
from relogin.values import dataclass

Document = dict[str, Any]
Details = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Item:
    """One thing that was seen, done or checked.

    `mark` is good, bad, warn, unknown or none; `at` a moment in Unix time, or 0 where it is not
    known; `took` a span in seconds or None; `tag` a fault's id; `details` are labels with texts.
    """

    mark: str
    text: str
    at: float = 0
    took: float | None = None
    tag: str = ""
    details: Details = ()


@dataclass(frozen=True)
class Stage:
    """A step of the chain, with its items in order."""

    title: str
    items: tuple[Item, ...]


def stages(one: Document, purpose: str) -> Iterator[Stage]:
    """Give the steps of the chain that have something to tell, of a backend in a document."""
    planned = purpose in ONLY_LOOK or one["outcome"] == "planned"
    leading = [_finding(found, planned) for found in one["findings"] if found["leads"]]
    followed = (
        (_cause(found), _finding(found, planned)) for found in one["findings"] if not found["leads"]
    )
    refused = sorted(one.get("refused_logins", {}).items())
    found = {
        "Why it stopped": [Item("bad", one["halted"])] if one["halted"] else [],
        "Why nothing was changed": [Item("warn", one["disabled"])] if one["disabled"] else [],
        "What was wrong first": leading[:1],
        "What else was wrong": leading[1:],
        **by_cause((item.tag for item in leading), followed),
        "What was done": [_change(change) for change in one["changes"]],
        "What could not be seen": [
            Item("unknown", f"{hidden['layer']}: {hidden['reason']}") for hidden in one["unseen"]
        ],
        "What the backend said": [Item("none", line) for line in one["said"]],
        "What the backend refused since the run before": [
            Item("none", f"{reason}: {times}") for reason, times in refused if times
        ],
        "Proof": list(_proof(one["proof"])) if one["proof"] else [],
    }
    found |= {
        document["title"]: [Item(_mark_of_checks([one]), _check(one)) for one in document["checks"]]
        for document in one.get("reports", [])
    }
    for title, items in found.items():
        if items:
            yield Stage(title, tuple(items))


def needs(one: Document) -> Iterator[tuple[str, str]]:
    """Give what is left for a person, and the next step: that of what leads, where all is left."""
    left = [found for found in one["findings"] if found["state"] == "left"]
    mine = [found for found in left if found["by_person"] and _is_cause(found)]
    if not mine and (one["proof"] is None or not one["proof"]["proven"]):
        mine = [found for found in left if found["leads"]]
    for found in mine:
        if step := found["remedy"] if found["by_person"] else found["held"]:
            yield found["what"], step


def _is_cause(found: Document) -> bool:
    return bool(found["leads"]) or not found["symptom"]


def _cause(found: Document) -> str:
    """Give the fault from which one followed; empty where a run of an older relogin is shown."""
    return next((str(one["fault"]) for one in found.get("follows_from", [])), "")


def _finding(found: Document, planned: bool) -> Item:
    details = {
        "seen": found["seen"],
        "expected": found["expected"],
        "changed by": CHANGED_BY.get(found["cause"], ""),
        "fingerprint": _fingerprints(found),
        "not mended": "" if found["state"] == "mended" else found["held"],
    }
    if found["state"] == "left" and found["by_person"]:
        details["next step"] = found["remedy"]
    elif found["state"] == "left" and planned:
        details["would be done"] = found["remedy"]
    told = tuple((label, text) for label, text in details.items() if text)
    return Item(_mark_of(found), found["what"], found["at"], tag=found["fault"], details=told)


def _fingerprints(found: Document) -> str:
    """Give those of a value that was replaced: what is merely gone has none afterwards."""
    before, after = found["before"], found["after"]
    replaced = found["state"] == "mended" and before and after and before != after
    return f"{before} → {after}" if replaced else ""


def _mark_of(found: Document) -> str:
    if found["state"] == "mended":
        return "good"
    return "bad" if found["severity"] == "critical" else "warn"


def _change(change: Document) -> Item:
    ok = change["ok"]
    mark = "unknown" if ok is None else "good" if ok else "bad"
    details: Details = ()
    if ok is None:
        details = (("how it ended", "it was begun; how it ended is unknown"),)
    elif not ok and change["output"]:
        details = (("said", change["output"]),)
    return Item(mark, change["why"], change["began"], change["seconds"], details=details)


def _proof(proof: Document) -> Iterator[Item]:
    at = proof["at"]
    for label, families in GROUPS:
        checks = [one for one in proof["checks"] if one["name"].partition(":")[0] in families]
        if checks:
            said = ", ".join(_check(one) for one in checks)
            took = proof["seconds"] if families == ("login",) else None
            yield Item(_mark_of_checks(checks), f"{label}{said}", at, took)
            at = 0


def _check(one: Document) -> str:
    return f"{one['said']} (accepted: {one['accepted']})" if one["accepted"] else str(one["said"])


def _mark_of_checks(checks: list[Document]) -> str:
    if any(one["ok"] is False and not one["accepted"] for one in checks):
        return "bad"
    outcomes = {one["ok"] for one in checks}
    if False in outcomes:
        return "warn"
    return "good" if True in outcomes else "unknown"
