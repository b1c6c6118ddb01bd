"""Every fault of the catalogue is made on a host of the lab, or it says why not."""

import re
from fnmatch import fnmatch

import pytest

from relogin.operations import catalogue

from . import cases
from .backends import page
from .backends.applicable import not_applicable
from .backends.places import EVERY, Place
from .cases import supervised
from .cases.order import RANK
from .compose.cases import MENDED as OF_CONTAINERS
from .compose.persons import PERSONS as LEFT_OF_CONTAINERS
from .excused import EXCUSED
from .product import REPOSITORY


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


def test_each_fault_has_an_answer_for_each_backend() -> None:
    """Made there, made on its twin, or a reason: in applicable.py or in differing.py."""
    rows = [line for line in page.page().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [] == [row for row in rows if any(not cell.strip() for cell in row.split("|")[1:-1])]


PAGES = {place: page.PAGE.with_name(f"{place.backend}.md") for place in EVERY}
HAVE_PAGES = [place for place in EVERY if PAGES[place].exists()]


@pytest.mark.parametrize("place", HAVE_PAGES, ids=lambda place: place.backend)
def test_what_a_backends_page_calls_not_applicable_is_not_made_on_it(place: Place) -> None:
    told = PAGES[place].read_text().partition("## What does not apply")[2]
    lines = [line for line in told.splitlines() if "with `admin=None`" not in line]
    named = re.findall(r"`([a-z_]+\.[a-z*-]+)`", "\n".join(lines))
    assert named
    assert [] == [one for one in named for fault in page.made(place) if fnmatch(fault, one)]
