"""Faults of what is installed, made and mended in real venvs, with wheels of our own."""

from pathlib import Path

import pytest

from relogin.facts.service import ServiceState
from relogin.finding import Severity
from relogin.operations import venv
from tests.facts.answers import run
from tests.facts.venvs import make_venv, make_wheel
from tests.operations.installed import (
    DOWN,
    WELL,
    described,
    found,
    look,
    mended,
    pip,
    saying,
    version,
)
from tests.operations.undoing import taken_back

pytestmark = pytest.mark.usefixtures("undo")
REFUSED = "ValueError: password cannot be longer than 72 bytes, truncate manually if necessary"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "colt", "1.0")
    make_wheel(folder, "jwt", "1.4", module="jwt/__init__.py")
    make_wheel(folder, "PyJWT", "2.10", module="jwt/__init__.py")
    make_wheel(folder, "jose", "1.0", module="jose/__init__.py")
    make_wheel(folder, "python_jose", "3.5", module="jose/__init__.py")
    make_wheel(folder, "stable", "1.0", "hay>=2")
    make_wheel(folder, "hay", "1.0")
    make_wheel(folder, "hay", "2.0")
    make_wheel(folder, "yoke", "1.0", more={"yoke_beam.py": "wide = True\n"})
    make_wheel(folder, "passlib", "1.7.4")
    make_wheel(folder, "bcrypt", "4.3.0")
    make_wheel(folder, "bcrypt", "5.0.0")
    make_wheel(folder, "PyYAML", "6.0", module="yaml/__init__.py")
    return folder


@pytest.fixture
def env(tmp_path: Path) -> Path:
    make_venv(tmp_path / "env", pip=True)
    return tmp_path / "env"


def test_modules_that_are_gone_are_installed_anew_in_the_version_that_was_there(env, wheels):
    backend = described(env, wheels, "hay\n")
    pip(backend, "install", "hay==1.0")
    next(env.glob("lib/*/site-packages/hay.py")).unlink()
    (finding,) = found(backend)
    assert ("venv.files-missing", Severity.CRITICAL) == (finding.fault, finding.severity)
    assert finding.seen == "hay.py: in its RECORD, but not there"
    assert ["venv.files-missing"] == mended(backend)
    assert ([], "1.0") == (found(backend), version(backend, "hay"))


def test_what_was_changed_by_hand_in_a_distribution_installed_anew_can_be_brought_back(env, wheels):
    backend = described(env, wheels, "yoke\n")
    pip(backend, "install", "yoke")
    module = next(env.glob("lib/*/site-packages/yoke.py"))
    module.write_text("patched = True\n")
    module.with_name("yoke_beam.py").unlink()
    assert ["venv.files-missing"] == mended(backend)
    assert "version = '1.0'\n" == module.read_text()
    assert {0} == {answer.status for answer in taken_back(backend)}
    assert "patched = True\n" == module.read_text()


@pytest.mark.parametrize(
    ("intruder", "wrong", "meant", "right"),
    [("jwt", "1.4", "PyJWT", "2.10"), ("jose", "1.0", "python-jose", "3.5")],
)
def test_a_module_of_another_distribution_is_given_back_to_the_one_that_is_meant(
    env, wheels, intruder, wrong, meant, right
):
    backend = described(env, wheels, f"{meant}=={right}\n")
    pip(backend, "install", meant)
    pip(backend, "install", intruder)
    assert wrong == version(backend, intruder)
    (finding,) = found(backend)
    assert ("venv.module-owned-by-another-distribution", f"{meant} alone") == (
        finding.fault,
        finding.expected,
    )
    assert [finding.fault] == mended(backend)
    assert ([], right) == (found(backend), version(backend, intruder))
    assert {0} == {answer.status for answer in taken_back(backend)}
    assert wrong == version(backend, intruder)


def test_an_intruder_in_the_place_of_the_one_that_is_meant(env, wheels):
    backend = described(env, wheels, "PyJWT==2.10\n")
    pip(backend, "install", "jwt")
    faults = [finding.fault for finding in found(backend)]
    assert ["venv.module-owned-by-another-distribution", "venv.requirement-missing"] == faults
    seen = look(backend)
    (finding,) = venv.OWNED_BY_ANOTHER.found(backend, seen)
    (change,) = venv.OWNED_BY_ANOTHER.fix(backend, seen, finding)
    assert 0 == run(f"(\n{change.script}\n)").status
    assert ([], "2.10") == (found(backend), version(backend, "jwt"))


def test_what_the_eviction_leaves_behind_where_it_is_cut_is_mended_by_the_next_run(env, wheels):
    backend = described(env, wheels, "PyJWT\n")
    pip(backend, "install", "PyJWT")
    pip(backend, "install", "jwt")
    pip(backend, "uninstall", "jwt")  # takes what both have in common with it
    assert "jwt/__init__.py: in its RECORD, but not there" == found(backend)[0].seen
    assert ["venv.files-missing"] == mended(backend)
    assert "2.10" == version(backend, "jwt")


def test_where_the_requirements_ask_for_the_wrong_one_a_person_corrects_them(env, wheels):
    backend = described(env, wheels, "PyJWT\njwt\n")
    pip(backend, "install", "-r", backend.venv.requirements[0])
    (finding,) = found(backend)
    assert finding.by_person
    assert finding.remedy == f"take jwt out of {env.parent}/requirements.txt line 2: PyJWT is meant"


def test_distributions_that_do_not_fit_are_made_to_where_the_service_suffers(env, wheels):
    backend = described(env, wheels, "stable\n")
    pip(backend, "install", "stable")
    pip(backend, "install", "hay==1.0")
    for hurt in (DOWN, saying("ImportError: cannot import name 'straw'", state=WELL)):
        (finding,) = found(backend, hurt)
        assert (Severity.CRITICAL, False) == (finding.severity, finding.by_person)
    assert finding.seen == "stable needs hay>=2, and there is 1.0"
    assert ["venv.broken-set"] == mended(backend, DOWN)
    assert ([], "2.0") == (found(backend, DOWN), version(backend, "hay"))


@pytest.mark.parametrize("service", [None, WELL])
def test_what_does_not_fit_but_works_is_left_alone_with_a_warning(env, wheels, service):
    backend = described(env, wheels, "stable\n")
    pip(backend, "install", "stable")
    pip(backend, "uninstall", "hay")
    (finding,) = found(backend, service)
    assert ("venv.broken-set", Severity.WARNING, True) == (
        finding.fault,
        finding.severity,
        finding.by_person,
    )
    (finding,) = found(backend, service, status=500)
    assert finding.critical


def test_a_module_that_another_distribution_needs_is_no_unlisted_one(env, wheels):
    backend = described(env, wheels, "stable\n")
    pip(backend, "install", "--no-deps", "stable")
    assert ["venv.broken-set"] == [one.fault for one in found(backend, absent("hay"))]


def test_what_the_requirements_themselves_pin_against_each_other_is_a_persons(env, wheels):
    backend = described(env, wheels, "stable\nhay==1.0\n")
    pip(backend, "install", "--no-deps", "stable", "hay==1.0")
    (finding,) = found(backend, DOWN)
    assert finding.by_person
    assert finding.remedy == (
        f"hay==1.0 ({env.parent}/requirements.txt line 2) cannot be: correct the file"
    )


def test_a_bcrypt_that_passlib_cannot_use_is_replaced_where_it_refuses_passwords(env, wheels):
    backend = described(env, wheels, "passlib\nbcrypt\n")
    pip(backend, "install", "passlib", "bcrypt==5.0.0")
    for sound in (WELL, saying("ValueError: other", state=WELL)):
        assert [] == found(backend, sound)
    refused = saying(REFUSED, state=WELL)
    (finding,) = found(backend, refused)
    assert "venv.passlib-without-bcrypt" == finding.fault
    assert "passlib 1.7.4 cannot use bcrypt 5.0.0: it refuses every password" == finding.what
    assert [finding.fault] == mended(backend, refused)
    assert ([], "4.3.0") == (found(backend, refused), version(backend, "bcrypt"))


@pytest.mark.parametrize(("pin", "by_person"), [("bcrypt==5.0.0", True), ("bcrypt>=4", False)])
def test_where_the_requirements_pin_it_a_person_corrects_them(env, wheels, pin, by_person):
    backend = described(env, wheels, f"passlib\n{pin}\n")
    pip(backend, "install", "passlib", "bcrypt==5.0.0")
    (finding,) = found(backend, saying(REFUSED, state=WELL))
    assert by_person is finding.by_person


def absent(module: str) -> ServiceState:
    return saying(f"ModuleNotFoundError: No module named '{module}'")


def test_a_module_that_nobody_asks_for_is_a_persons_with_its_distribution(env, wheels):
    backend = described(env, wheels, "colt\n")
    pip(backend, "install", "colt")
    (finding,) = found(backend, absent("yaml"))
    assert ("venv.module-without-requirement", True) == (finding.fault, finding.by_person)
    assert "the backend imports yaml, which is in no requirements file" == finding.what
    file = f"{env.parent}/requirements.txt"
    assert f"PyYAML in the requirements ({file}), and run again" == finding.remedy


def test_it_is_installed_where_the_description_allows_that(env, wheels):
    backend = described(env, wheels, "colt\n", install_unlisted=True)
    pip(backend, "install", "colt")
    assert ["venv.module-without-requirement"] == mended(backend, absent("yaml"))
    assert ([], "6.0") == (found(backend, absent("yaml")), version(backend, "yaml"))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("ModuleNotFoundError: No module named 'own'", "own in the requirements, or, if it is the"),
        (
            "ModuleNotFoundError: No module named 'google.cloud'",
            "google in the requirements, or, if it is the project's own, its file",
        ),
        ("ModuleNotFoundError: No module named 'telnetlib'", "a version that does without telnet"),
        (
            "ModuleNotFoundError: No module named 'sqlite3'",
            "a Python with sqlite3: it is of the st",
        ),
        (
            'RuntimeError: Form data requires "python-multipart" to be',
            "python-multipart in the req",
        ),
        (
            "ImportError: email-validator is not installed, run `pip",
            "email-validator in the requir",
        ),
    ],
)
def test_whatever_is_not_known_for_certain_stays_a_persons(env, wheels, said, meant):
    backend = described(env, wheels, "", install_unlisted=True)
    (finding,) = found(backend, saying(said))
    known = "requires" in said or "email" in said
    assert (known, True) == (not finding.by_person, finding.expected.startswith(meant))


@pytest.mark.parametrize(
    "service",
    [
        None,
        saying("ModuleNotFoundError: No module named 'yaml'", state=WELL),
        saying("ModuleNotFoundError: No module named 'yaml'", "KeyError: 'A'"),
        saying("ModuleNotFoundError: No module named 'colt'"),
        saying("ModuleNotFoundError: No module named 'pip'"),
        saying("ModuleNotFoundError: No module named 'hub.lost'"),  # for there is a hub
        saying("ModuleNotFoundError: No module named 'yaml.lost'; 'yaml' is not a package"),
    ],
)
def test_what_runs_or_is_asked_for_or_is_there_is_no_finding(env, wheels, service):
    backend = described(env, wheels, "colt\n")
    assert ["venv.requirement-missing"] == [one.fault for one in found(backend, service)]


def test_a_login_that_fails_over_a_module_names_it_although_the_service_runs(env, wheels):
    backend = described(env, wheels, "")
    lazily = saying("ModuleNotFoundError: No module named 'jose'", state=WELL)
    assert [] == found(backend, lazily)
    (finding,) = found(backend, lazily, status=500)
    assert "python-jose[cryptography] in the requirements" == finding.expected


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("env/bin/gunicorn hub.main:app --bind 127.0.0.1:8000", []),
        ("env/bin/gunicorn hub.wsgi", []),
        ("env/bin/python -m hub", ["venv.module-without-requirement"]),
        ("env/bin/uvicorn main:app --app-dir hub", ["venv.module-without-requirement"]),
    ],
)
def test_what_the_command_names_is_no_requirement(env, wheels, command, said):
    down = saying("ModuleNotFoundError: No module named 'hub'")
    down = ServiceState(**{**vars(down), "commands": (command,)})
    assert said == [one.fault for one in found(described(env, wheels, ""), down)]
