"""The relogin command, run as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from relogin.operations.catalogue import FAULTS
from relogin.report.files import schema

COMMAND = str(Path(sys.executable).with_name("relogin"))


def ran(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *words], capture_output=True, text=True, check=False)


def test_it_lists_every_fault_with_what_is_seen_and_who_mends_it() -> None:
    done = ran("faults")
    lines = done.stdout.splitlines()
    assert (0, "") == (done.returncode, done.stderr)
    assert [one.id for one in FAULTS] == [line.split()[0] for line in lines[:-2:2]]
    assert ["machine.filesystem-read-only", "critical", "you"] == lines[0].split()
    assert lines[1].startswith("    a file system that is written to has become read-only: ")
    assert "service.port-held critical you" in " ".join(done.stdout.split())
    assert "login.refused critical its cause" in " ".join(done.stdout.split())


def test_a_layer_lists_its_own_faults() -> None:
    ids = [line.split()[0] for line in ran("faults", "jwt").stdout.splitlines() if line[:1] > " "]
    assert [one.id for one in FAULTS if one.layer == "jwt"] == ids[:-1]


def test_a_fault_is_explained_with_the_commands_to_look_for_it_by_hand() -> None:
    done = ran("faults", "service.failed")
    assert 0 == done.returncode
    assert done.stdout.startswith("service.failed  critical\n  seen       the service has failed\n")
    assert "machine.inodes-full, venv, env_file, " in done.stdout
    assert "    systemctl status UNIT" in done.stdout
    assert "    UNIT: the systemd unit\n" in done.stdout
    assert "ROLE" not in done.stdout
    assert "--data skip=service.failed" in done.stdout


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("venv.mising", "there is no fault 'venv.mising'; did you mean 'venv.missing'?"),
        ("servce", "there is no fault 'servce'; did you mean 'service'?"),
        (
            "nosuch.fault",
            "there is no fault 'nosuch.fault'; there is machine, venv, image, env_file, jwt,"
            " volumes, postgres, migrations, database, accounts, service, login",
        ),
    ],
)
def test_an_unknown_fault_ends_with_64_and_the_nearest_one(word: str, said: str) -> None:
    done = ran("faults", word)
    assert (64, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("nosuch",), ("faults", "--nosuch"), ("faults", "a", "b")])
def test_what_is_asked_for_wrongly_ends_with_64(words: tuple[str, ...]) -> None:
    done = ran(*words)
    assert (64, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("Usage: relogin")


def test_json_says_the_same_for_programs() -> None:
    told = json.loads(ran("faults", "--json").stdout)
    jsonschema.validate(told, schema("faults"))
    assert 1 == told["version"]
    assert [one.id for one in FAULTS] == [one["id"] for one in told["faults"]]
    [one] = json.loads(ran("faults", "service.port-held", "--json").stdout)["faults"]
    assert ("service", "critical", "you", True) == (
        one["layer"],
        one["severity"],
        one["by"],
        one["person"],
    )
    assert all(isinstance(line, str) for line in one["check"])


def test_a_reader_that_stops_reading_is_no_error() -> None:
    piped = f"{COMMAND} faults | head -n 1"
    done = subprocess.run(["sh", "-c", piped], capture_output=True, text=True, check=True)
    assert ("", 1) == (done.stderr, done.stdout.count("\n"))


def test_it_knows_its_version() -> None:
    assert ran("--version").stdout.startswith("relogin, version ")
