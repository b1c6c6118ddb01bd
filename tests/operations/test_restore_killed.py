"""A control process that is killed: one of both databases is live, and the next run ends it."""

import json
import os
import time

import pytest

from .restoring import backed

__all__ = ["backed"]
pytestmark = pytest.mark.embedded
ALL = bool(os.environ.get("RELOGIN_TEST_ALL"))

# What is said just before each step of a restore, by which a test knows where it is.
STEPS = ("restore ", "put database ", "close ")


@pytest.mark.parametrize("step", STEPS if ALL else STEPS[1:2])
def test_a_control_process_that_is_killed_leaves_one_of_both_and_the_next_run_ends_it(backed, step):
    """`kill -9` as a step begins: its remote command goes on, or not."""
    backed.back_up()
    backed.sql("INSERT INTO shop.users VALUES (3, 'eve', '-')")
    assert backed.killed(f"[@local] {step}", "restore_backup", backed.place)
    deadline = time.monotonic() + 60
    while backed.names() not in {"ada,bob", "ada,bob,eve"} and time.monotonic() < deadline:
        time.sleep(0.2)
    assert backed.lets_in()
    code, said = backed.restore(backed.place)
    assert 0 == code, said
    assert backed.lets_in()
    assert "ada,bob" == backed.names()
    former = f"SELECT count(*) FROM pg_database WHERE datname ^@ '{backed.database}_before_'"
    assert int(backed.sql(former)) >= 1
    kept = [name for name in backed.databases() if name.startswith("_before_")]
    backed.sql(f"ALTER DATABASE {backed.database}{kept[0]} ALLOW_CONNECTIONS true", "postgres")
    names = "SELECT string_agg(name, ',' ORDER BY id) FROM shop.users"
    assert "ada,bob,eve" == backed.sql(names, f"{backed.database}{kept[0]}")


@pytest.mark.parametrize("undo", [False, True] if ALL else [False])
def test_a_run_that_ended_between_the_switch_and_the_proof_is_gone_on_with(backed, undo):
    """As `kill -9` of the control process leaves it: the transaction, and nothing behind it."""
    backed.back_up()
    backed.sql("INSERT INTO shop.users VALUES (3, 'eve', '-')")
    assert 0 == backed.restore("rehearse=true")[0]
    _, side = backed.databases()
    live = backed.database
    note = json.dumps({"state": "unproven", "former": f"{live}_before_x"})
    backed.sql(
        f"""BEGIN; ALTER DATABASE {live} RENAME TO {live}_before_x;
        ALTER DATABASE {live}{side} RENAME TO {live};
        COMMENT ON DATABASE {live} IS 'relogin {note}'; COMMIT""",
        "postgres",
    )
    code, said = backed.restore(*(["undo=true"] if undo else []))
    assert "a run was cut behind its switch" in said
    assert (1 if undo else 0) == code, said
    assert backed.lets_in()
    assert ("ada,bob,eve" if undo else "ada,bob") == backed.names()


def test_one_that_is_killed_on_its_way_back_is_gone_on_with(backed):
    """The backend's role may not read what was restored, which only the login shows."""
    backed.sql("REVOKE SELECT ON shop.users FROM app")
    backed.back_up()
    backed.sql("GRANT SELECT ON shop.users TO app; INSERT INTO shop.users VALUES (3, 'eve', '-')")
    assert backed.killed("[@local] switch back to ", "restore_backup", backed.place)
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "not restored: the former database is back, and people can log in" in said
    assert backed.lets_in()
    assert "ada,bob,eve" == backed.names()


UNDOING = ("close ", "put database ", "let people into ")


@pytest.mark.parametrize("step", UNDOING if ALL else UNDOING[:1])
def test_an_undo_that_is_killed_is_ended_by_the_next_one(backed, step):
    backed.back_up()
    backed.sql("INSERT INTO shop.users VALUES (3, 'eve', '-')")
    assert 0 == backed.restore(backed.place)[0]
    assert "ada,bob" == backed.names()
    assert backed.killed(f"[@local] {step}", "restore_backup", "undo=true")
    assert backed.lets_in()
    code, said = backed.restore("undo=true")
    assert 0 == code, said
    assert "the restore is taken back, and people can log in" in said
    assert "ada,bob,eve" == backed.names()
    assert backed.lets_in()
