"""What the venv's faults find in real venvs, and what their fix does there, without a network."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from relogin.backend import Backend
from relogin.facts import venv as fact
from relogin.facts.venv import VenvState
from relogin.finding import Finding, Severity, Unreadable
from relogin.operations import venv
from relogin.parts.runtime import Venv
from tests.facts.answers import run
from tests.facts.venvs import install, make_venv, make_wheel


@pytest.fixture
def env(tmp_path) -> Path:
    site_packages = make_venv(tmp_path / "env")
    install(site_packages, "six", "1.17.0")
    install(site_packages, "idna", "3.10")
    return tmp_path / "env"


def described(env: Path, requirements: str, **more) -> Backend:
    path = env.parent / "requirements.txt"
    path.write_text(requirements)
    return Backend("demo", venv=Venv(str(env), str(path), **more))


def look(backend: Backend) -> SimpleNamespace:
    return SimpleNamespace(
        venv=fact.parse(run(fact.script(backend.venv))), service=None, login=None
    )


def found(backend: Backend) -> dict[str, Finding]:
    seen = look(backend)
    findings = [finding for fault in venv.FAULTS for finding in fault.found(backend, seen)]
    return {finding.fault: finding for finding in findings}


@pytest.mark.parametrize(
    "requirements",
    [
        "six==1.17.0\nidna>=3,<4\n",
        "SIX\n",
        'nosuch; python_version < "3"\n',
        'nosuch; extra == "dev"\n',
        "six @ https://host.example/six.whl\n",
        "-e .\n",
        "",
    ],
)
def test_a_venv_that_meets_its_requirements_is_sound(env, requirements):
    assert found(described(env, requirements)) == {}


def test_a_missing_requirement_is_named_with_its_file_and_line(env):
    backend = described(env, "six\n\npython-dotenv==1.2.4\nbcrypt\n-e .\n")
    finding = found(backend)["venv.requirement-missing"]
    path = f"{env.parent}/requirements.txt"
    assert finding.what == f"bcrypt, python-dotenv are not installed in {env}"
    assert finding.expected == f"python-dotenv==1.2.4 ({path} line 3), bcrypt ({path} line 4)"
    assert finding.seen == f"{path} line 5 not judged: an editable install"
    assert (finding.key, finding.critical) == (("venv.requirement-missing", path), True)


def test_a_requirement_of_the_wrong_version_is_not_a_missing_one(env):
    finding = found(described(env, "six==1.17.0\nidna<3\n"))
    assert list(finding) == ["venv.requirement-wrong-version"]
    assert finding["venv.requirement-wrong-version"].what == f"wrong version in {env}: idna 3.10"


def test_a_requirements_file_that_is_gone_is_a_warning_for_a_person(env):
    backend = described(env, "six\n")
    (env.parent / "requirements.txt").unlink()
    finding = found(backend)["venv.requirements-unreadable"]
    assert (finding.by_person, finding.severity) == (True, Severity.WARNING)
    assert finding.seen == f"{env.parent}/requirements.txt: No such file or directory"


@pytest.mark.parametrize("venv_state", [None, Unreadable("no python")])
def test_nothing_is_guessed_of_a_venv_that_could_not_be_seen(env, venv_state):
    seen = SimpleNamespace(venv=venv_state, service=None, login=None)
    backend = described(env, "nosuch\n")
    assert {fault.found(backend, seen) for fault in venv.FAULTS} == {()}


def mended(backend: Backend) -> tuple[int, str]:
    """Run the fix of the first finding that has one; give its status and what it said."""
    seen = look(backend)
    for fault in venv.FAULTS:
        for finding in fault.found(backend, seen):
            (change,) = fault.fix(backend, seen, finding)
            answer = run(f"(\n{change.script}\n)")
            return answer.status, answer.text.decode()
    return -1, "nothing was found"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "colt", "1.0")
    make_wheel(folder, "colt", "2.0")
    make_wheel(folder, "mule", "1.0")
    return folder


@pytest.fixture(scope="module")
def stable(tmp_path_factory, wheels) -> Backend:
    """A venv with pip."""
    folder = tmp_path_factory.mktemp("stable")
    make_venv(folder / "env", pip=True)
    return described(folder / "env", "", pip_args=("--no-index", "--find-links", str(wheels)))


def require(stable: Backend, text: str) -> None:
    Path(stable.venv.requirements[0]).write_text(text)


def imports(backend: Backend, module: str) -> str:
    program = f"import {module}; print({module}.version)"
    python = [f"{backend.venv.path}/bin/python", "-I", "-c", program]
    return subprocess.run(python, capture_output=True, text=True, check=True).stdout.strip()


def test_a_missing_requirement_is_installed(stable):
    require(stable, "mule==1.0\n")
    assert mended(stable) == (0, "\n")
    assert (found(stable), imports(stable, "mule")) == ({}, "1.0")


def test_a_wrong_version_is_replaced(stable):
    require(stable, "colt==2.0\n")
    assert mended(stable)[0] == 0
    require(stable, "colt==1.0\n")
    assert mended(stable)[0] == 0
    assert (found(stable), imports(stable, "colt")) == ({}, "1.0")


def test_what_is_installed_has_the_rights_that_site_packages_has(stable):
    """Our scripts run under umask 077; a service of another user has to read the module."""
    require(stable, "mule\n")
    state = look(stable).venv
    assert isinstance(state, VenvState)
    (Path(state.site_packages) / "mule.py").unlink(missing_ok=True)
    python = f"{stable.venv.path}/bin/python"
    subprocess.run([python, "-m", "pip", "uninstall", "-qy", "mule"], check=False)
    Path(state.site_packages).chmod(0o755)
    assert mended(stable)[0] == 0
    assert (Path(state.site_packages) / "mule.py").stat().st_mode & 0o777 == 0o644


def test_what_cannot_be_had_fails_with_pips_own_words(stable):
    require(stable, "nosuch==1\n")
    status, said = mended(stable)
    assert status == 1
    assert "No matching distribution found for nosuch==1" in said
    assert list(found(stable)) == ["venv.requirement-missing"]


def test_a_venv_without_pip_gets_it_first_and_not_with_the_projects_own_random(env, wheels):
    (env.parent / "random.py").write_text("raise SystemExit('the wrong random')")
    backend = described(env, "mule\n", pip_args=("--no-index", "--find-links", str(wheels)))
    assert mended(backend)[0] == 0
    assert found(backend) == {}
