"""What runs is never stopped while something that its next start needs is broken."""

import ast
import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relogin.backend import Backend
from relogin.fault import LAYERS, NO_ROOM, Change
from relogin.finding import Finding
from relogin.operations import service_control
from relogin.operations.catalogue import FAULTS
from relogin.operations.service_control import NEEDED
from relogin.parts.runtime import Compose, Runtime, Supervisor, Systemd

from .services import observation, state

ROOT = Path(__file__).parents[2]
# Where alone a script may stop something, and where only a person is told to.
STOPPING = {"service_control.py", "compose_control.py"}
TOLD = {"service_processes.py"}
TIMER = {
    "timer.py",
    "kinds.py",
}  # of our own schedule, whose service is left to run; and undo of it
STOPS = re.compile(
    r"\b(systemctl|supervisorctl|control|compose|docker|pg_ctlcluster|service)( -\S+| {\w+})* "
    r"(stop|restart|kill|try-restart|reload-or-restart|down|rm|update|{verb})(?![\w-])"
)
RUNTIMES: tuple[Runtime, ...] = (
    Systemd("halext-api"),
    Supervisor("halext"),
    Compose("/srv/app", "web"),
)


def texts(path: Path) -> Iterator[str]:
    """Give a module's texts, but for what it says of itself and of a fault's check or remedy."""
    tree = ast.parse(path.read_text())
    said = [
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in {"check", "remedy", "about"}
    ]
    left_out = {id(part) for value in said for part in ast.walk(value)}
    for node in ast.walk(tree):
        documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            left_out |= {id(part) for part in ast.walk(node.body[0])}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in left_out:
            yield str(node.value)


def test_only_the_modules_that_guard_it_stop_anything():
    places = [
        path for part in ("operations", "src", "facts") for path in (ROOT / part).rglob("*.py")
    ]
    found = {path.name for path in places if any(STOPS.search(text) for text in texts(path))}
    assert STOPPING | TOLD | TIMER == found


@pytest.mark.parametrize("part", RUNTIMES, ids=repr)
@pytest.mark.parametrize(
    "fix", [service_control.restart, service_control.restart_failed, service_control.update]
)
def test_every_restart_has_the_guard(part: Runtime, fix: Callable[..., Iterator[Change]]):
    (change,) = fix(Backend("mine", service=part), observation(state("active")), Finding("x"))
    by_memory = isinstance(part, Supervisor) and change.why.startswith("supervisorctl restart")
    unminded = {"service.bad-setting", "service.unit-missing"} if by_memory else set()
    assert set(NEEDED) - unminded == set(change.unless)


@pytest.mark.parametrize("part", RUNTIMES, ids=repr)
def test_a_start_has_it_where_something_runs_which_compose_makes_anew(part: Runtime):
    backend, running = Backend("mine", service=part), state("active")
    stopped = dataclasses.replace(running, active=False)
    guards = [
        change.unless
        for seen in (running, stopped)
        for change in service_control.start(backend, observation(seen), Finding("x"))
    ]
    assert [NEEDED, ()] == guards


def test_what_a_start_needs():
    assert {*NO_ROOM, "venv", "env_file", "jwt", "postgres", "migrations"} <= set(NEEDED)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_what_a_fault_names_exists(fault):
    known = {*LAYERS, *(one.id for one in FAULTS)}
    assert [] == [one for one in (*fault.unless, *fault.symptom_of) if one not in known]


def test_what_a_start_needs_exists():
    assert [] == [one for one in NEEDED if one not in {*LAYERS, *(each.id for each in FAULTS)}]
