"""Several env files of one backend, and an environment that is in the unit itself."""

import os
from pathlib import Path
from typing import Any

import pytest

from relogin import Accounts, Backend, EnvFile, Secret, Unreadable, shell, unit_text
from relogin.facts import env_file as fact
from relogin.facts.observation import Observation
from relogin.finding import Finding
from relogin.operations.env_file import FAULTS
from relogin.operations.own_command import as_owner
from tests.facts.answers import run
from tests.operations.looks import carried_out, changes, found

CODE = Secret.seen("canary-code-of-today")
UNIT = "[Service]\nUser=halext\nEnvironment=DEV_MODE=false\nExecStart=/bin/true\n"


@pytest.fixture
def folder(tmp_path: Path, undo: Path) -> Path:
    return tmp_path


def described(*files: EnvFile) -> Backend:
    return Backend("halext", env_file=files, accounts=Accounts())


def seen(backend: Backend) -> Observation:
    states = []
    for declared in backend.env_files:
        answer = run(fact.script(declared.path))
        state = fact.parse(declared.path, answer, reader=declared.readers[0])
        if not isinstance(state, Unreadable) and fact.must_be_kept(declared):
            state = fact.with_kept(state, declared, run(fact.kept_script(backend, declared)))
        states.append(state)
    return Observation(machine=Unreadable("not asked"), env_files=tuple(states))


def findings(backend: Backend) -> list[Finding]:
    return found(FAULTS, seen(backend), backend)


def mended(backend: Backend) -> None:
    for change in changes(FAULTS, seen(backend), backend):
        answer = carried_out(change)
        assert 0 == answer.status, answer.text


def a_file(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def two_files(folder: Path, base: str, secret: str, **keys: Any) -> Backend:
    """The first file declares the keys, the last one is read after it."""
    return described(
        EnvFile(a_file(folder / "base.env", base), keys=keys, readers="systemd"),
        EnvFile(a_file(folder / "secret.env", secret), readers="systemd"),
    )


@pytest.mark.parametrize("secret", ["", "DEV_MODE=false\n", "LOG_LEVEL=debug\n"])
def test_a_later_file_that_says_nothing_else_gives_no_finding(folder, secret):
    assert [] == findings(two_files(folder, "DEV_MODE=false\n", secret, DEV_MODE="false"))


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ("DEV_MODE=true\n", "DEV_MODE in {} is not the declared value"),
        ("DEV_MODE=\n", "DEV_MODE is empty in {}"),
    ],
)
def test_a_later_file_that_overrules_the_declared_value_is_set_right(folder, secret, what):
    backend = two_files(folder, "DEV_MODE=false\n", f"A=1\n{secret}B=2\n", DEV_MODE="false")
    (finding,) = findings(backend)
    assert what.format(folder / "secret.env") == finding.what
    mended(backend)
    assert ("A=1\nDEV_MODE=false\nB=2\n", "DEV_MODE=false\n") == (
        (folder / "secret.env").read_text(),
        (folder / "base.env").read_text(),
    )


def test_a_file_that_only_systemd_reads_is_judged_as_systemd_reads_it(folder):
    """A `;` begins a comment there, and `export` is no word of its own."""
    backend = two_files(folder, ";DEV_MODE=true\nexport DEV_MODE=false\n", "", DEV_MODE="false")
    (finding,) = findings(backend)
    assert f"DEV_MODE is missing in {folder / 'base.env'}" == finding.what


def of_unit(path: Path, **keys: Any) -> Backend:
    return described(EnvFile(str(path), keys=keys, readers="systemd-unit", mode=0o644))


def test_the_environment_of_a_unit_is_mended_like_a_file_and_the_unit_stays(folder):
    unit = folder / "halext-api.service"
    unit.write_text(UNIT)
    unit.chmod(0o644)
    backend = of_unit(unit, DEV_MODE="false", ACCESS_CODE=CODE)
    (finding,) = findings(backend)
    assert f"ACCESS_CODE is missing in {unit}" == finding.what

    mended(backend)

    assert [] == findings(backend)
    line = 'Environment="ACCESS_CODE=canary-code-of-today"\n'
    assert UNIT.replace("false\n", f"false\n{line}") == unit.read_text()
    assert 0o644 == unit.stat().st_mode & 0o777


@pytest.mark.parametrize(("name", "by_person"), [("halext-api.service", True), ("a.conf", False)])
def test_a_lost_drop_in_is_made_anew_but_not_a_unit(folder, name, by_person):
    backend = of_unit(folder / name, DEV_MODE="false", ACCESS_CODE=CODE)
    (finding,) = findings(backend)
    assert ("env_file.missing", by_person) == (finding.fault, finding.by_person)


@pytest.mark.skipif(os.geteuid() != 0, reason="a drop-in is given to root")
def test_a_drop_in_that_is_made_anew_has_its_section_and_belongs_to_root(folder):
    mended(of_unit(folder / "env.conf", DEV_MODE="false", ACCESS_CODE=CODE))
    text = (folder / "env.conf").read_text()
    assert text.startswith("[Service]\n")
    assert {"DEV_MODE": "false", "ACCESS_CODE": CODE.reveal()} == unit_text.values(text)
    assert (0, 0o644) == (
        (folder / "env.conf").stat().st_uid,
        (folder / "env.conf").stat().st_mode & 0o777,
    )


def test_a_kept_value_that_a_unit_has_lost_comes_back_from_the_undo_store(folder):
    unit = folder / "halext-api.service"
    kept = UNIT.replace("DEV_MODE=false", 'DEV_MODE=true "MAIL=of before"')
    unit.write_text(kept)
    mended(of_unit(unit, DEV_MODE="false", MAIL=Secret.kept()))
    unit.write_text(UNIT)

    mended(of_unit(unit, DEV_MODE="false", MAIL=Secret.kept()))

    assert {"DEV_MODE": "false", "MAIL": "of before"} == unit_text.values(unit.read_text())


WORDS = ["sh", "-c", 'printf "%s|" "$PWD" "$CODE" "$@"', "-", "it's", "$HOME"]


@pytest.mark.parametrize(
    ("reader", "code"), [("systemd", "a 'b' $c"), ("sh", "a 'b' $c"), ("python-dotenv", "")]
)
def test_a_command_of_the_backend_gets_what_it_does_not_read_itself(folder, reader, code):
    text = "CODE=\"a 'b' \\$c\"\n"
    backend = described(EnvFile(a_file(folder / "some.env", text), readers=reader))
    script = as_owner(backend, seen(backend), str(folder), WORDS)
    assert f"{folder}|{code}|it's|$HOME|" == run(f"{shell.PRELUDE}\n{script}").text.decode()
