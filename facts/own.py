"""What a user's own faults look for on the host, in the one look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from relogin import shell
from relogin.fault import internal_error
from relogin.finding import Unreadable

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.fault import Fault
    from relogin.remote import Answer


def scripts(backend: Backend) -> dict[str, str]:
    """Give the parts of the look that own faults ask for, each on its own.

    What is no shell script at all ends in `eval`, and so breaks its own part alone.
    """
    asked = {name: _script(backend, fault) for name, fault in _asking(backend)}
    return {
        name: f"eval {shell.quote(script)}"
        for name, script in asked.items()
        if isinstance(script, str)
    }


def answers(
    backend: Backend, part: Callable[[str], Answer | Unreadable]
) -> dict[str, Answer | Unreadable]:
    """Give what was answered, by fault id; `part` gives the answer of one part of the look."""
    found = {}
    for name, fault in _asking(backend):
        script = _script(backend, fault)
        found[fault.id] = script if isinstance(script, Unreadable) else part(name)
    return found


def _asking(backend: Backend) -> Iterator[tuple[str, Fault]]:
    for number, fault in enumerate(backend.faults):
        if fault.look is not None:
            yield f"own_{number}", fault


def _script(backend: Backend, fault: Fault) -> str | Unreadable:
    assert fault.look is not None  # noqa: S101 # else it is not asking
    try:
        return fault.look(backend)
    except Exception as error:  # noqa: BLE001 # it would cost the whole look
        return Unreadable(f"{fault.id} does not say how to look: {internal_error(error, '').seen}")
