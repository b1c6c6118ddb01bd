"""A backend whose database has no administrator for us: what is done, and what is left alone."""

import dataclasses
from pathlib import Path

import pytest

from relogin import Account, Accounts, Alembic, Backend, FromEnv, Postgres, Secret
from relogin.database_url import DatabaseAddress, build
from tests.core.places import Place, fault, layer
from tests.core.runs import ran
from tests.embedded.server import Server
from tests.embedded.world import free_port
from tests.operations.databases import literal

PASSWORD = "p@ss:/word"
REASON = "neither seen nor mended without an administrator's view (Postgres admin=None)"
NEEDED = ("postgres", "migrations")


def described(folder: Path, server: Server, **changes: object) -> tuple[Place, Backend]:
    """Give a backend with a key that is sick, and whose mending needs the database."""
    if server.sql("SELECT 1 FROM pg_roles WHERE rolname = 'unseen'") != "1":
        server.sql(f"CREATE ROLE unseen LOGIN PASSWORD {literal(PASSWORD)}")
    url = DatabaseAddress("postgresql", "unseen", PASSWORD, "127.0.0.1", server.port, "postgres")
    place = Place(folder / "env", keys={"DATABASE_URL": Secret.kept()})
    place.write(f"A=0\nDATABASE_URL={build(dataclasses.replace(url, **changes))}\n")
    return place, dataclasses.replace(
        place.backend(),
        database=Postgres(url=FromEnv("DATABASE_URL"), admin=None),
        migrations=Alembic(str(folder)),
        accounts=Accounts(present=(Account("ops"),)),
    )


@pytest.mark.embedded
def test_what_needs_the_database_is_mended_where_the_backends_own_url_connects(tmp_path, server):
    place, backend = described(tmp_path, server)
    record, succeeded, _ = ran(layer(fault("A", place.sets("A"), unless=NEEDED)), backend)
    assert (True, ["mend A"]) == (succeeded, [change.why for change in record.changes])
    assert dict.fromkeys(("postgres", "migrations", "accounts"), REASON) == {
        name: reason for name, reason in record.unseen.items() if name != "host"
    }


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"password": "another"}, "no database by its URL (SQLSTATE 28P01)"),
        ({"port": free_port()}, "no database by its URL (nobody listens there)"),
    ],
)
def test_it_is_held_where_that_does_not_connect(tmp_path, server, changes, why):
    place, backend = described(tmp_path, server, **changes)
    record, succeeded, _ = ran(layer(fault("A", place.sets("A"), unless=NEEDED)), backend)
    assert (False, []) == (succeeded, record.changes)
    assert [f"not tried while there is {why}"] == list(record.held.values())
    assert place.text.startswith("A=0\n")
