"""What cannot be released says why in one line, and a release that failed stops the others."""

import re

import pytest
from pyinfra.api import Config, FunctionCommand, Inventory, State, operation
from pyinfra.api.host import Host
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.api.state import StateStage

from relogin import (
    Account,
    Accounts,
    Backend,
    Login,
    Secret,
    Source,
    Supervisor,
    Systemd,
    releasing,
)
from relogin.facts.compose_state import Project
from relogin.facts.migrations import Revision
from relogin.facts.observation import Observation
from relogin.facts.release_new import NewRevision
from relogin.facts.release_secret import NewSecret
from relogin.facts.release_state import ReleaseState, Tree, UnderWay
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.operations import release_steps, release_unfit
from relogin.operations.release import released
from relogin.parts.configuration import EnvFile, FromEnv
from relogin.parts.database import Alembic
from relogin.parts.proof import Jwt
from relogin.parts.runtime import Compose
from relogin.releasing import Outcome
from tests.core.runs import connected, logged, ran

SOURCE = Source("/srv/mine")
LOGIN = Login("http://127.0.0.1:9/token", account="ada")
ACCOUNTS = Accounts(present=[Account("ada", password=Secret.seen("of-the-test"))])
SERVICE = Systemd("mine", working_directory="/srv/mine")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"service": SERVICE, "login": LOGIN}, "declares no source=Source(…)"),
        ({"service": SERVICE, "source": SOURCE}, "declares no login"),
        (
            {"service": Supervisor("mine"), "login": LOGIN, "source": SOURCE},
            "runs by Supervisor, and releases are made for Systemd and Compose",
        ),
    ],
)
def test_what_cannot_be_released_says_why_and_changes_nothing(fields, said):
    entry, succeeded, lines = ran(released, Backend("mine", accounts=ACCOUNTS, **fields))
    assert not succeeded
    assert [] == entry.changes
    assert any(said in line for line in lines), lines


def test_a_revision_that_git_would_take_for_an_option_is_refused():
    backend = Backend("mine", service=SERVICE, login=LOGIN, accounts=ACCOUNTS, source=SOURCE)
    _, succeeded, lines = ran(released, backend, revision="--upload-pack=x")
    assert not succeeded
    assert any("is none that git has" in line for line in lines), lines


def test_after_one_that_failed_no_other_is_begun():
    backend = Backend("mine", service=SERVICE, login=LOGIN, accounts=ACCOUNTS, source=SOURCE)
    with connected() as (state, host), logged():
        one = releasing.of(state, host, backend)
        assert "" == releasing.stopped(state)
        for outcome in (Outcome.RELEASED, Outcome.ALREADY, Outcome.PLANNED):
            one.outcome = outcome
            assert "" == releasing.stopped(state)
        for outcome in (Outcome.REFUSED, Outcome.BACK, Outcome.NEITHER, Outcome.UNKNOWN):
            one.outcome = outcome
            assert "@local · mine" == releasing.stopped(state)


def test_hosts_are_released_in_the_order_of_the_inventory():
    """Enough of them that a set would hardly have them so by chance."""
    names = [f"web{number}" for number in (3, 1, 4, 15, 9, 2, 6, 5, 35, 8)]
    state = State(Inventory((names, {})), Config(), check_for_changes=False)
    for name in sorted(names):
        state.activate_host(state.inventory.get_host(name))
    worked: list[str] = []

    @operation()
    def work():
        def noted(state: State, host: Host) -> bool:
            worked.append(host.name)
            return host.name != "web4"

        yield FunctionCommand(noted, (), {})

    releasing.in_order(state)
    add_op(state, work, _serial=True)
    state.set_stage(StateStage.Execute)
    run_ops(state)
    assert names == worked
    assert [name for name in names if name != "web4"] == [
        host.name for host in state.inventory.get_active_hosts()
    ]


MIGRATED = Backend("mine", migrations=Alembic("/srv/mine", "alembic upgrade head"), source=SOURCE)
PENDING = (Revision("0002", ("0001",)),)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (NewRevision(), ""),
        (NewRevision(PENDING, ("0001",)), ""),
        (NewRevision(PENDING, ("0001",), lasting=("0002",)), "migration 0002 deletes, or has no"),
        (NewRevision(PENDING, None), "no single revision to go back to"),
        (NewRevision(PENDING, ("0001", "000x")), "no single revision to go back to"),
    ],
)
def test_what_cannot_be_undone_has_to_be_allowed(new, said):
    problem = release_unfit.problem(MIGRATED, SOURCE, new, allowed=False)
    assert (said in problem) if said else problem == ""
    assert bool(said) == ("needs --data allow_irreversible=true" in problem)
    assert "" == release_unfit.problem(MIGRATED, SOURCE, new, allowed=True)


def test_migrations_with_several_heads_are_refused_before_anything_is_stopped():
    new = NewRevision(PENDING, ("0001",), rivals=("0002", "0003"))
    problem = release_unfit.problem(MIGRATED, SOURCE, new, allowed=True)
    assert "several newest migrations, 0002, 0003" in problem
    all_of_them = Backend("mine", migrations=Alembic("/srv/mine", "alembic upgrade heads"))
    assert "" == release_unfit.problem(all_of_them, SOURCE, new, allowed=True)


def test_a_schema_that_the_running_code_bears_needs_no_way_back():
    first = Source("/srv/mine", migrate_first=True)
    assert "" == release_unfit.problem(MIGRATED, first, NewRevision(PENDING, None), allowed=False)


def test_a_revision_with_an_env_file_of_its_own_is_refused_whatever_is_allowed():
    new = NewRevision(env_files=("backend/.env",))
    assert "the revision itself holds backend/.env" in release_unfit.problem(
        MIGRATED, SOURCE, new, allowed=True
    )


def test_a_revision_that_would_delete_an_env_file_is_refused_whatever_is_allowed():
    new = NewRevision(gone=("backend/.env",))
    said = release_unfit.problem(MIGRATED, SOURCE, new, allowed=True)
    assert "has no backend/.env any more, and would delete it on the host" in said


def test_a_revision_whose_compose_files_are_none_is_refused():
    new = NewSecret(Project("", config_error="no service selected"))
    said = release_unfit.new_secret(MIGRATED, Observation(machine=Unreadable("not asked")), new)
    assert "the revision's compose files: no service selected" == said


def test_a_revision_with_submodules_is_refused():
    new = NewRevision(submodules=True)
    assert "submodules" in release_unfit.problem(MIGRATED, SOURCE, new, allowed=True)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"KEY": "as-it-was"}, ""),
        ({"KEY": "another"}, "everybody would be logged out"),
        ({}, "everybody would be logged out"),
    ],
)
def test_new_compose_files_with_another_jwt_secret_are_found(declared, said):
    backend = Backend(
        "mine",
        service=Compose("/srv/mine", "web"),
        env_file=EnvFile("/srv/mine/.env", keys={"KEY": Secret.kept()}),
        token=Jwt(secret=FromEnv("KEY")),
    )

    def look(config: dict[str, str]) -> Observation:
        project = Project("mine", {"services": {"web": {"environment": config}}})
        state = ServiceState(
            "mine/web", exists=True, active=True, state="running", project=project,
            environ={"KEY": "as-it-was"},
        )  # fmt: skip
        return Observation(machine=Unreadable("not asked"), service=state)

    new = NewSecret(look(declared).service.project)
    problem = release_unfit.new_secret(backend, look({}), new)
    assert (said in problem) if said else problem == ""
    assert "another\n" not in problem
    assert "as-it-was" not in problem


def test_the_running_code_is_stopped_for_migrations_that_it_does_not_bear():
    seen = Observation(machine=Unreadable("not asked"))
    backend = Backend(
        "mine", service=SERVICE, migrations=Alembic("/srv/mine", "alembic upgrade head")
    )
    for first, migrate, stops in ((False, True, True), (True, True, False), (False, False, False)):
        source = Source("/srv/mine", migrate_first=first)
        change = release_steps.switch(backend, seen, source, "b" * 40, migrate=migrate)
        assert stops == ("systemctl --no-ask-password stop mine.service" in change.script)
        assert migrate == ("alembic upgrade head" in change.script)


@pytest.mark.parametrize(
    ("fields", "first", "plan"),
    [
        ({"service": SERVICE}, False, ("check it out", "start it")),
        (
            {"service": SERVICE, "migrations": Alembic("/srv/mine", "alembic upgrade head")},
            True,
            ("check it out", "run its migrations, if any, while the former code runs", "start it"),
        ),
        (
            {
                "service": Compose("/srv/mine", "web", database_service="db"),
                "migrations": Alembic("/srv/mine", "alembic upgrade head"),
            },
            False,
            (
                "check it out and build the image of web, and of nothing else",
                "run its migrations, if any, while nothing runs",
                "make the container of web anew",
            ),
        ),
    ],
)
def test_what_would_be_done_is_what_this_backend_needs(fields, first, plan):
    source = Source("/srv/mine", migrate_first=first)
    assert plan == release_steps.planned(Backend("mine", **fields), source)


def test_in_compose_only_the_backends_own_service_is_touched_and_no_volume():
    seen = Observation(machine=Unreadable("not asked"))
    backend = Backend("mine", service=Compose("/srv/mine", "web", database_service="db"))
    (image,) = release_steps.prepare(backend, seen, SOURCE, None, "b" * 40)
    switch = release_steps.switch(backend, seen, SOURCE, "b" * 40, migrate=False)
    under_way = UnderWay("r", "a" * 40, "b" * 40, "forward")
    state = ReleaseState(Tree(), under_way=under_way)
    back = release_steps.back(backend, seen, SOURCE, state, failed="x", said="")
    for change in (image, switch, back):
        commands = re.findall(r"\bcompose (?:build|up|stop|rm|down|restart|run).*", change.script)
        assert commands
        assert [] == [one for one in commands if " web" not in one or " db" in one], commands
        assert not re.search(r"\bdown\b|\bvolume\b|--volumes| -v ", change.script)
    assert "compose build web" in image.script
    assert "up -d --no-deps --no-build web" in switch.script
    assert 'docker tag relogin-former/mine "$(told image)"' in back.script
