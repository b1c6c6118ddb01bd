"""docs/backends/catalogue.md: on which backends each fault is made, and which cannot have it."""

from collections.abc import Callable

from relogin.operations.catalogue import FAULTS
from tests.lab.backends.applicable import not_applicable
from tests.lab.backends.cases import left, mended
from tests.lab.backends.differing import NOT_SHARED, SAME_AS
from tests.lab.backends.places import EVERY, Place
from tests.lab.excused import EXCUSED
from tests.lab.product import REPOSITORY

PAGE = REPOSITORY / "docs" / "backends" / "catalogue.md"
_HEAD = """\
# Which faults are made on which backend

Every fault of the catalogue is made: on Halext's host, in Docker Compose, or on servers of its own
by the test that tests/lab/test_catalogue.py names. On the other backends of the lab:

- ✓: it is made on this one as well, named first, mended or left, and proven (all by
  `make test-all`, a sample in `make test`)
- n1, n2, …: this one cannot have it; the reasons stand below
- t1, t2, …: it is not tried on this one, for the reasons below
- =: its application is that of another one, on which it is made: of {same}

What has a server of its own in the tests, and no host, is not in the table; the tests that make it
are named below it.

This page is made by `python -m tests.lab.backends.page`.

"""


def made(place: Place) -> set[str]:
    """Give the faults that are made on a backend."""
    return {case.fault for case in (*mended(place), *left(place))}


def as_on(place: Place, fault: str) -> str:
    """Give the mark of what is made on another backend with the same application, or ''."""
    other, _ = SAME_AS.get(place.backend, ("", ""))
    return "=" if any(one.backend == other and fault in made(one) for one in EVERY) else ""


def untried(place: Place) -> dict[str, str]:
    """Give the faults that are not made on a backend though it has the words, with the reasons."""
    told = NOT_SHARED.get(place.backend, {})
    return {
        fault.id: why
        for fault in FAULTS
        for pattern, why in told.items()
        if pattern.rstrip("*") == fault.id
    }


def _numbered(letter: str, told: Callable[[Place], dict[str, str]]) -> dict[str, str]:
    reasons = dict.fromkeys(why for place in EVERY for why in told(place).values())
    return {why: f"{letter}{number}" for number, why in enumerate(reasons, 1)}


def page() -> str:
    """Give the page's text."""
    names = {**_numbered("n", not_applicable), **_numbered("t", untried)}
    head = "| fault | " + " | ".join(place.backend for place in EVERY) + " |"
    rule = "|---" * (len(EVERY) + 1) + "|"
    every = {place: (made(place), untried(place) | not_applicable(place)) for place in EVERY}
    rows = [
        f"| `{fault.id}` | "
        + " | ".join(
            "✓"
            if fault.id in here
            else names.get(never.get(fault.id, "")) or as_on(place, fault.id)
            for place, (here, never) in every.items()
        )
        + " |"
        for fault in FAULTS
        if fault.id not in EXCUSED
    ]
    told = [f"- {name}: {why}" for why, name in names.items()]
    elsewhere = [f"- `{fault}`: {test}" for fault, (test, _) in EXCUSED.items()]
    same = ", ".join(f"{one} that of {other}" for one, (other, _) in SAME_AS.items())
    return (
        _HEAD.format(same=same) + "\n".join([head, rule, *rows, "", *told, "", *elsewhere]) + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page())
