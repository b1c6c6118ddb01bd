"""Say whether a host can become one that serves a backend, before anything is changed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import logger
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand, operation

from relogin import onboarding
from relogin.finding import legible
from relogin.mend import fail_with, tell_why_halted
from relogin.operations import onboard_checks, onboard_plan, source
from relogin.redaction import redact

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.proof import Check
    from relogin.run import Entry


@operation()
def possible(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Check connection, privileges and description, and show the plan; changes nothing.

    What stands in the way fails the host, before anything has been changed there.

    + backend: the backend, as described
    """
    record = onboarding.begin(current_state, current_host, backend)
    record.halted = record.halted or onboard_checks.unfit(backend) or None
    if record.halted is None:
        _judge(record)
    if record.halted is not None:
        tell_why_halted(record)
        yield fail_with()
    yield from ()


def _judge(record: Entry) -> None:
    """Check, tell it once, and halt the run of this backend where something is in the way."""
    looked = onboarding.look(record)
    if looked is None:
        return
    seen, bare = looked
    revision = source.meant(record.backend.source) if record.backend.source else ""
    checks = onboard_checks.checked(record.backend, seen, bare, revision)
    refused = [check for check in checks if not check.ok]
    if not current_state.is_executing or refused:
        plan = () if refused else onboard_plan.lines(record.backend, seen, bare, revision)
        for line, colour in _told(checks, plan):
            current_host.log_styled(legible(redact(line)), fg=colour, log_func=logger.info)
    if refused:
        said = "; ".join(f"{check.name}: {check.said}" for check in refused)
        record.halted = f"refused before anything was changed: {said}"


def _told(checks: Iterable[Check], plan: Iterable[str]) -> Iterator[tuple[str, str]]:
    for check in checks:
        yield (
            f"{'✓' if check.ok else '✗'} {check.name}: {check.said}",
            "green" if check.ok else "red",
        )
    for line in plan:
        yield f"would {line}", "cyan"
