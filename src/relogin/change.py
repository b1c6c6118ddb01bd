"""Carry out one change: under the run's lease, kept in the history, its failure recorded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pyinfra import logger

from relogin import lease, remote, undo
from relogin.facts import elsewhere
from relogin.finding import Finding, Unreadable, legible
from relogin.ledger import follow
from relogin.redaction import redact, redact_foreign
from relogin.run import Done, Entry, of

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.fault import Change


def begin(host: Host, record: Entry) -> None:
    """Take the lease before the first change, and let the host be looked at again."""
    record.disabled = lease.take(host, record)
    record.forget()


def carry_out(
    state: State, host: Host, record: Entry, change: Change, finding: Finding | None = None
) -> bool:
    """Run one change through the private channel; its failure is recorded, never raised."""
    if not (record.disabled or record.leased):
        begin(host, record)
    if record.disabled:  # a release, or whoever yields changes without asking
        record.changes.append(Done(change.why, ok=False, output=record.disabled))
        return True
    follow.before(of(state), record, change.why)
    record.doing = change.why
    done = _carried_out(host, record, change)
    record.doing = ""
    if finding is not None:
        done.fault, done.subject = finding.key
    record.changes.append(done)
    follow.after(of(state), record)
    return True


def interrupted(record: Entry) -> None:
    """Have the change that was under way among those made, and no proof that is older."""
    if record.doing:
        cut = "it was interrupted: how it ended is not known"
        record.changes.append(Done(record.doing, ok=False, output=cut))
    if record.proof and record.changes and record.proof.at < record.changes[-1].began:
        record.proof = None


def _carried_out(host: Host, record: Entry, change: Change) -> Done:
    host.log_styled(legible(redact(change.why)), fg="cyan", log_func=logger.info)
    started, began = time.monotonic(), time.time()
    answer = _run(host, record, change) if change.request is None else change.request(host)
    record.forget()
    seconds = time.monotonic() - started
    if isinstance(answer, Unreadable):
        record.halted = answer.reason
        return Done(change.why, ok=False, seconds=seconds, output=answer.reason, began=began)
    record.kept = record.kept or undo.run_id() in change.script
    output = "\n".join(map(legible, redact_foreign("\n".join(answer.lines[-5:])).splitlines()))
    output = output.strip()
    if answer.status != 0:
        host.log_styled(f"failed ({answer.status}): {output}", fg="red", log_func=logger.warning)
    why = change.why
    if answer.status == 0 and "#already" in answer.lines:
        why, output = f"{why}: left alone, for somebody else has changed it just now", ""
    return Done(why, answer.status == 0, seconds, output, began=began)


def _run(host: Host, record: Entry, change: Change) -> remote.Answer | Unreadable:
    """Run a change's script under our lease; where that was lost meanwhile, nothing is done."""
    whole = elsewhere.functions(record.backend) + change.script
    script = lease.guarded(record.backend, whole, change.deadline)
    answer = remote.change(host, script, deadline=change.deadline)
    if not isinstance(answer, Unreadable):
        record.holder = lease.held_by(answer)
        if record.holder is not None:
            record.disabled, record.leased = record.holder[0], False
    return answer
