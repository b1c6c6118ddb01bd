"""Backups that are not restored, said before anything changes: as the host has them, and judged."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from relogin import Account, Accounts, Backend, Backup, Columns, Jwt, Secret, Unreadable
from relogin.facts.observation import Observation
from relogin.facts.postgres_state import Target
from relogin.facts.revisions import Migrations, Revision
from relogin.facts.side_database import Kept, Sides
from relogin.operations import backup_take, restore_judged, restore_look, side_sql
from relogin.operations.restore_look import Difference
from tests.embedded.server import Server
from tests.facts.answers import run

from .backups import TABLES, sealed_again
from .databases import described
from .releases import changed

COLUMNS = Columns(login="name", email=None, password="hash", active="active", admin=None)
TARGET = Target("app", "spoiled", 0)


@pytest.fixture(scope="module")
def backend(server: Server) -> Backend:
    server.sql("CREATE ROLE app LOGIN; CREATE DATABASE spoiled")
    server.sql(TABLES, "spoiled")
    declared = Accounts(columns=COLUMNS, present=(Account("ada"),))
    return described(server, "app", "spoiled", declared, schema="shop")


@pytest.fixture(scope="module")
def whole(server: Server, backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of that database."""
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(state))
        script = backup_take.script(backend, None, replace(TARGET, port=server.port))  # type: ignore[arg-type] # only an own command needs it
        answer = changed(script)
    assert 0 == answer.status, answer.text
    [made] = (state / "relogin/awkward/backups").iterdir()
    return made


@pytest.fixture
def made(whole: Path, undo: Path) -> Path:
    """A copy of it where this test's backups are."""
    return shutil.copytree(whole, undo / "relogin/awkward/backups" / whole.name)


def judged(backend: Backend, server: Server, given: str = "") -> str:
    target = replace(TARGET, port=server.port)
    scripts = restore_look.scripts(backend, target, given)
    found = restore_look.parse({name: run(script) for name, script in scripts.items()})
    assert not isinstance(found, Unreadable), found
    return restore_judged.unfit(backend, target, *found)


def head(made: Path, **values: object) -> None:
    """Change what its manifest says, and its sum."""
    first, *rest = (made / "manifest").read_text().splitlines(keepends=True)
    assert values.keys() <= json.loads(first).keys()
    text = json.dumps({**json.loads(first), **values})
    (made / "manifest").write_text("".join([text, "\n", *rest]))
    sealed_again(made)


def _cut(made: Path) -> None:
    dump = made / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-4])


def _cut_with_new_sums(made: Path) -> None:
    dump = made / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-400])
    sealed_again(made)


def _flipped(made: Path) -> None:
    """A block of the data is another one; `pg_restore --list` takes it all the same."""
    dump = made / "database.dump"
    text = bytearray(dump.read_bytes())
    at = len(text) - 120
    text[at : at + 40] = bytes(40)
    dump.write_bytes(text)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda made: None, ""),
        (_cut, "it is not whole: its sums do not hold"),
        (_flipped, "it is not whole: its sums do not hold"),
        (lambda made: (made / "roles.sql").unlink(), "it is not whole"),
        (lambda made: (made / "manifest").unlink(), "it is not whole"),
        (lambda made: (made / "SHA256SUMS").unlink(), "it is not whole"),
        (lambda made: (made / "more").touch(), "it is not whole"),
        (_cut_with_new_sums, "its dump does not read back"),
        (lambda made: head(made, relogin=2), "its manifest is none of this version"),
        (lambda made: head(made, backend="other"), "is of database spoiled of backend other"),
        (lambda made: head(made, database="other"), "is of database other of backend awkward"),
        (lambda made: head(made, roles=["app", "gone"]), "roles of the backup are missing: gone"),
        (lambda made: head(made, size=10**15), "MB may be needed"),
    ],
    ids=range(13),
)
def test_what_is_not_whole_or_not_for_here_is_named(backend, server, made, spoil, said):
    spoil(made)
    found = judged(backend, server, made.name)
    assert said in found
    assert bool(said) == bool(found)


def test_the_newest_is_meant_and_one_of_another_place_by_its_path(backend, server, made, tmp_path):
    older = shutil.copytree(made, made.parent / "20200101T000000Z")
    _cut(older)
    assert "" == judged(backend, server)
    assert "not whole" in judged(backend, server, "20200101T000000Z")
    assert "not whole" in judged(backend, server, str(older))
    assert "it is not there" in judged(backend, server, str(tmp_path / "nosuch"))


def test_one_that_is_encrypted_otherwise_than_declared_is_named(backend, server, made):
    other = replace(backend, backup=Backup(encrypt="cat", decrypt="cat"))
    assert "it is encrypted otherwise than" in judged(other, server)


def test_a_database_with_prepared_transactions_or_of_no_superuser_is_not_switched():
    kept = Kept("/b", head={"relogin": 1, "database": "spoiled", "backend": "mine", "size": 1})
    sides = Sides(True, False, (), {"spoiled": {}}, 0, 0, ())
    backend = Backend("mine")

    def said(**other: object) -> str:
        return restore_judged.unfit(backend, TARGET, kept, replace(sides, **other))

    assert "" == said()
    assert "prepared transactions" in said(prepared=1)
    assert "logical replication slots" in said(slots=1)
    assert "no superuser, and ada may not" in said(lacking=("ada may not",))
    assert "standby" in said(standby=True)
    assert "there is no database spoiled" in said(databases={})
    assert "MB are left" in said(room=100)


def difference(now: list[dict[str, str]], then: list[dict[str, str]]) -> Difference:
    def by_id(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
        return {row["id"]: row for row in rows}

    return Difference(by_id(now), by_id(then), 5, Kept("live", migrations=("7",)))


def test_accounts_are_told_apart_by_what_became_of_them():
    now = [
        {"id": "1", "login": "ada", "hash": "x"},
        {"id": "3", "login": "eve", "hash": "x"},
        {"id": "9", "login": "bob", "hash": "x"},
    ]
    then = [
        {"id": "1", "login": "ada", "hash": "y"},
        {"id": "2", "login": "bob", "hash": "x"},
        {"id": "4", "login": "old", "hash": "x"},
    ]
    found = difference(now, then)
    assert ["eve", "bob"] == found.created
    assert ["ada (password)"] == found.changed
    assert ["bob", "old"] == found.come_back
    assert ["bob"] == found.moved
    assert "bob: another id or name in the backup; they log in again" == tokens(found)
    assert "tokens stay good: 5" in tokens(difference(now[:1], then[:1]))


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("id", "eve: another one's id in the backup, and so in the tokens that they have"),
        ("login", "eve: another id or name in the backup; they log in again"),
    ],
)
def test_a_token_that_would_be_another_account_s_is_said(subject, said):
    now, then = {"id": "2", "login": "eve", "hash": "x"}, {"id": "2", "login": "bob", "hash": "x"}
    assert said in tokens(difference([now], [then]), subject)


def tokens(found, subject="id"):
    token = Jwt(secret=Secret.seen("of-the-test"), subject=subject)
    return restore_judged.tokens(Backend("mine", token=token), found)


@pytest.mark.parametrize(
    ("then", "known", "said"),
    [
        (("7",), ("7",), ""),
        (("6",), ("7",), ""),
        (("6",), ("6",), "it lacks migration 7"),
        (("5",), ("7",), "it lacks migration 7"),
        (("7", "8"), ("7",), "it has 8 as well"),
        ((), ("7",), "it lacks migration 7"),
    ],
)
def test_another_schema_is_named_unless_the_code_brings_it_forward(then, known, said):
    """The code has 6 and 7; of a live database that lacks one nothing is said to be harmless."""
    code = Migrations((Revision("6"), Revision("7", ("6",))), recorded=known)
    seen = Observation(machine=Unreadable("not asked"), migrations=code)
    kept = Kept("b", migrations=then)
    found = restore_judged.other_schema(Backend("mine"), kept, difference([], []), seen)
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize("own", ["", "a person's own\nin two lines", "relogin is fine"])
def test_a_comment_of_a_persons_own_is_kept_within_ours(own):
    assert ({"state": "x"}, own) == side_sql.noted(side_sql.note(own, state="x"))
    assert ({}, own) == side_sql.noted(own)


@pytest.mark.parametrize("live", ["shop", "s" * 63, "ü" * 31])
def test_a_name_beside_is_one_that_postgresql_takes(live):
    named = side_sql.named(live, "restore_20261122t093000z")
    assert len(named.encode()) <= 63
    assert named.endswith("_restore_20261122t093000z")
