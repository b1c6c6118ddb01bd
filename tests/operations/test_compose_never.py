"""What is never done to a Docker Compose project, by no command that can be generated.

No volume is removed, no database's container is made anew, nothing is passed that would do either.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin import Backend
from relogin.facts import observation
from relogin.facts.compose_state import Volume
from relogin.facts.postgres_state import Target
from relogin.fault import Change
from relogin.operations import catalogue, compose_control, release_database, release_images
from relogin.operations.compose_service import started_as_it_is
from relogin.operations.own_command import as_owner
from relogin.parts.runtime import Compose
from tests.lab import base
from tests.lab.recordable import SECRETS, SICK
from tests.operations import composed_deploys, sick
from tests.operations.composed import BACKEND, healthy, observed, of_container, of_project
from tests.operations.test_image import DECLARED, answered, compose_image, raising

REPOSITORY = Path(__file__).parents[2]
CODE = sorted(
    path
    for part in ("src", "facts", "operations", "deploys")
    for path in (REPOSITORY / part).rglob("*.py")
)
# The whole of what is ever asked of the engine, and of Compose.
DOCKER = {"compose", "ps", "inspect", "logs", "cp", "exec", "version", "tag", "port", "image"}
DOCKER |= {"images", "volume", "buildx", "build", "info"}
OF_VOLUMES, OF_IMAGES = {"ls", "inspect"}, {"inspect"}
COMPOSE = {"config", "ps", "logs", "up", "restart", "run", "exec", "build", "images", "ls"}
FORBIDDEN = {"-v", "-V", "--volumes", "--remove-orphans", "--force-recreate", "--rmi", "--rm-dist"}
FORBIDDEN |= {"--renew-anon-volumes", "--always-recreate-deps", "down", "rm", "prune", "kill"}
FORBIDDEN |= {"--volume", "-a=volumes", "system", "rmi"}


def words_after(name: str, text: str) -> Iterator[list[str]]:
    """Give the words of each command that begins with this one, up to its end in the script."""
    for found in re.finditer(rf"(?<![\w/.-]){name} +([^\n;|&()`]*)", text):
        rest = found[1].replace("{", " ").replace("}", " ")
        try:
            yield shlex.split(rest)
        except ValueError:
            yield rest.split()


def wrong(text: str) -> list[str]:
    """Give what a script or a text says that it must not."""
    found = []
    for words in words_after("docker", text):
        verb, *more = [*(word.rstrip(",.:") for word in words), "", ""]
        known = verb in DOCKER or not re.fullmatch(r"[a-z]+", verb)
        allowed = {"volume": OF_VOLUMES, "image": OF_IMAGES}.get(verb)
        if not known or (allowed is not None and more[0] not in allowed):
            found.append(f"docker {' '.join(words)}")
        if verb in DOCKER - {"exec", "compose"} and allowed is None and FORBIDDEN & set(words):
            found.append(f"docker {' '.join(words)}")
    for words in words_after("compose", text):
        found += [f"compose {' '.join(words)}"] if is_wrong(words) else []
    return found


def is_wrong(words: list[str]) -> bool:
    verb = next((word for word in words if word in COMPOSE | FORBIDDEN), "")
    if not verb or words.index(verb) > 4:
        return False  # prose, or the function of that name
    if verb == "config":  # it changes nothing: --volumes lists their names
        return False
    own = words[: words.index(BACKEND.service.service)] if "app" in words else words
    return bool(FORBIDDEN & set(own))


def generated() -> Iterator[str]:
    """Give the scripts of all that sick projects bring about, and of every verb there is."""
    sick = (
        of_project(containers=()),
        of_container(state="exited", exit_status=1),
        of_container(image="sha256:0123"),
        of_container(ports=()),
        of_project(volumes=(Volume("old_pgdata", "old", "pgdata"),)),
        of_project(engine_error="Cannot connect"),
        raising("ModuleNotFoundError: No module named 'jose'"),
    )
    for state in sick:
        built = compose_image.parse(DECLARED.service, answered(built="x\n"))
        seen = observed(state, image=built)
        for fault in catalogue.FAULTS:
            for finding in fault.found(DECLARED, seen):
                changes = fault.fix(DECLARED, seen, finding) if fault.fix else ()
                yield from (change.script for change in changes)
        yield as_owner(BACKEND, seen, "/app", ["alembic", "upgrade", "head"])
    part = BACKEND.service
    assert isinstance(part, Compose)
    for verb in ("start", "restart"):
        yield compose_control.script(part, verb, wait="")
    yield compose_control.stopped(part)
    for service in ("postgres", "redis"):
        yield started_as_it_is(BACKEND, service).script
    yield release_images.built(part, BACKEND.name, "")
    yield release_images.back(BACKEND.name)
    yield release_database.dumped(whole("receptionist"), Target("a", "a", 5432))
    yield release_database.migrated(BACKEND, observed(healthy()))
    yield release_database.downgraded(BACKEND, observed(healthy()), "1a")
    yield from of_recorded()


def whole(example: str) -> Backend:
    """Give a shipped example, with all that it declares."""
    return sick.described(example)


def of_recorded() -> Iterator[str]:
    """Give what every look that was recorded of a host with containers brings about."""
    for look in LOOKS:
        backend = whole(look.example)
        seen = sick.seen(backend, sick.recorded(look.file, look.example))
        yield from observation.scripts(backend).values()
        for fault in catalogue.of(backend):
            for finding in fault.found(backend, seen):
                changes = fault.fix(backend, seen, finding) if fault.fix else ()
                yield from (change.script for change in changes if isinstance(change, Change))


LOOKS = [look for look in SICK if look.suite == base.COMPOSE]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def test_no_script_that_can_be_generated_removes_anything():
    scripts = list(generated())

    assert {"agentcaller", "receptionist"} == {look.example for look in LOOKS}
    assert len(scripts) >= 20 + 2 * len(LOOKS)
    assert [] == [one for script in scripts for one in wrong(script)]


def commands(verb: str) -> list[list[str]]:
    found = (words for script in generated() for words in words_after("compose", script))
    return [words for words in found if words[:1] == [verb]]


def test_whatever_is_started_is_started_alone():
    """Without --no-deps the database's container would be made anew as soon as its files differ."""
    assert commands("up")
    assert [] == [words for words in commands("up") if "--no-deps" not in words]
    assert [] == [words for words in commands("run") if not {"--no-deps", "--rm"} <= set(words)]
    assert [] == [words for words in commands("restart") if "--no-deps" not in words]


def test_only_the_backend_s_own_container_is_ever_made_anew():
    others = [words for words in commands("up") if not {"app", "backend"} & set(words)]

    assert others
    assert [] == [words for words in others if "--no-recreate" not in words]


def test_only_the_backend_s_own_service_is_ever_stopped_or_restarted():
    for verb in ("stop", "restart"):
        assert commands(verb)
        assert [] == [one for one in commands(verb) if not {"app", "backend"} & {*one}]


@pytest.mark.parametrize("deploy", composed_deploys.DEPLOYS)
def test_no_script_of_any_other_deploy_removes_anything_either(deploy):
    scripts = composed_deploys.scripts(deploy)

    assert scripts
    assert [] == [one for script in scripts for one in wrong(script)]


@pytest.mark.parametrize("deploy", composed_deploys.DEPLOYS)
def test_nor_does_it_make_anew_or_stop_what_is_not_the_backend_s(deploy):
    """What onboarding makes there was none of: what is there by then stays as it is."""
    for words in composed(composed_deploys.scripts(deploy)):
        alone = {"app", "backend"} & {*words} and "--no-deps" in words
        if words[0] == "up":
            assert alone or "--no-recreate" in words, words
        elif words[0] in {"run", "restart"}:
            assert alone, words
        elif words[0] == "stop":
            assert {"app", "backend"} & {*words}, words


def composed(scripts: list[str]) -> list[list[str]]:
    found = (words for script in scripts for words in words_after("compose", script))
    return [words for words in found if words]


def test_the_deploys_are_those_that_there_are():
    """A new one has its scripts walked, too; the other three look, mend or write a timer."""
    others = {"restore_access", "diagnose", "probe_api", "schedule_drift"}
    there = {path.stem for path in (REPOSITORY / "deploys").glob("*.py")}
    named = {name.replace("rotate", "rotate_secret") for name in composed_deploys.DEPLOYS}

    assert named | others | {"backends", "__init__"} == there | {"__init__"}


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_text_of_ours_names_what_is_never_done(path):
    """Nor does any advice: every script is made of these texts, and so is every next step."""
    texts = [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    assert [] == [one for text in texts for one in wrong(text)]


@pytest.mark.parametrize(
    "text",
    [
        "docker volume rm app_pgdata",
        "docker rm -f $id",
        "docker compose down -v",
        "compose up -d --remove-orphans",
        "docker system prune",
        "compose rm -s -f db",
        "docker compose -p other up -d --force-recreate db",
        "docker rmi old",
    ],
)
def test_it_does_see_what_it_forbids(text):
    assert wrong(text)


def test_a_healthy_project_generates_nothing():
    seen = observed(healthy())
    found = [fault.found(BACKEND, seen) for fault in catalogue.FAULTS]

    assert [] == [one for each in found for one in each if not one.by_person]
