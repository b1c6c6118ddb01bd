"""Faults that stand on one host together, drawn at random, and what a run makes of them.

    RELOGIN_LAB=required python -m tests.lab.pairs [COUNT [SEED [NUMBER…]]]

tries so many of them and writes docs/pairs.md, or replaces the rows of these numbers in it.
"""

import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from . import engine
from .base import BOOKWORM
from .cases import MENDED, PERSONS
from .cases.apart import as_made, can_stand_together
from .cases.case import Case
from .cases.order import RANK, earliest
from .host import Host
from .product import Ran, restore
from .side_by_side import taken

PAGE = Path(__file__).parents[2] / "docs/pairs.md"
COUNT, SEED = 64, 20261121
# Faults of a person's that stand beside others without keeping a machine from mending these.
BESIDE = (
    *("env_file.tracked-by-git", "env_file.key-twice", "jwt.known-default", "jwt.secret-weak"),
    *("jwt.hard-coded-fallback", "jwt.running-on-other-secret", "accounts.email-differs"),
    *("accounts.default-account", "accounts.others-hash-unusable", "accounts.name-differs"),
    *("postgres.hba-unreadable", "postgres.hba-refuses, a line rejects it"),
    *("postgres.hba-refuses, no line lets it in", "postgres.role-expired, in three days"),
    *("login.host-refused", "login.server-error", "login.signature-wrong", "login.subject-wrong"),
)
_PERSONS = tuple(case for case in PERSONS if str(case) in BESIDE)


@dataclass(frozen=True)
class Group:
    """Faults on one host, in the order in which they are made."""

    cases: tuple[Case, ...]

    def __str__(self) -> str:
        return " + ".join(map(str, self.cases))

    @property
    def mended(self) -> bool:
        """Tell whether a machine mends all that keeps people from logging in."""
        return all(case in MENDED or case.works for case in self.cases)


@dataclass(frozen=True)
class Outcome:
    """What became of a group: the last run's exit code, and how often it was run until it was 0.

    `also` names what else the first verdict had of the faults that were made; `wrong` says, each in
    a line, what is not as it has to be.
    """

    group: Group
    first: str
    also: tuple[str, ...]
    runs: int
    code: int
    works: bool
    seconds: float
    wrong: tuple[str, ...]


def drawn(seed: int, count: int) -> list[Group]:
    """Draw pairs and triples that can stand together, each once; one in five has a person's."""
    chance = random.Random(seed)
    groups: dict[frozenset[Case], Group] = {}
    while len(groups) < count:
        size = chance.choice((2, 2, 3))
        cases = tuple(chance.sample(MENDED, size))
        if chance.random() < 0.2:
            cases = (chance.choice(_PERSONS), *cases[1:])
        if can_stand_together(cases):
            groups.setdefault(frozenset(cases), Group(as_made(cases)))
    return list(groups.values())


def tried(host: Host, group: Group) -> Outcome:
    """Make the faults of a group on a healthy host and run until it is healed, at most twice."""
    started = time.monotonic()
    for case in group.cases:
        host.root(case.inject)
    ran = [restore(host)]
    if ran[0].code != 0 and group.mended:
        ran.append(restore(host))
    works = host.login().works
    ran.append(restore(host))
    first = named(ran[0])
    made = {case.fault for case in group.cases} - {first}
    also = tuple(sorted(made & mentioned(ran[0]), key=RANK.__getitem__))
    wrong = tuple(_wrong(group, first, works, ran))
    seconds = time.monotonic() - started
    return Outcome(group, first, also, len(ran) - 1, ran[-2].code, works, seconds, wrong)


def named(ran: Ran) -> str:
    """Give the fault that the verdict names first."""
    lines = ran.section("What was wrong first")
    return lines[0].rpartition("  ")[2] if lines else "nothing"


def mentioned(ran: Ran) -> set[str]:
    """Give every fault id in the verdict."""
    return set(re.findall(r"  ([a-z_]+\.[a-z0-9-]+)$", ran.verdict, re.MULTILINE))


def _wrong(group: Group, first: str, works: bool, ran: list[Ran]) -> Iterator[str]:
    said = ran[0].output
    if first not in (expected := earliest(group.cases)):
        yield f"named first: {first}, not {' or '.join(sorted(expected))}\n{said}"
    if group.mended and ran[-2].code != 0:
        yield f"not healed by {len(ran) - 1} runs\n{said}\n{ran[-2].output}"
    if group.mended and not works:
        yield f"the login does not work\n{ran[-2].output}"
    if not group.mended and (ran[0].code != 1 or not ran[0].section("What needs you")):
        yield f"it needs a person, and that is not said\n{said}"
    if changed := ran[-1].changed():
        yield f"one run more changes {changed}\n{ran[-1].output}"


def outcomes(hosts: list[Host], groups: dict[int, Group]) -> Iterator[tuple[int, Outcome]]:
    """Try groups side by side, each on a host that is free; give what is done, by its number."""
    free: Queue[Host] = Queue()
    for host in hosts:
        free.put(host)

    def one(group: Group) -> Outcome:
        with taken(free) as host:
            return tried(host, group)

    with ThreadPoolExecutor(len(hosts)) as pool:
        started = {pool.submit(one, group): number for number, group in groups.items()}
        for done in as_completed(started):
            try:
                yield started[done], done.result()
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                print(f"{started[done]}. {groups[started[done]]}: {error}", flush=True)


def page(seed: int, rows: dict[int, str]) -> str:
    """Give the page of the documentation, with a row of the table for each group by its number."""
    healed = [row.split(" | ")[4] for row in rows.values()]
    counts = {name: healed.count(said) for name, said in _HEALED.items()}
    listed = "\n".join(rows[number] for number in sorted(rows))
    return _PAGE.format(
        count=len(rows), seed=seed, right=sum(counts.values()), rows=listed, **counts
    )


def rows_of(text: str) -> dict[int, str]:
    """Give the rows of a page by their numbers."""
    return {int(row.split(" ")[1]): row for row in re.findall(r"(?m)^\| \d+ \|.*$", text)}


def _row(number: int, one: Outcome) -> str:
    made = "<br>".join(map(str, one.group.cases))
    healed = f"run {one.runs}" if one.group.mended else _HEALED["persons"]
    if one.wrong:
        healed = "; ".join(line.partition("\n")[0] for line in one.wrong)
    also = "<br>".join(f"`{fault}`" for fault in one.also) or "-"
    return f"| {number} | {made} | `{one.first}` | {also} | {healed} | {one.seconds:.0f} |"


_HEALED = {"once": "run 1", "twice": "run 2", "persons": "needs a person"}
_PAGE = """\
# Several faults at once

Pairs and triples of faults, drawn at random from those that the lab makes, each on a real host
(Debian 12, systemd, PostgreSQL, nginx): all are made, then `restore_access` is run until it exits
0, at most twice. What it names first has to be the earliest of them in the order in which faults
cause one another (`tests/lab/cases/order.py`; what keeps nobody out comes last); an independent
login has to work; and one run more has to change nothing. Where one of them needs a person, the
run exits 1, says so, mends the others, and one run more changes nothing either.

Of {count} (seed {seed}) {right} were as they have to be: {once} healed by one run, {twice} by two,
{persons} with a fault that needs a person.

    RELOGIN_LAB=required python -m tests.lab.pairs {count} {seed}

makes them again and writes this page (with numbers behind it, these rows alone; a fault that is new
to the lab changes what is drawn). `make test-all` draws others.

| # | made, in this order | named first | also named by the first run | healed by | s |
|---|---|---|---|---|---|
{rows}
"""


def main(count: int = COUNT, seed: int = SEED, *numbers: int) -> int:
    """Try the groups, or those of these numbers; give how many are not as they have to be."""
    groups = dict(enumerate(drawn(seed, count), 1))
    chosen = {number: groups[number] for number in numbers} or groups
    rows = rows_of(PAGE.read_text()) if numbers else {}
    good = 0
    with engine.hosts({BOOKWORM: 2}) as hosts:
        for number, one in outcomes(hosts, chosen):
            rows[number] = _row(number, one)
            good += not one.wrong
            said = "\n".join(one.wrong) or "as it has to be"
            print(f"{number}. {one.group} ({one.seconds:.0f} s): {said}", flush=True)
            PAGE.write_text(page(seed, rows))
    return len(chosen) - good


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
