"""What tests share: the lab's hosts, and how many examples a property is tried on."""

import os
from collections.abc import Iterator
from queue import Queue

import pytest
from hypothesis import settings

from .lab import steps, windows
from .lab.base import (
    BACKENDS,
    BARE,
    BARE_ENGINE,
    BARE_TRIXIE,
    BOOKWORM,
    COMPOSE,
    TRIXIE,
)
from .lab.booted import booted
from .lab.host import Host
from .lab.leaks import assert_handed_back
from .lab.side_by_side import SECONDS, in_all, slowest

# The same examples in every run: whoever sees a failure can repeat it.
settings.register_profile(
    "relogin",
    derandomize=True,
    deadline=None,
    print_blob=True,
    max_examples=2000 if os.environ.get("RELOGIN_TEST_ALL") else 200,
)
settings.load_profile("relogin")

FIXTURES = {
    "lab": (BOOKWORM, 2),
    "hosts_for_cases": (BOOKWORM, 3),
    "trixie": (TRIXIE, 1),
    "containers": (COMPOSE, 1),
    "many": (BACKENDS, 1),
    "bare": (BARE, 1),
    "bare_trixie": (BARE_TRIXIE, 1),
    "bare_engines": (BARE_ENGINE, 3),
}


def pytest_report_header() -> str:
    return f"samples by seed {steps.SEED} (RELOGIN_TEST_SEED draws others)"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if seconds := terminalreporter.config.stash.get(SECONDS, {}):
        terminalreporter.section("slowest cases on lab hosts, with healing")
        terminalreporter.write_line("\n".join([*slowest(seconds), in_all(seconds)]))
    if windows.SEEN:
        terminalreporter.section("for how long nobody could log in during a release or a restore")
        terminalreporter.write_line("\n".join(windows.lines()))


@pytest.fixture(scope="session")
def fleet(request: pytest.FixtureRequest) -> Iterator[list[Host]]:
    """All hosts that the chosen tests want, booted when the first of them asks for one."""
    names = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    with booted(dict(FIXTURES[name] for name in FIXTURES if name in names)) as hosts:
        yield hosts


@pytest.fixture(autouse=True)
def nothing_leaked(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test leaked on a host turns that test red: healing looks for it, and so does this."""
    hosts = [
        host
        for name in ("lab", "trixie", "containers", "many")
        if name in request.fixturenames
        for host in _all(request.getfixturevalue(name))
    ]
    yield
    for host in hosts:
        if host.use.made:
            assert_handed_back(host)


def _all(found: Host | list[Host]) -> list[Host]:
    return found if isinstance(found, list) else [found]


@pytest.fixture(scope="session")
def lab(fleet: list[Host]) -> list[Host]:
    """Two healthy hosts with Debian 12; a test heals what it broke."""
    return [host for host in fleet if host.suite == BOOKWORM][:2]


@pytest.fixture(scope="session")
def hosts_for_cases(fleet: list[Host]) -> "Queue[Host]":
    """The hosts with Debian 12 that nobody uses: whoever takes one puts it back healed."""
    free: Queue[Host] = Queue()
    for host in fleet:
        if host.suite == BOOKWORM:
            free.put(host)
    return free


@pytest.fixture(scope="session")
def trixie(fleet: list[Host]) -> Host:
    """A healthy host with Debian 13; a test heals what it broke."""
    return next(host for host in fleet if host.suite == TRIXIE)


@pytest.fixture(scope="session")
def containers(fleet: list[Host]) -> Host:
    """A healthy host with a Docker Engine and two backends; a test heals what it broke."""
    return next(host for host in fleet if host.suite == COMPOSE)


@pytest.fixture(scope="session")
def many(fleet: list[Host]) -> Host:
    """A healthy host with many backends; a test heals what it broke."""
    return next(host for host in fleet if host.suite == BACKENDS)


@pytest.fixture(scope="session")
def bare(fleet: list[Host]) -> Host:
    """A Debian 12 with sshd, systemd and sudo, and nothing else; one test has it."""
    return next(host for host in fleet if host.suite == BARE)


@pytest.fixture(scope="session")
def bare_trixie(fleet: list[Host]) -> Host:
    """The same with Debian 13."""
    return next(host for host in fleet if host.suite == BARE_TRIXIE)


@pytest.fixture(scope="session")
def bare_engines(fleet: list[Host]) -> list[Host]:
    """Three with Debian 13 that find their projects' base images once they have an engine."""
    return [host for host in fleet if host.suite == BARE_ENGINE]
