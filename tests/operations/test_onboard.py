"""What is refused before a bare host is changed, what is planned, and what is written there."""

import dataclasses
import shutil
import subprocess
from typing import Any

import pytest

from relogin import (
    Backend,
    Compose,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Jwt,
    Onboard,
    Postgres,
    Secret,
    Source,
    Supervisor,
    Systemd,
    Venv,
)
from relogin.facts.bare import Bare
from relogin.facts.compose_state import Container, Project, Volume
from relogin.facts.env_file import MissingEnvFile
from relogin.facts.machine import FileSystem, Machine
from relogin.facts.observation import Observation
from relogin.facts.service_state import ServiceState
from relogin.facts.venv import BrokenVenv
from relogin.finding import Unreadable
from relogin.operations import (
    onboard_checks,
    onboard_plan,
    packages,
    project,
    service_files,
    system_user,
    web_server,
)

ROOT = "/srv/mine"
UNIT = Systemd("mine", working_directory=ROOT, user="mine", exec_start=f"{ROOT}/run")
BARE = Bare(
    0,
    "ada",
    "x86_64",
    os="Debian GNU/Linux 12 (bookworm)",
    debian=True,
    systemd=True,
    room={"/": 4 * 1024 * 1024},
    missing=("git", "postgresql"),
    strangers=("mine",),
    code="none",
)
SEEN = Observation(
    machine=Machine(0.0, "root", 0, "Linux", (FileSystem("/", (ROOT,), 9**9, 9**8, 9**6, 9**5),)),
    env_files=(MissingEnvFile(f"{ROOT}/.env", "", f"{ROOT}/.env", None),),
    venv=BrokenVenv(f"{ROOT}/env", there=False, is_venv=False, owner=""),
    postgres=Unreadable("no psql"),
)


def backend(**changed: Any) -> Backend:
    known: dict[str, Any] = {
        "service": UNIT,
        "venv": Venv(f"{ROOT}/env", requirements=f"{ROOT}/requirements.txt"),
        "env_file": EnvFile(
            f"{ROOT}/.env",
            keys={
                "URL": DatabaseUrl(user="u", database="d"),
                "KEY": Secret.generated(),
                "MODE": "live",
            },
        ),
        "database": Postgres(url=FromEnv("URL")),
        "source": Source(ROOT, remote="https://git.example/mine.git"),
        "onboard": Onboard(server_name="mine.example"),
    }
    return Backend("mine", **(known | changed))


def refused(one: Backend, bare: Bare = BARE, seen: Observation = SEEN) -> dict[str, str]:
    checks = onboard_checks.checked(one, seen, bare, "main")
    return {check.name: check.said for check in checks if not check.ok}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"onboard": None}, "declare onboard=Onboard()"),
        ({"service": Supervisor("mine")}, "this one has Supervisor"),
        ({"service": None}, "this one has no service"),
        ({"service": Systemd("mine"), "venv": None}, "declare Onboard(user=…)"),
    ],
)
def test_a_description_that_cannot_be_onboarded_says_what_to_declare(changed, said):
    assert said in onboard_checks.unfit(backend(**changed))


def test_a_bare_debian_stands_in_nobody_s_way():
    assert "" == onboard_checks.unfit(backend())
    assert {} == refused(backend())


@pytest.mark.parametrize(
    ("bare", "name", "said"),
    [
        ({"uid": 1000}, "user", "without root"),
        ({"debian": False}, "distribution", "install what git, postgresql is there"),
        ({"systemd": False}, "distribution", "systemd does not run"),
        ({"room": {"/": 1024}}, "disk", "make room, 1024 MiB at least"),
    ],
)
def test_a_host_that_cannot_have_it_is_refused(bare, name, said):
    found = refused(backend(), dataclasses.replace(BARE, **bare))
    assert [name] == [*found]
    assert said in found[name]


def test_a_host_whose_clock_is_wrong_is_refused():
    assert isinstance(SEEN.machine, Machine)
    ahead = dataclasses.replace(SEEN, machine=dataclasses.replace(SEEN.machine, ahead=7200.0))
    found = refused(backend(token=Jwt(secret=FromEnv("KEY"))), seen=ahead)
    assert ["clock"] == [*found]


def test_a_kept_value_cannot_be_made_up_and_is_named_with_what_to_declare():
    url = DatabaseUrl(user="u", database="d", password=Secret.kept())
    keys = {"URL": url, "KEY": Secret.kept(), "MODE": "live"}
    found = refused(backend(env_file=EnvFile(f"{ROOT}/.env", keys=keys)))
    assert ["env file"] == [*found]
    assert found["env file"].startswith(f"URL of {ROOT}/.env, KEY of {ROOT}/.env: ")
    assert "Secret.env" in found["env file"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Source(ROOT), "declare Source(remote=ADDRESS)"),
        (Source(ROOT, checkout="/nosuch"), "/nosuch"),
        (None, "declare source=Source(…)"),
    ],
)
def test_code_that_nobody_can_bring_is_refused(source, said):
    bare = dataclasses.replace(BARE, lacking=(ROOT,))
    found = refused(backend(source=source), bare)
    assert ["source"] == [*found]
    assert said in found["source"]


def test_a_unit_that_is_not_there_has_to_be_declared():
    state = ServiceState(
        "mine.service", exists=False, active=False, state="inactive", load="not-found"
    )
    gone = dataclasses.replace(SEEN, service=state)
    found = refused(backend(service=Systemd("mine", user="mine")), seen=gone)
    assert {"service"} == {*found}
    assert "declare Systemd(exec_start=…)" in found["service"]


def test_the_plan_says_each_step_and_no_value():
    lines = list(
        onboard_plan.lines(
            backend(), SEEN, dataclasses.replace(BARE, unnamed=("mine.example",)), "main"
        )
    )
    assert [
        "install git, postgresql by apt",
        "make the system's user mine, as whom nobody logs in",
        f"fetch main to {ROOT}, for mine",
        "have nginx hand requests for mine.example on to http://127.0.0.1:8000",
        f"build {ROOT}/env, with what {ROOT}/requirements.txt asks for",
        f"write {ROOT}/.env: URL, KEY made anew; MODE as declared",
        "make the role u and the database d, where they are not",
        "write /etc/systemd/system/mine.service, hardened, and start it now and with the host",
    ] == lines


def test_a_host_that_has_all_of_it_is_left_alone():
    there = Bare(0, "ada", "x86_64", debian=True, systemd=True, code="git")
    for step in (packages, system_user, web_server):
        assert [] == list(step.changes(backend(), there))


def test_an_interrupted_dpkg_is_gone_on_with_though_nothing_is_missing():
    half = Bare(0, "ada", "x86_64", debian=True, systemd=True, half=True)
    assert ["dpkg --configure -a"] == [one.why for one in packages.changes(backend(), half)]


def test_the_scripts_are_those_of_a_shell():
    bare = dataclasses.replace(BARE, unnamed=("mine.example",))
    for step in (packages, system_user, web_server):
        for change in step.changes(backend(), bare):
            subprocess.run(["sh", "-n"], input=change.script.encode(), check=True)
    declared = backend(service=PROJECT, venv=None)
    for change in (
        *project.making(declared, composed(), bare),
        *project.starting(declared, composed(Container("1", "db", "created")), bare),
    ):
        subprocess.run(["sh", "-n"], input=change.script.encode(), check=True)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_a_unit_that_is_onboarded_is_hardened_and_systemd_knows_every_setting(tmp_path):
    text = service_files.unit(UNIT, "mine", "network.target", hardened=True)
    path = tmp_path / "mine.service"
    path.write_text(text.replace(f"{ROOT}/run", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", path], capture_output=True, text=True, check=False
    )
    assert "Unknown" not in done.stderr
    assert "NoNewPrivileges=yes" in text
    assert "ProtectHome=yes" in text


def test_homes_are_not_hidden_from_a_backend_that_lives_in_one():
    at_home = dataclasses.replace(UNIT, working_directory="/home/ada/app")
    text = service_files.unit(at_home, "mine", "network.target", hardened=True)
    assert "ProtectHome" not in text
    assert "Protect" not in service_files.unit(UNIT, "mine", "network.target")


PROJECT = Compose(
    ROOT, "web", files=["compose.yml"], database_service="db", needs=["cache"], volumes=["data"]
)
CONFIG = {"services": {"web": {"build": {"context": "."}}, "db": {}, "cache": {}}}


def composed(*containers: Container, volumes: tuple[Volume, ...] = ()) -> Observation:
    known = Project("mine", config=CONFIG, containers=containers, volumes=volumes, service="web")
    return dataclasses.replace(
        SEEN,
        service=ServiceState(
            "mine/web", exists=False, active=False, state="", load="no-container", project=known
        ),
    )


def of_the_project(seen: Observation) -> tuple[list[str], list[str]]:
    """Give what would be made, and what would be started."""
    declared = backend(service=PROJECT, venv=None)
    both = project.making(declared, seen, BARE), project.starting(declared, seen, BARE)
    return ([one.why for one in both[0]], [one.why for one in both[1]])


def test_a_compose_project_is_onboarded_and_says_what_it_needs():
    declared = backend(service=PROJECT, venv=None, onboard=Onboard())
    assert "" == onboard_checks.unfit(declared)
    assert {} == refused(declared)
    assert {"docker.io", "docker-cli", "docker-compose"} < {*packages.facts.packages(declared)}
    assert (
        f"make the images, the volumes data and the containers of each service in {ROOT},"
        " and start them (docker compose up -d)"
    ) in onboard_plan.lines(declared, SEEN, BARE, "main")


def test_a_distribution_whose_docker_compose_is_too_old_is_refused():
    declared = backend(service=PROJECT, venv=None)
    bare = dataclasses.replace(BARE, missing=("docker-compose",), offered=("1.29.2-3",))
    assert "1.29.2-3 only" in refused(declared, bare)["distribution"]
    for known in ((), ("1.29.2-3", "2.26.1-4")):
        assert {} == refused(declared, dataclasses.replace(bare, offered=known))


def test_what_a_project_lacks_is_made_and_started_once():
    assert (
        ["docker compose build web; docker compose up --no-start web db cache"],
        [],
    ) == of_the_project(composed())
    half = composed(
        Container("1", "db", "created"),
        Container("2", "cache", "exited", exit_status=0),
        volumes=(Volume("mine_data"),),
    )
    assert (
        ["docker compose build web; docker compose up --no-start web"],
        ["docker compose up -d db"],
    ) == of_the_project(half)
    whole = [Container(name, name, "running") for name in ("web", "db", "cache")]
    assert ([], []) == of_the_project(composed(*whole, volumes=(Volume("mine_data"),)))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (composed(Container("2", "cache", "running")), "volume mine_data does not exist"),
        (composed(volumes=(Volume("old_data", "old", "data"),)), "project old had one"),
    ],
)
def test_no_empty_volume_is_made_where_the_project_had_one(seen, said):
    with pytest.raises(ValueError, match=said):
        of_the_project(seen)
