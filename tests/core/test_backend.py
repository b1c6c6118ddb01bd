"""What a description accepts, and what it gives back."""

import copy
import json

import pytest

from relogin import (
    Account,
    Accounts,
    Alembic,
    Api,
    Backend,
    DatabaseUrl,
    EnvFile,
    Fault,
    FromEnv,
    Journey,
    Jwt,
    Login,
    Peer,
    Postgres,
    Probe,
    Secret,
    Step,
    Supervisor,
    Systemd,
    Venv,
)

OPS = Accounts(present=[Account("ops", password=Secret.env("OPS"))])
URL = "http://127.0.0.1/token"
FULL = Backend(
    "full-1.0_x",
    service=Supervisor("api"),
    login=Login(URL, "ops", headers={"X": FromEnv("K"), "Y": Secret.env("Y")}),
    env_file=[
        EnvFile("/a", keys={"K": "1", "U": DatabaseUrl(user="u", database="d")}),
        EnvFile("/b", keys={"K": Secret.generated()}),
    ],
    venv=Venv("/env", requirements="/r.txt", pip_args=["--no-index"]),
    database=Postgres(url=FromEnv("U"), tables="users", admin=Peer(port=1)),
    migrations=Alembic("/srv"),
    accounts=OPS,
    token=Jwt(secret=FromEnv("K")),
    probes=Probe("http://h/"),
    accepted={"env_file.missing": "so it is"},
    faults=[Fault("env_file.mine", lambda backend, seen: None)],
)


def test_it_prints_as_its_name():
    assert "Backend('full-1.0_x')" == repr(FULL) == str(FULL)


def test_one_stands_for_a_list_of_one_and_a_list_for_a_tuple():
    assert ("/r.txt",) == FULL.venv.requirements
    assert (("--no-index",), ("users",)) == (FULL.venv.pip_args, FULL.database.tables)
    assert ((Probe("http://h/"),), 1) == (FULL.probes, len(FULL.faults))
    assert ("/a", "/b") == tuple(file.path for file in FULL.env_files)
    assert ("/a",) == tuple(file.path for file in Backend("b", env_file=EnvFile("/a")).env_files)
    assert () == Backend("b").env_files


def test_it_is_written_as_json_without_any_value():
    said = json.loads(json.dumps(Backend("b", env_file=FULL.env_file, accounts=OPS).to_json()))
    assert "Secret.env('OPS')" == said["accounts"]["present"][0]["password"]
    assert "Secret.generated()" == said["env_file"][1]["keys"]["K"]


def test_a_copy_is_as_good():
    """Pyinfra hands out copies of host data."""
    copied = copy.copy(FULL)
    assert (FULL, hash(FULL), "full-1.0_x") == (copied, hash(copied), copied.name)
    assert 1 == len({FULL, copied})
    assert FULL == copy.deepcopy(FULL)


def test_it_cannot_be_changed():
    with pytest.raises(AttributeError):
        FULL.name = "other"


def test_the_last_file_that_declares_a_key_wins():
    assert Secret.generated() == FULL.declared("K")
    assert None is FULL.declared("nosuch")


def test_the_secrets_that_have_to_come_from_here():
    assert {Secret.env("OPS"), Secret.env("Y")} == set(FULL.secrets())


def test_a_secret_that_only_a_probe_needs_stops_no_other_run():
    journey = Journey("mfa", "ops", [Step("GET", "/{totp}")], totp=Secret.env("TOTP"))
    backend = Backend("b", accounts=OPS, login=Login(URL, "ops"), api=Api(journeys=[journey]))
    assert [Secret.env("OPS")] == list(backend.secrets())


@pytest.mark.parametrize(
    ("backend", "directory"),
    [
        (Backend("a", service=Systemd("x", working_directory="/w"), venv=Venv("/v/env")), "/w"),
        (Backend("a", env_file=EnvFile("/e/.env"), venv=Venv("/v/env")), "/e"),
        (Backend("a", venv=Venv("/v/env")), "/v"),
        (Backend("a"), "/"),
    ],
)
def test_where_the_backends_own_commands_run(backend, directory):
    assert directory == backend.directory


def test_the_full_name_of_a_unit():
    assert "api.service" == Systemd("api").full_name == Systemd("api.service").full_name


def test_a_name_in_braces_may_be_left_out_or_escaped():
    assert Accounts(create="make {login} {{x}}").create == "make {login} {{x}}"
