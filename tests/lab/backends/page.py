"""docs/backends/catalogue.md: on which backends each fault is made, and which cannot have it."""

from relogin.operations.catalogue import FAULTS
from tests.lab.backends.applicable import not_applicable
from tests.lab.backends.cases import left, mended
from tests.lab.backends.places import EVERY, Place
from tests.lab.product import REPOSITORY

PAGE = REPOSITORY / "docs" / "backends" / "catalogue.md"
_HEAD = """\
# Which faults are made on which backend

Every fault of the catalogue is made: on Halext's host, in Docker Compose, or on servers of its own
by the test that tests/lab/test_catalogue.py names. On the other backends of the lab:

- ✓: it is made on this one as well, named first, mended or left, and proven (all by
  `make test-all`, a sample in `make test`)
- n1, n2, …: this one cannot have it; the reasons stand below
- blank: this one may have it, and it is not tried on it, but on Halext's host or in containers

This page is made by `python -m tests.lab.backends.page`.

"""


def made(place: Place) -> set[str]:
    """Give the faults that are made on a backend."""
    return {case.fault for case in (*mended(place), *left(place))}


def page() -> str:
    """Give the page's text."""
    reasons = list(dict.fromkeys(why for place in EVERY for why in not_applicable(place).values()))
    names = {why: f"n{number}" for number, why in enumerate(reasons, 1)}
    head = "| fault | " + " | ".join(place.backend for place in EVERY) + " |"
    rule = "|---" * (len(EVERY) + 1) + "|"
    every = {place: (made(place), not_applicable(place)) for place in EVERY}
    rows = [
        f"| `{fault.id}` | "
        + " | ".join(
            "✓" if fault.id in here else names.get(never.get(fault.id, ""), "")
            for here, never in every.values()
        )
        + " |"
        for fault in FAULTS
    ]
    told = [f"- {name}: {why}" for why, name in names.items()]
    return _HEAD + "\n".join([head, rule, *rows, "", *told]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
