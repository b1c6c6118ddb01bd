"""The one look, taken on this machine: what does not arrive is unreadable, and nothing else is."""

import base64
import dataclasses
import getpass
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyinfra.connectors.util import CommandOutput, OutputLine

from relogin import (
    Account,
    Accounts,
    Backend,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Peer,
    Postgres,
    Secret,
    Supervisor,
    Unreadable,
    Venv,
)
from relogin.facts.accounts import Table
from relogin.facts.connection import Connection
from relogin.facts.env_file import EnvFileState
from relogin.facts.machine import Machine
from relogin.facts.observation import Observation, look, with_login
from relogin.facts.postgres_state import Server
from relogin.facts.proof import Check, Proof
from relogin.facts.venv import VenvState
from relogin.remote import unframed
from tests.core.runs import connected
from tests.operations.looks import recorded

URL = "postgresql://halext_user:canary-password@127.0.0.1:1/halext_org"
PARTS = ("machine", "env_0", "venv", "service", "postgres")
Lines = list[str]


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    """A backend with every part; its psql is a script that answers what a real one did."""
    (tmp_path / "answer").write_bytes(recorded("halext")["postgres"].text + b"\n")
    psql = tmp_path / "psql"
    psql.write_text(f"#!/bin/sh\ncat >{tmp_path}/asked; cat {tmp_path}/answer\n")
    psql.chmod(0o755)
    (tmp_path / "env").write_text(f"DATABASE_URL={URL}\nCODE=canary-code\n")
    keys = {"DATABASE_URL": DatabaseUrl(user="halext_user", database="halext_org"), "CODE": "x"}
    return Backend(
        "mine",
        service=Supervisor("nosuch", config=f"{tmp_path}/nosuch.conf"),
        venv=Venv(sys.prefix),
        env_file=EnvFile(f"{tmp_path}/env", keys=keys),
        database=Postgres(
            url=FromEnv("DATABASE_URL"), admin=Peer(os_user=getpass.getuser(), psql=str(psql))
        ),
        accounts=Accounts(present=[Account("ops")]),
    )


@dataclasses.dataclass
class Wire:
    """What goes over the channel: how many commands, and what becomes of their answers."""

    host: Any
    commands: int = 0
    meddle: Callable[[Lines], Lines] = list

    def __post_init__(self) -> None:
        self._real = self.host.run_shell_command
        self.host.run_shell_command = self

    def __call__(self, *words: Any, **options: Any) -> tuple[bool, CommandOutput]:
        self.commands += 1
        ok, output = self._real(*words, **options)
        lines = unframed("\n".join(output.stdout_lines).encode() + b"\n")
        return ok, CommandOutput(
            [OutputLine("stdout", line) for line in framed(self.meddle(lines))]
        )


def framed(lines: Lines) -> Lines:
    """Give what a host would have written whose parts say this."""
    body = "\n".join(lines)
    sum_of = hashlib.sha256(body.encode()).hexdigest()
    return ["", "#relogin 2", *(lines or [""]), f"#end {len(body)} {sum_of}  -"]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with connected() as (_, host):
        yield Wire(host)


def seen(wire: Wire, backend: Backend) -> Observation:
    observation = look(wire.host, backend)
    assert isinstance(observation, Observation)
    return observation


def test_one_command_sees_it_all(wire, backend):
    observation = seen(wire, backend)
    assert 1 == wire.commands
    assert (Machine, VenvState, Server, Table) == (
        type(observation.machine),
        type(observation.venv),
        type(observation.postgres),
        type(observation.accounts),
    )
    assert URL == observation.env("DATABASE_URL")
    assert ["service"] == [layer for layer, _ in observation.unreadable()]


def test_what_is_not_declared_is_not_looked_at(wire):
    observation = seen(wire, Backend("bare"))
    assert Observation(machine=observation.machine) == observation
    assert [] == list(observation.unreadable())


@pytest.mark.parametrize("lost", PARTS)
def test_a_part_that_does_not_arrive_is_unreadable_and_no_other(wire, backend, lost):
    whole = dict(seen(wire, backend).unreadable())
    wire.meddle = lambda lines: [line for line in lines if not line.startswith(f"{lost}\t")]
    missing = dict(seen(wire, backend).unreadable())
    layers = {"env_0": {"env_file"}, "postgres": {"postgres", "accounts"}}.get(lost, {lost})
    assert layers | whole.keys() == missing.keys()
    assert {"its part of the answer did not arrive"} == {missing[layer] for layer in layers}


@pytest.mark.parametrize("lost", PARTS)
@pytest.mark.parametrize(
    "nonsense", ["\xff\xfe{", '{"part": "server"}\n{', "one\ntwo\nthree\nfour", ""]
)
def test_a_part_that_makes_no_sense_is_unreadable_and_no_other(wire, backend, lost, nonsense):
    """Whatever a part says, the look does not raise: an exception would abort every host."""
    whole = dict(seen(wire, backend).unreadable())

    def garble(lines: Lines) -> Lines:
        framed = base64.b64encode(nonsense.encode("latin-1") + b"\n#rc=0").decode()
        return [f"{lost}\t{framed}" if line.startswith(f"{lost}\t") else line for line in lines]

    wire.meddle = garble
    missing = dict(seen(wire, backend).unreadable())
    layers = {"env_0": {"env_file"}, "postgres": {"postgres", "accounts"}}.get(lost, {lost})
    assert layers | whole.keys() == missing.keys()
    assert all("\n" not in reason for reason in missing.values())


@pytest.mark.parametrize("mangled", ["hex:zz", "%%%", "YQ==", "YQo="])
def test_a_part_whose_frame_is_broken_did_not_arrive(wire, backend, mangled):
    wire.meddle = lambda lines: [
        f"machine\t{mangled}" if line.startswith("machine\t") else line for line in lines
    ]
    assert Unreadable("its part of the answer did not arrive") == seen(wire, backend).machine


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("Socket is closed"), "the connection failed: OSError: Socket is closed"),
        (TimeoutError(), "no answer within 45 s; what was running may still run"),
        (EOFError(), "the connection failed: EOFError"),
    ],
)
def test_a_connection_that_breaks_is_unreadable(wire, backend, error, said):
    def breaks(lines: Lines) -> Lines:
        raise error

    wire.meddle = breaks
    assert Unreadable(said) == look(wire.host, backend)


def test_a_part_that_cannot_be_asked_for_is_no_exception(wire, backend):
    """A name that no shell or SQL text can hold; out of an operation it would abort every host."""
    nul = dataclasses.replace(backend, accounts=Accounts(present=[Account("x")]))
    object.__setattr__(nul.accounts.present[0], "login", "a\0b")
    failed = look(wire.host, nul)
    assert isinstance(failed, Unreadable)
    assert failed.reason.startswith("relogin itself failed in the look: ValueError at sql.py:")


def undeclared(backend: Backend, url: Any = None) -> Backend:
    files = EnvFile(backend.env_files[0].path, keys={"DATABASE_URL": Secret.kept()})
    database = dataclasses.replace(backend.database, url=url or FromEnv("DATABASE_URL"))
    return dataclasses.replace(backend, env_file=files, database=database)


def test_a_database_whose_url_is_only_on_the_host_takes_a_second_command(wire, backend, tmp_path):
    observation = seen(wire, undeclared(backend))
    assert (2, Server) == (wire.commands, type(observation.postgres))
    assert "'halext_org'" in (tmp_path / "asked").read_text()


def test_a_database_url_from_a_secret_takes_a_second_command_too(wire, backend, tmp_path):
    seen(wire, undeclared(backend, Secret.seen(URL.replace("halext_org", "other_db"))))
    assert 2 == wire.commands
    assert "'other_db'" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CODE=1\n", "FromEnv(key='DATABASE_URL') has no value"),
        ("DATABASE_URL=mysql://u:canary-x@h/d\n", "the driver, before ://, is none of"),
        ("DATABASE_URL=postgresql://:1/\n", "the database URL names no user or no database"),
    ],
)
def test_without_a_url_that_can_be_read_there_is_no_second_command(
    wire, backend, tmp_path, text, said
):
    (tmp_path / "env").write_text(text)
    observation = seen(wire, undeclared(backend))
    assert 1 == wire.commands
    assert isinstance(observation.postgres, Unreadable)
    assert observation.postgres.reason.startswith(said)
    assert observation.postgres == observation.accounts
    assert "canary" not in str(observation)


def test_a_second_command_that_breaks_costs_the_database_alone(wire, backend):
    def breaks_later(lines: Lines) -> Lines:
        if wire.commands == 2:
            raise OSError("Socket is closed")
        return lines

    wire.meddle = breaks_later
    observation = seen(wire, undeclared(backend))
    assert isinstance(observation.env_files[0], EnvFileState)
    assert Unreadable("the connection failed: OSError: Socket is closed") == observation.postgres


def test_the_last_file_that_has_a_value_is_in_force(wire, tmp_path):
    for name, text in (("a", "K=1\nL=1\n"), ("b", "K=2\nL=\n"), ("c", "")):
        (tmp_path / name).write_text(text)
    files = [EnvFile(f"{tmp_path}/{name}") for name in ("a", "b", "c", "nosuch")]
    observation = seen(wire, Backend("mine", env_file=files))
    assert ("2", "1", None) == tuple(observation.env(key) for key in ("K", "L", "M"))
    assert not isinstance(observation.env_files[3], EnvFileState | Unreadable)


FAILED = Proof("ops", "http://h/", (Check("login", False, "answered 401"),), status=401)


def test_the_backends_own_url_is_only_tried_where_the_login_failed(wire, backend):
    observation = seen(wire, backend)
    good = Proof("ops", "http://h/", (Check("login", True, "in"),), status=200)
    assert None is with_login(wire.host, backend, observation, good).connection
    assert (
        Connection(ok=False, refused=True)
        == with_login(wire.host, backend, observation, FAILED).connection
    )
    assert None is with_login(wire.host, Backend("bare"), observation, FAILED).connection


def test_a_url_that_cannot_be_read_is_not_tried(wire, backend, tmp_path):
    (tmp_path / "env").write_text("CODE=1\n")
    tried = with_login(wire.host, backend, seen(wire, backend), FAILED)
    assert isinstance(tried.connection, Unreadable)


def test_nothing_of_a_look_shows_a_value(wire, backend):
    shown = repr(seen(wire, backend))
    assert "canary" not in shown
    assert "$2b$" not in shown
