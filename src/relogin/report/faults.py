"""The catalogue as a table: what is found, and who mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relogin.fault import Fault


def markdown() -> str:
    """Give the README's table of faults, in the catalogue's order."""
    from relogin.operations.catalogue import FAULTS

    return "\n".join(("| fault | what is wrong | who mends it |", "|---|---|---|", *_rows(FAULTS)))


def _rows(faults: tuple[Fault, ...]) -> Iterator[str]:
    for fault in faults:
        yield f"| `{fault.id}` | {fault.about} | {_who(fault)} |"


def _who(fault: Fault) -> str:
    if fault.fix is None:
        return "what causes it" if fault.symptom_of else "you: the next step is said"
    return "relogin" if fault.severity is Severity.CRITICAL else "relogin (a warning)"


if __name__ == "__main__":
    print(markdown())  # noqa: T201 # it is a command: python -m relogin.report.faults
