"""The verdict: what was wrong first, what followed, what was mended, and the proof."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from relogin import run, undo
from relogin.failures import LEFT_ALONE
from relogin.finding import Finding, legible
from relogin.redaction import redact
from relogin.report.judged import judged
from relogin.report.lines import changes, section, take_back, withheld
from relogin.report.ranking import by_cause, ranked, traced
from relogin.report.wording import CAUSES, GROUPS, NOT_OUTSIDE, NOT_PROVEN

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.facts.proof import Check, Proof
    from relogin.run import Entry, Run

_NOT_RUN = "nothing was looked at (--dry with -y runs no operation: leave out -y to see a plan)"
_RULE = "─" * 78


def verdict_at_exit(purpose: str) -> None:
    """Have the verdict printed once, last: pyinfra runs nothing after a host has failed.

    `purpose` is what the run is for: restore, diagnose, undo, release, rotate, check, probe,
    backup, onboard.
    """
    from pyinfra.context import ctx_state

    state = ctx_state.get()
    record = run.of(state)
    record.purpose = purpose
    if not record.reporting:
        record.reporting = True
        atexit.register(_last_words, record, state)


def _last_words(record: Run, state: State) -> None:
    plain = False if os.environ.get("NO_COLOR") else None  # no-color.org; click does not know it
    click.echo(redact(verdict(record, state)), err=True, color=plain)


def verdict(record: Run, state: State) -> str:
    """Give the verdict of a run: one block for each host and backend, the worst last."""
    sorted_ = sorted(record.entries.values(), key=_badness)
    blocks = ["\n".join(_block_of(record, entry)) for entry in sorted_]
    if record.undoings:
        blocks += _undone(record, state)
    if record.releases:
        blocks += _released(record)
    if record.backings:
        blocks += _backed(record)
    known = (record.entries, record.undoings, record.releases, record.backings)
    told = {host for each in known for host, _ in each}
    for host in state.inventory:
        if host.name not in told and state.is_host_in_limit(host):
            blocks.append(f"{host.name}: {_unknown(record, state, host)}")
    rule = click.style(_RULE, dim=True)
    return "\n".join(["", rule, f"\n{rule}\n".join(blocks), rule])


def _undone(record: Run, state: State) -> list[str]:
    from relogin.report import undone

    taken = sorted(record.undoings.values(), key=undone.badness)
    return ["\n".join(undone.block(one, state)) for one in taken]


def _released(record: Run) -> list[str]:
    from relogin.report import released

    releases = sorted(record.releases.values(), key=released.badness)
    proofs = [list(_proof(one.entry.proof)) if one.entry.proof else [] for one in releases]
    return [
        "\n".join(released.block(one, proof)) for one, proof in zip(releases, proofs, strict=True)
    ]


def _backed(record: Run) -> list[str]:
    from relogin.report import backed

    sorted_ones = sorted(record.backings.values(), key=backed.badness)
    proofs = [list(_proof(one.entry.proof)) if one.entry.proof else [] for one in sorted_ones]
    return [
        "\n".join(backed.block(one, proof)) for one, proof in zip(sorted_ones, proofs, strict=True)
    ]


def _unknown(record: Run, state: State, host: Host) -> str:
    if host in state.activated_hosts:
        return _NOT_RUN
    why = record.lost.get(host.name)
    if why and why.startswith(LEFT_ALONE):
        return legible(why)
    return f"could not be reached; nothing is known{f' ({legible(why)})' if why else ''}"


def _badness(entry: Entry) -> tuple[int, str, str]:
    proven = entry.proof is not None and entry.proof.proven
    return 0 if proven else 1, entry.host, entry.backend.name


def _block_of(record: Run, entry: Entry) -> Iterator[str]:
    rotation = record.rotations.get((entry.host, entry.backend.name))
    if rotation is None:
        return _block(entry)
    from relogin.report import rotated

    return rotated.block(rotation, list(_proof(entry.proof)) if entry.proof else [])


def _block(entry: Entry) -> Iterator[str]:
    yield f"{click.style(f'{entry.host} · {entry.backend.name}', bold=True)}: {_headline(entry)}"
    if _planned(entry):
        return
    if entry.halted:
        yield from section("Stopped", [legible(entry.halted)])
    yield from withheld(entry)
    first, followed = ranked(entry.backend, entry.first.values(), late=entry.late)
    yield from section("What was wrong first", _told(entry, first[:1]))
    yield from section("What else was wrong", _told(entry, first[1:]))
    causes = traced(entry.backend, first, followed)
    under = ((causes[one.key][0].fault if causes[one.key] else "", one) for one in followed)
    for title, group in by_cause((one.fault for one in first), under).items():
        yield from section(title, _told(entry, group))
    yield from section("What was done", _changes(entry))
    yield from section("What needs you", _for_a_person(entry))
    yield from section("What could not be seen", _unseen(entry))
    yield from section("What the backend said", [legible(line) for line in entry.said])
    for title, checks in entry.reports.items():
        yield from section(title, [f"{_mark([one])} {_check(one)}" for one in checks])
    if entry.proof is not None:
        yield from section("Proof", list(_proof(entry.proof)))


def _headline(entry: Entry) -> str:
    if not entry.looked:
        return click.style("nothing was looked at", fg="red")
    if entry.checking is not None or entry.probing is not None:
        return judged(entry)
    if _planned(entry):
        return "nothing was changed; the plan stands above"
    if entry.proof is None:
        return click.style("the login is not proven", fg="red", bold=True)
    if not entry.proof.proven:
        return click.style(_not_proven(entry.proof), fg="red", bold=True)
    changed = any(change.ok for change in entry.changes)
    again = changed and not entry.onboarding
    what = "people can log in again" if again else "people can log in"
    rest = f" ({entry.seconds:.0f} s)" if changed else "; nothing was changed"
    return click.style(what, fg="green", bold=True) + rest


def _planned(entry: Entry) -> bool:
    """Tell whether only a plan was made: what a bare host lacks is no fault of it."""
    proven = entry.proof is not None and entry.proof.proven
    return entry.onboarding and not (entry.executed or entry.halted or proven)


def _not_proven(proof: Proof) -> str:
    outside = any(check.failed for check in proof.checks if check.family == "public")
    return NOT_OUTSIDE if outside else NOT_PROVEN[proof.check("login")]


def _told(entry: Entry, findings: list[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        mark = click.style("✓", fg="green") if finding.key in entry.mended else _open(finding)
        lines.append(f"{mark} {finding.what}  {click.style(finding.fault, dim=True)}")
        details = [finding.seen, finding.expected and f"expected: {finding.expected}"]
        details.append(CAUSES.get(entry.causes.get(finding.key, ""), ""))
        if finding.key not in entry.mended:
            details.append(entry.held.get(finding.key, ""))
        lines += [f"    {detail}" for detail in details if detail]
        if not entry.executed and finding.remedy:
            lines.append(
                f"    {'next step' if finding.by_person else 'would be mended'}: {finding.remedy}"
            )
    return lines


def _open(finding: Finding) -> str:
    return click.style("✗", fg="red") if finding.critical else click.style("!", fg="yellow")


def _changes(entry: Entry) -> list[str]:
    return [*changes(entry.changes), *([take_back(undo.run_id())] if entry.kept else [])]


def _for_a_person(entry: Entry) -> list[str]:
    """Give the next steps: of what only a person may mend, else of what leads what is left."""
    if not entry.executed:
        return []
    leading, _ = ranked(entry.backend, entry.left.values(), late=entry.late)
    mine = [
        found
        for found in entry.left.values()
        if found.by_person and (not found.symptom or found in leading)
    ]
    if not mine and entry.proof is not None and not entry.proof.proven:
        mine = leading
    return [f"{found.what}: {_next_step(entry, found)}" for found in mine if found.remedy]


def _next_step(entry: Entry, finding: Finding) -> str:
    if finding.by_person:
        return finding.remedy
    return entry.held.get(finding.key, "what was done about it did not hold")


def _unseen(entry: Entry) -> list[str]:
    reasons = entry.unseen.items()
    return [f"{layer}: {legible(reason)}" for layer, reason in reasons if reason != entry.halted]


def _proof(proof: Proof) -> Iterator[str]:
    for label, names in GROUPS:
        checks = [check for check in proof.checks if check.family in names]
        if checks:
            said = ", ".join(_check(check) for check in checks)
            yield f"{_mark(checks)} {label}{said}"


def _check(check: Check) -> str:
    return legible(f"{check.said} (accepted: {check.accepted})" if check.accepted else check.said)


def _mark(checks: list[Check]) -> str:
    if any(check.failed for check in checks):
        return click.style("✗", fg="red")
    outcomes = {check.ok for check in checks}
    if False in outcomes:
        return click.style("!", fg="yellow")
    return click.style("✓", fg="green") if True in outcomes else click.style("?", fg="yellow")
