"""Every fault of the catalogue is made on a host of the lab, or it says why not."""

import re
from fnmatch import fnmatch

import pytest

from relogin.operations import api, catalogue, database

from . import cases
from .backends import page
from .backends.applicable import not_applicable
from .backends.places import EVERY, Place
from .cases import supervised
from .cases.order import RANK
from .compose.cases import MENDED as OF_CONTAINERS
from .compose.persons import PERSONS as LEFT_OF_CONTAINERS
from .product import REPOSITORY

# What is made elsewhere: the test that does, and why no case of the lab does.
# Only deploys/probe_api.py looks for these.
PROBED = "tests/operations/test_api.py", "a real server that has this flaw needs no host"
MEASURED = "tests/operations/test_api_load.py", "a real process needs no host"
GROWN = ("memory-grows", "service-restarted")
# Only deploys/check_database.py looks for these.
CHECKED = "tests/operations/test_database.py", "a real PostgreSQL needs no host"
DAMAGED = "tests/operations/test_database_damage.py", "a real PostgreSQL needs no host"
STRAINED = "tests/operations/test_database_strain.py", "a real PostgreSQL needs no host"
STRAIN = (
    *("slot-holds-wal", "connections-near-limit", "lock-waited-for"),
    *("idle-in-transaction", "dead-rows"),
)
DECLARED = "tests/operations/test_database_declared.py", "a real PostgreSQL needs no host"
SLOWED = "tests/operations/test_database_slow.py", "a real PostgreSQL needs no host"
SLOW = ("bloated", "login-scans", "slow-statement", "statistics-emptied")
TOLD = ("points-nowhere", "expired-rows", "answer-differs")
DAMAGE = ("checksum-failures", "table-corrupt", "duplicates", "index-corrupt")
EXCUSED = {
    **{fault.id: PROBED for fault in api.FAULTS},
    **{f"api.{name}": MEASURED for name in GROWN},
    **{fault.id: CHECKED for fault in database.FAULTS},
    **{f"database.{name}": DAMAGED for name in DAMAGE},
    **{f"database.{name}": STRAINED for name in STRAIN},
    **{f"database.{name}": DECLARED for name in TOLD},
    **{f"database.{name}": SLOWED for name in SLOW},
    "jwt.secret-changed": ("tests/lab/test_kept.py", "it takes two runs with one history"),
    "login.healthy-but-dead": (
        "tests/operations/test_compose.py",
        "it is never named first: it stands beside what keeps people out",
    ),
    "service.backoff": (
        "tests/operations/test_service_supervised.py",
        "supervisord's own next try may mend it before a run does",
    ),
}


def made() -> set[str]:
    """Give the faults that cases make, on hosts of any kind."""
    hosts = {case.fault for case in (*cases.MENDED, *cases.PERSONS)}
    programs = {case.fault for case in (*supervised.MENDED, *supervised.PERSONS)}
    containers = {case.fault for case in (*OF_CONTAINERS, *LEFT_OF_CONTAINERS)}
    return hosts | programs | containers | {fault for one in EVERY for fault in page.made(one)}


KNOWN = {fault.id for fault in catalogue.FAULTS}


def test_every_fault_has_its_place_in_the_order_that_pairs_are_judged_by() -> None:
    assert KNOWN == RANK.keys()


def test_every_fault_is_made_on_a_host_or_excused_and_none_is_both() -> None:
    assert KNOWN == made() | EXCUSED.keys()
    assert set() == made() & EXCUSED.keys()


@pytest.mark.parametrize(("fault", "excuse"), EXCUSED.items())
def test_what_is_excused_has_the_test_that_is_named(fault: str, excuse: tuple[str, str]) -> None:
    file, why = excuse
    text = (REPOSITORY / file).read_text()
    assert fault in text or f'"{fault.partition(".")[2]}"' in text
    assert why


@pytest.mark.parametrize("place", EVERY, ids=lambda place: place.backend)
def test_no_fault_is_made_on_a_backend_that_cannot_have_it(place: Place) -> None:
    assert set() == page.made(place) & not_applicable(place).keys()


def test_the_page_says_of_each_backend_which_faults_are_made_on_it_and_why_others_are_not() -> None:
    """Else: python -m tests.lab.backends.page; a fault that is newer may be lacking there."""
    stored = page.PAGE.read_text().splitlines()
    told = page.page().splitlines()
    newer = {line for line in told if line.startswith("| `") and line not in stored}
    assert [] == [line for line in stored if line not in told]
    assert [] == [
        line for line in newer if any(one.startswith(line.split(" |")[0]) for one in stored)
    ]


PAGES = {place: page.PAGE.with_name(f"{place.backend}.md") for place in EVERY}
HAVE_PAGES = [place for place in EVERY if PAGES[place].exists()]


@pytest.mark.parametrize("place", HAVE_PAGES, ids=lambda place: place.backend)
def test_what_a_backends_page_calls_not_applicable_is_not_made_on_it(place: Place) -> None:
    told = PAGES[place].read_text().partition("## What does not apply")[2]
    lines = [line for line in told.splitlines() if "with `admin=None`" not in line]
    named = re.findall(r"`([a-z_]+\.[a-z*-]+)`", "\n".join(lines))
    assert named
    assert [] == [one for one in named for fault in page.made(place) if fnmatch(fault, one)]
