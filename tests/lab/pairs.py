"""Faults that stand on one host together, drawn at random, and what a run makes of them.

    RELOGIN_LAB=required python -m tests.lab.pairs [NUMBER…]
    RELOGIN_LAB=required python -m tests.lab.pairs draw [COUNT [SEED]]

tries the groups of docs/pairs.md again, or those of these numbers, and writes their rows anew; or
draws others from all cases that there are now, and writes the page anew. It is written after each
group: a draw that was cut short is gone on with by the same command.
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
# Told by a login that has come to the password: whatever else keeps people out hides it.
_HIDDEN = ("venv.passlib-without-bcrypt",)
# All stand on hosts of the example's description, so what is mended by another one stands alone.
_MENDED = tuple(case for case in MENDED if not case.profile and case.fault not in _HIDDEN)
CASES = (*_MENDED, *(case for case in PERSONS if str(case) in BESIDE))


@dataclass(frozen=True)
class Group:
    """Faults on one host, in the order in which they are made."""

    cases: tuple[Case, ...]

    def __str__(self) -> str:
        return " + ".join(map(str, self.cases))

    @property
    def mended(self) -> bool:
        """Tell whether a machine mends all that keeps people from logging in."""
        return all(case in _MENDED or case.works for case in self.cases)


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
        cases = tuple(chance.sample(_MENDED, size))
        if chance.random() < 0.2:
            cases = (chance.choice(CASES[len(_MENDED) :]), *cases[1:])
        if can_stand_together(cases):
            groups.setdefault(frozenset(cases), Group(as_made(cases)))
    return list(groups.values())


def tried(host: Host, group: Group) -> Outcome:
    """Make the faults of a group on a healthy host and run until it is healed, at most twice."""
    started = time.monotonic()
    for case in group.cases:
        case.make(host)
    host.forget_execs()
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
            except (AssertionError, RuntimeError, subprocess.TimeoutExpired) as error:
                print(f"{started[done]}. {groups[started[done]]}: {error}", flush=True)


def page(seed: int, cases: int, rows: dict[int, str]) -> str:
    """Give the page of the documentation, with a row of the table for each group by its number.

    The groups were drawn by the seed when there were so many cases.
    """
    healed = [row.split(" | ")[4] for row in rows.values()]
    counts = {name: healed.count(said) for name, said in _HEALED.items()}
    listed = "\n".join(rows[number] for number in sorted(rows))
    return _PAGE.format(
        count=len(rows), seed=seed, cases=cases, right=sum(counts.values()), rows=listed, **counts
    )


def rows_of(text: str) -> dict[int, str]:
    """Give the rows of a page by their numbers."""
    return {int(row.split(" ")[1]): row for row in re.findall(r"(?m)^\| \d+ \|.*$", text)}


def drawn_by(text: str) -> tuple[int, int]:
    """Give the seed of a page, and how many cases there were when it was drawn."""
    seed, cases = re.findall(r"(?m)^Seed (\d+) drew them from the (\d+) cases", text)[0]
    return int(seed), int(cases)


def groups_of(rows: dict[int, str]) -> dict[int, Group]:
    """Give the groups of a page's rows.

    Raises:
        KeyError: a case of that name is not among today's.
    """
    by_name = {str(case): case for case in CASES}
    made = {number: row.split(" | ")[1].split("<br>") for number, row in rows.items()}
    return {number: Group(tuple(by_name[one] for one in made[number])) for number in made}


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

Of these {count}, {right} were as they have to be: {once} healed by one run, {twice} by two,
{persons} with a fault that needs a person.

Seed {seed} drew them from the {cases} cases that the lab made then. With a case more it draws other
groups, so that

    RELOGIN_LAB=required python -m tests.lab.pairs

takes the groups from this table, makes each of them again and writes their rows anew (with numbers
behind it, only those). `python -m tests.lab.pairs draw` draws others from all cases of today and
writes the page anew; so many are tried by `make test-all` too, and a few by every run of the tests.

| # | made, in this order | named first | also named by the first run | healed by | s |
|---|---|---|---|---|---|
{rows}
"""


def again(*numbers: int) -> int:
    """Try the page's groups, or those of these numbers; give how many are not as they should be."""
    text = PAGE.read_text()
    groups = groups_of(rows_of(text))
    chosen = {number: groups[number] for number in numbers} or groups
    return _rewritten(chosen, rows_of(text), *drawn_by(text))


def draw(count: int = COUNT, seed: int = SEED) -> int:
    """Try groups of today's cases; give how many are not as they have to be."""
    groups = dict(enumerate(drawn(seed, count), 1))
    done = begun(PAGE.read_text(), seed, groups)
    left = {number: group for number, group in groups.items() if number not in done}
    return _rewritten(left, done, seed, len(CASES))


def begun(text: str, seed: int, groups: dict[int, Group]) -> dict[int, str]:
    """Give the rows of a page that the same draw has written, but for those that are not right."""
    if drawn_by(text) != (seed, len(CASES)):
        return {}
    return {
        number: row
        for number, row in rows_of(text).items()
        if number in groups
        and row.split(" | ")[1] == "<br>".join(map(str, groups[number].cases))
        and row.split(" | ")[4] in _HEALED.values()
    }


def _rewritten(groups: dict[int, Group], rows: dict[int, str], seed: int, cases: int) -> int:
    good = 0
    with engine.hosts({BOOKWORM: 2}) as hosts:
        for number, one in outcomes(hosts, groups):
            rows[number] = _row(number, one)
            good += not one.wrong
            said = "\n".join(one.wrong) or "as it has to be"
            print(f"{number}. {one.group} ({one.seconds:.0f} s): {said}", flush=True)
            PAGE.write_text(page(seed, cases, rows))
    return len(groups) - good


if __name__ == "__main__":
    _words = sys.argv[1:]
    _act = draw if _words[:1] == ["draw"] else again
    sys.exit(bool(_act(*map(int, _words[_act is draw :]))))
