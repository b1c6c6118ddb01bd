"""The loop behind every operation: look, detect, fix, look again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import logger
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand

from relogin import unfit
from relogin.change import begin, carry_out
from relogin.fault import HARMFUL, NO_ROOM, Fault, internal_error
from relogin.finding import Finding, Severity, Unreadable, legible
from relogin.redaction import redact
from relogin.run import Done, Entry, entry
from relogin.secret import SecretMissing

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def mend(backend: Backend, faults: tuple[Fault, ...]) -> Iterator[FunctionCommand]:
    """Mend what these faults find, each judged again on a fresh look after its fix.

    Yields pyinfra commands; the last one fails the host if a critical finding is left. All findings
    are logged before the first one, so that a dry run and the person at the prompt see them all.
    """
    record = entry(current_state, current_host, backend)
    seen = observe(record)
    if seen is None:
        tell_why_halted(record)
        yield fail_with()
        return
    wanted = chosen(backend, faults)
    findings = [finding for fault in wanted for finding in record.judged(fault, seen)]
    say(record, findings)
    if findings and current_state.is_executing:
        _try_login_as_it_was(record, seen, wanted)
    for fault in wanted:
        yield from _mend_one(record, fault)
    left = [finding for finding in _left(record, wanted) if finding.critical]
    if record.halted is not None:
        tell_why_halted(record)
        yield fail_with()
    elif left:
        yield fail_with(f"{backend.name}: still wrong: {', '.join(_named(left))}")


def ask_login(backend: Backend, needed: Callable[[Backend, Observation], bool]) -> None:
    """Try the login before the proof, where a fault can only be told by what comes of it."""
    record = entry(current_state, current_host, backend)
    seen = observe(record) if current_state.is_executing else None
    if seen is None or backend.login is None or not needed(backend, seen):
        return
    if record.changes:
        from relogin.facts.login import prove

        record.proof = prove(current_host, backend, seen, refusals=False, patience=0)
    else:
        _try_login_as_it_was(record, seen)
    if record.proof is not None:
        record.asked = len(record.changes), record.proof
        record.forget()


def observe(record: Entry) -> Observation | None:
    """Give this stage's look, or None where the run must not go on for this backend."""
    if record.halted is None and not record.looked:
        record.halted = unfit.unresolved(record.backend)
    if record.halted is not None:
        return None
    record.executed = record.executed or current_state.is_executing
    seen = record.seen(current_host, current_state.current_stage)
    if isinstance(seen, Unreadable):
        record.halted = seen.reason
        return None
    if not record.changes and record.fits is not seen:
        record.halted = unfit.beyond_the_scheme(record.backend, seen)
        record.fits = seen
    return seen if record.halted is None else None


def chosen(backend: Backend, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Give a layer's faults with the backend's own of it, narrowed by `--data only= skip=`."""
    layers = {fault.layer for fault in faults}
    return narrowed(faults + tuple(own for own in backend.faults if own.layer in layers))


def narrowed(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Give those of the faults that `--data only=LAYER,… skip=FAULT,…` leaves."""
    skipped, only = set(given("skip")), given("only")
    return tuple(
        fault
        for fault in faults
        if not {fault.id, fault.part_of} & skipped and (fault.layer in only or not only)
    )


def given(option: str) -> list[str]:
    """Give the words of one `--data` option, which are separated by commas."""
    return list(filter(None, str(current_host.data.get(option) or "").split(",")))


def say(record: Entry, findings: list[Finding]) -> None:
    """Log findings that this run has not logged yet."""
    for finding in record.found(findings):
        colour = "red" if finding.critical else "yellow"
        text = f"{finding.fault}: {finding.what}"
        if finding.seen:
            text += f" ({finding.seen})"
        current_host.log_styled(redact(text), fg=colour, log_func=logger.info)


def _try_login_as_it_was(record: Entry, seen: Observation, faults: tuple[Fault, ...] = ()) -> None:
    """Try the login once before the first change: what people met goes into the verdict.

    The layer's `faults` are judged once more: one may weigh more where nobody can log in.
    """
    from relogin.facts.login import prove
    from relogin.operations.catalogue import LOGIN

    tried = record.changes or record.proof is not None or record.checking is not None
    if tried or record.backend.login is None:
        return
    reply = record.early.answered(record.backend, seen) if record.early else None
    record.proof = prove(
        current_host, record.backend, seen, refusals=False, patience=0, reply=reply
    )
    seen = dataclasses.replace(seen, login=record.proof)
    faults = (*faults, *LOGIN)
    say(record, [finding for fault in faults for finding in fault.found(record.backend, seen)])


def _mend_one(record: Entry, fault: Fault) -> Iterator[FunctionCommand]:
    tried: set[tuple[str, str]] = set()
    while record.halted is None and (finding := _next(record, fault, tried)) is not None:
        tried.add(finding.key)
        accepted = fault.id in record.backend.accepted
        if fault.fix is None or finding.by_person or accepted:
            continue
        if record.disabled:
            _hold(record, finding, record.disabled)
            continue
        if record.withhold is not None and (why := record.withhold(finding)):
            _hold(record, finding, why)
            continue
        if in_the_way := _blockers(record, fault, fault.held_by):
            _say_held(record, finding, in_the_way)
            continue
        if current_state.is_executing and not record.leased:
            begin(current_host, record)
            tried.discard(finding.key)  # judged again: somebody else may have mended it meanwhile
            continue
        try:
            for change in fault.fix(record.backend, _look(record), finding):
                if in_the_way := _blockers(record, fault, change.unless):
                    _say_held(record, finding, in_the_way)
                    break
                yield FunctionCommand(carry_out, (record, change, finding), {})
                if not record.changes[-1].ok:
                    break
        except (SecretMissing, ValueError) as error:
            if current_state.is_executing:
                failed = Done(f"mend {finding.what}", ok=False, output=redact(str(error)))
                record.changes.append(failed)
            current_host.log_styled(redact(str(error)), fg="red", log_func=logger.warning)
        except Exception as error:  # noqa: BLE001 # pyinfra would abort every host
            say(record, [internal_error(error, f"the fix of {fault.id}")])


def _next(record: Entry, fault: Fault, tried: set[tuple[str, str]]) -> Finding | None:
    seen = observe(record)
    if seen is None:
        return None
    findings = record.judged(fault, seen)
    say(record, list(findings))
    return next((finding for finding in findings if finding.key not in tried), None)


def _look(record: Entry) -> Observation:
    seen = observe(record)
    assert seen is not None  # noqa: S101 # _next has just had it
    return seen


def _blockers(record: Entry, fault: Fault, needed: Collection[str]) -> list[str]:
    """Give what is needed and is itself broken (fault ids), or could not be seen."""
    if not needed:
        return []
    from relogin.operations import catalogue

    seen = _look(record)
    layers = {need.partition(".")[0] for need in needed if need not in NO_ROOM}
    broken = [
        finding.fault
        for other in catalogue.of(record.backend)
        if other.id != fault.id and (other.id in needed or other.layer in needed)
        for finding in record.judged(other, seen)
        if finding.critical or _by_name(other, needed, finding) or _all_the_same(finding)
    ]
    unseen = [layer for layer, _ in seen.unreadable() if layer in layers]
    return list(dict.fromkeys(broken + _hidden(record.backend, seen, unseen)))


def _hidden(backend: Backend, seen: Observation, unseen: list[str]) -> list[str]:
    """Say what cannot be seen; without an administrator the backend's own URL has to connect."""
    database = {"postgres", "migrations"} & {*unseen}
    if not database or backend.database is None or backend.database.admin is not None:
        return [f"{layer} cannot be seen" for layer in unseen]
    from relogin.facts import connected

    others = [f"{layer} cannot be seen" for layer in unseen if layer not in database]
    connection = connected.ask(current_host, backend, seen)
    if isinstance(connection, Unreadable):
        return [*others, f"postgres cannot be seen ({connection.reason})"]
    return others if connection.ok else [*others, f"no database by its URL ({connection.shown})"]


def _by_name(other: Fault, needed: Collection[str], finding: Finding) -> bool:
    """Tell whether even a warning stands in the way: a service whose next start would fail runs."""
    named = other.id in needed and other.id not in NO_ROOM
    return named and finding.severity is Severity.WARNING


def _all_the_same(finding: Finding) -> bool:
    """Tell whether it stands in the way though it is accepted: it makes writes harmful."""
    return finding.fault in HARMFUL and finding.accepted is Severity.CRITICAL


def _say_held(record: Entry, finding: Finding, in_the_way: list[str]) -> None:
    _hold(record, finding, f"not tried while there is {', '.join(in_the_way)}")


def _hold(record: Entry, finding: Finding, why: str) -> None:
    """Log once why a fix is not tried, and keep it for the verdict."""
    if record.held.get(finding.key) != why:
        record.held[finding.key] = why
        text = redact(f"{finding.fault}: {why}")
        current_host.log_styled(text, fg="yellow", log_func=logger.info)


def _left(record: Entry, faults: tuple[Fault, ...]) -> list[Finding]:
    seen = observe(record)
    if seen is None:
        return list(record.left.values())
    judged = {fault.id for fault in faults}
    kept = {key: old for key, old in record.left.items() if old.fault not in judged}
    found = [finding for fault in faults for finding in record.judged(fault, seen)]
    record.left = kept | {finding.key: finding for finding in found}
    gone = [
        key for key, old in record.first.items() if old.fault in judged and key not in record.left
    ]
    record.mended.update(dict.fromkeys(gone))
    record.note_after(seen)
    return found


def _named(findings: list[Finding]) -> list[str]:
    return [f"{finding.fault} ({finding.what})" for finding in findings]


def tell_why_halted(record: Entry) -> None:
    """Log once why nothing (more) is done for this backend; later operations fail silently."""
    if not record.told:
        record.told = True
        why = legible(redact(record.halted or "nothing could be looked at"))
        current_host.log_styled(why, fg="red", log_func=logger.error)


def fail_with(message: str = "") -> FunctionCommand:
    """Give the command that fails this host, with one line; raising would abort every host."""
    function: Callable[[State, Host], bool] = _failing(redact(message))
    return FunctionCommand(function, (), {})


def _failing(message: str) -> Callable[[State, Host], bool]:
    def fail(state: State, host: Host) -> bool:
        if message:
            host.log_styled(message, fg="red", log_func=logger.error)
        return False

    return fail
