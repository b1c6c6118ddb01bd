"""What is recorded of the lab's hosts: looks at each example, one of them for every fault."""

import dataclasses
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import product
from .backends import product as backends
from .backends.cases import cases as of_backend
from .backends.cases import persons as left_of_backend
from .backends.places import PLACES
from .base import BACKENDS, BOOKWORM, COMPOSE
from .cases import MENDED, PERSONS, supervised
from .cases.case import NOTHING, Case
from .compose import cases as of_containers
from .compose import product as containers
from .compose.persons import PERSONS as LEFT_OF_CONTAINERS
from .host import Host

HALEXT = "halext"
# What no look has: it is told by the login, or by what refuses a connection.
OF_THE_PROOF = (
    "env_file.other-file-used, the code reads another one",
    "accounts.hash-foreign",
    "postgres.url-refused",
)
SECRETS = product.SECRETS | containers.SECRETS | backends.SECRETS


@dataclass(frozen=True)
class Look:
    """A look at an example of a suite's host with a fault, or (without one) at a healthy one.

    `example` is the file of inventories/group_data, `profile` how its description is changed.
    """

    example: str
    suite: str
    fault: str
    name: str
    make: Callable[[Host], object]
    profile: str = ""

    def __str__(self) -> str:
        return f"{self.example}: {self.name}"

    @property
    def file(self) -> str:
        """Give the name of the file that it is recorded in."""
        return re.sub(r"[^a-z0-9._]+", "-", self.name.lower())

    def tried(self, host: Host) -> None:
        """Try to log in, as people do."""
        if self.suite == BACKENDS:
            backends.logs_in(host, self.example)
        elif self.suite == COMPOSE:
            containers.logs_in(host, self.example)
        else:
            host.login()


def _of(case: Case) -> Look:
    return Look(HALEXT, BOOKWORM, case.fault, str(case), case.make, case.profile)


def _elsewhere(known: set[str]) -> tuple[Look, ...]:
    """Give a look at the first way in which each fault is made that the example cannot have."""
    found = [
        Look(case.backend, COMPOSE, case.fault, case.fault, partial(Host.root, script=case.whole))
        for case in (*of_containers.MENDED, *LEFT_OF_CONTAINERS)
    ]
    for place in PLACES:
        made = [*itertools.chain(*of_backend(place).values()), *left_of_backend(place)]
        found += [Look(place.backend, BACKENDS, one.fault, str(one), one.make) for one in made]
    first = {look.fault: look for look in reversed(found) if _is_seen(look)}
    return tuple(first[fault] for fault in sorted(first.keys() - known))


def _is_seen(look: Look) -> bool:
    return not look.fault.startswith("login.") and look.name not in OF_THE_PROOF


_SUPERVISED = (*supervised.MENDED, *supervised.PERSONS, *supervised.SEEN)
_CASES = (*MENDED, *PERSONS, *_SUPERVISED)
_OF_HALEXT = [look for look in map(_of, _CASES) if _is_seen(look)]
SICK = (*_OF_HALEXT, *_elsewhere({look.fault for look in _OF_HALEXT}))
# The examples as they are; and what differs from health is kept beside these.
HEALTHY = tuple(
    Look(example, suite, "", "healthy", partial(Host.root, script=NOTHING))
    for example, suite in {look.example: look.suite for look in SICK}.items()
)
SUPERVISED = dataclasses.replace(_of(supervised.HEALTHY), name="healthy under supervisord")
