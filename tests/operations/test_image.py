"""What is wrong with a backend's image: what it was built with, and code that cannot be read."""

import base64
import dataclasses

import pytest

from relogin.facts import compose_image
from relogin.facts.compose_image import ImageState
from relogin.facts.machine import Machine
from relogin.finding import Unreadable
from relogin.operations import image
from relogin.remote import Answer
from relogin.undo import run_id
from tests.operations.composed import BACKEND, healthy, observed, of_container, of_project

DECLARED = dataclasses.replace(
    BACKEND,
    service=dataclasses.replace(
        BACKEND.service, requirements={"requirements.txt": "/app/requirements.txt"}
    ),
)
TODAY = "fastapi==0.165.0\npasslib[bcrypt]==1.7.4\nbcrypt==4.0.1\n"
FITTING = "bcrypt 4.0.1\npasslib 1.7.4\n"


def answered(today=TODAY, built=TODAY, versions=FITTING) -> Answer:
    """Give what a host answers of the two files and of the versions; None: there is none."""
    lines = []
    for name, text in {"today_0": today, "built_0": built, "versions": versions}.items():
        body = f"{text or 'cat: no such file'}\n#rc={0 if text is not None else 1}"
        lines.append(f"{name}\t{base64.b64encode(body.encode()).decode()}")
    return Answer("\n".join(lines).encode(), 0)


def found(*, state=None, **said):
    built = compose_image.parse(DECLARED.service, answered(**said))
    seen = observed(state or healthy(), image=built)
    return [
        (one.fault, one.critical, one.by_person)
        for fault in image.FAULTS
        for one in fault.found(DECLARED, seen)
    ]


def raising(*lines, **container):
    """Give the state of a container that does not stay up, with these last lines of its log."""
    state = of_container(state="restarting", restarts=4, **container)
    log = tuple(f"2026-11-21T17:00:00.1Z {line}" for line in lines)
    return dataclasses.replace(
        state,
        state="restarting",
        sub="auto-restart",
        active=False,
        restarts=4,
        log=log,
        exceptions=lines[-1:],
    )


def test_an_image_that_was_built_from_today_s_requirements_gives_no_finding():
    assert [] == found()


@pytest.mark.parametrize("built", [TODAY.replace("0.165", "0.100"), "passlib\n"])
def test_requirements_that_the_image_was_not_built_with_are_found(built):
    assert [("image.requirements-newer", False, False)] == found(built=built)


def test_what_is_asked_for_and_what_the_image_has_are_said():
    built = compose_image.parse(
        DECLARED.service, answered(built=TODAY.replace("bcrypt==4.0.1", "bcrypt==4.0.0"))
    )

    assert ("bcrypt==4.0.1 (image: bcrypt==4.0.0)",) == built.asked[0].changed


def test_they_keep_people_out_where_the_backend_cannot_import_a_module():
    state = raising("ModuleNotFoundError: No module named 'jose'")

    assert [("image.requirements-newer", True, False)] == found(state=state, built="x\n")


def test_a_crash_loop_is_none_the_less_where_the_container_runs_at_this_moment():
    looping = raising("ModuleNotFoundError: No module named 'jose'")
    state = dataclasses.replace(looping, state="running", sub="starting", active=True, started=100)
    built = compose_image.parse(DECLARED.service, answered(built="x\n"))
    now = Machine(now=101.0, user="root", uid=0, system="Linux")
    seen = dataclasses.replace(observed(state, image=built), machine=now)
    [finding] = image.REQUIREMENTS_NEWER.found(DECLARED, seen)

    assert finding.critical


@pytest.mark.parametrize("said", [{"today": None}, {"built": None}])
def test_a_file_that_is_on_one_side_alone_is_compared_with_nothing(said):
    assert [] == found(**said)


def test_what_the_image_asks_for_beyond_today_s_file_is_no_reason_to_build_it():
    assert [] == found(built=TODAY + "unused==1\n")


def test_a_container_of_an_older_image_is_made_anew_before_another_is_built():
    assert [] == found(state=of_project(image="sha256:0123"), built="x\n")


def test_a_bcrypt_that_passlib_cannot_use_is_built_anew_where_another_is_pinned():
    versions = FITTING.replace("4.0.1", "5.0.0")

    assert [("image.passlib-without-bcrypt", True, False)] == found(versions=versions)


@pytest.mark.parametrize("pin", ["bcrypt==5.0.0", "bcrypt", "httpx"])
def test_where_the_pins_are_wrong_a_person_corrects_them(pin):
    text = TODAY.replace("bcrypt==4.0.1", pin)
    versions = FITTING.replace("4.0.1", "5.0.0")

    assert [("image.passlib-without-bcrypt", True, True)] == found(
        today=text, built=text, versions=versions
    )


def test_a_bcrypt_of_one_s_own_needs_no_passlib():
    assert [] == found(versions="bcrypt 5.0.0\n")


def test_the_former_image_is_tagged_before_the_new_one_is_built():
    seen = observed(healthy(), image=compose_image.parse(DECLARED.service, answered(built="x\n")))
    [finding] = image.REQUIREMENTS_NEWER.found(DECLARED, seen)
    [change] = image.REQUIREMENTS_NEWER.fix(DECLARED, seen, finding)
    own = healthy().project.container("app")
    lines = change.script.splitlines()
    tag = f"docker tag {own.image} ai-receptionist-app:before-{run_id()} || exit"

    assert lines.index(tag) < next(n for n, one in enumerate(lines) if "compose build app" in one)


def test_git_is_not_asked_about_a_folder_with_the_secrets_of_compose_in_its_environment():
    seen = observed(healthy(), image=compose_image.parse(DECLARED.service, answered(built="x\n")))
    [finding] = image.REQUIREMENTS_NEWER.found(DECLARED, seen)
    [change] = image.REQUIREMENTS_NEWER.fix(DECLARED, seen, finding)
    before, _, _ = change.script.partition("said=$(compose build")

    assert "BUILDX_GIT_INFO=false; export BUILDX_GIT_INFO" in before


def test_a_registry_s_port_is_no_tag():
    names = ("app", "app:1", "host:5000/app", "host:5000/app:1")

    assert ["app", "app", "host:5000/app", "host:5000/app"] == list(map(image._repository, names))


@pytest.mark.parametrize(
    ("lines", "fault", "subject"),
    [
        (
            (
                '  File "/app/app/api/deps.py", line 12',
                "    return x",
                "    ^",
                "IndentationError: expected an indented block after function (deps.py, line 12)",
            ),
            "image.code-broken",
            "/app/app/api/deps.py, line 12",
        ),
        (
            (
                '  File "/app/app/main.py", line 3, in <module>',
                "    from app.models import User",
                "ImportError: cannot import name 'User' from 'app.models' (unknown location)",
            ),
            "image.package-without-init",
            "app/models",
        ),
        (
            (
                '  File "/venv/lib/python3.11/site-packages/app/main.py", line 3, in <module>',
                "    from app.api import auth",
                "ModuleNotFoundError: No module named 'app.api'",
            ),
            "image.package-without-init",
            "app/api",
        ),
    ],
)
def test_code_that_python_cannot_use_is_named_by_file_and_line(lines, fault, subject):
    assert [(fault, True, True)] == found(state=raising(*lines))
    seen = observed(raising(*lines))
    [finding] = [one for each in image.FAULTS for one in each.found(DECLARED, seen)]
    assert subject == finding.subject
    assert '"' not in finding.subject


@pytest.mark.parametrize("missing", ["jose", "google.cloud"])
def test_a_package_of_others_that_is_missing_has_lost_no_file(missing):
    place = '  File "/app/app/main.py", line 3, in <module>'
    assert [] == found(state=raising(place, f"ModuleNotFoundError: No module named '{missing}'"))


def test_what_was_corrected_since_and_runs_is_no_finding():
    old = raising('  File "/a.py", line 1', "IndentationError: unexpected indent")
    state = dataclasses.replace(old, state="running", sub="healthy", active=True)

    assert [] == found(state=state)


def test_an_exception_that_came_later_is_what_ended_it():
    state = raising(
        '  File "/a.py", line 1', "IndentationError: unexpected indent", "KeyError: 'SECRET_KEY'"
    )

    assert [] == found(state=state)


def test_a_project_without_a_container_has_no_image_to_judge():
    answer = Answer(b"", compose_image.NO_CONTAINER)

    assert ImageState() == compose_image.parse(DECLARED.service, answer)


def test_files_that_could_not_be_copied_are_not_seen():
    assert isinstance(compose_image.parse(DECLARED.service, Answer(b"", 7)), Unreadable)


def test_what_is_said_of_it_is_json():
    built = compose_image.parse(DECLARED.service, answered())

    assert {
        "changed": {"/opt/ai-receptionist/requirements.txt": []},
        "versions": {"bcrypt": "4.0.1", "passlib": "1.7.4"},
    } == built.to_json()
