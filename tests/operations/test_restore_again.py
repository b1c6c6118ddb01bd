"""A backup that was restored, and is meant a second time: nothing is done where nothing changed."""

import pytest

from tests.lab.steps import sample

from .restoring import backed

__all__ = ["backed"]
pytestmark = pytest.mark.embedded
LIVE = "the backup is live already, and people can log in; nothing was changed"


def restored(backed) -> str:
    backed.back_up()
    backed.sql("DELETE FROM shop.posts")
    code, said = backed.restore()
    assert 0 == code, said
    return known(backed)


def known(backed) -> str:
    """Give each database's number, name and comment, as the server has them."""
    described = "oid, datname, datallowconn, shobj_description(oid, 'pg_database')"
    return backed.sql(f"SELECT {described} FROM pg_database WHERE datname ^@ '{backed.database}'")


def test_a_second_run_changes_nothing(backed):
    before = restored(backed)
    former = next(name for name in backed.databases() if name.startswith("_before_"))
    for words in ([], ["--dry"]):
        code, said = backed.restore(*words)
        assert 0 == code, said
        assert LIVE in said
        assert f"was restored before ({backed.database}{former} is the database before it)" in said
        assert f"ada logged in at {backed.url}/login" in said, said
        assert before == known(backed)


def test_it_is_restored_once_more_where_that_is_said(backed):
    before = restored(backed)
    code, said = backed.restore("again=true")
    assert 0 == code, said
    assert "the backup is restored, and people can log in" in said
    assert len(before.splitlines()) + 1 == len(known(backed).splitlines())


@pytest.mark.parametrize(
    ("statement", "words"),
    sample(
        [
            ("DELETE FROM shop.posts", []),
            ("UPDATE shop.users SET active = false WHERE name = 'bob'", ["confirm"]),
            ("INSERT INTO shop.users VALUES (9, 'eve', '-')", ["confirm"]),
        ],
        1,
    ),
)
def test_it_is_restored_again_where_something_is_not_as_in_it(backed, statement, words):
    restored(backed)
    backed.sql(statement)
    code, said = backed.restore(*(backed.place for _ in words))
    assert 0 == code, said
    assert "the backup is restored, and people can log in" in said
    assert "ada,bob" == backed.names()
    assert "2" == backed.sql("SELECT count(*) FROM shop.posts")
    assert backed.lets_in("bob", "bob's")


def test_it_is_restored_again_where_that_was_undone(backed):
    """Its accounts and numbers of rows are the same, what the rows say is not."""
    backed.back_up()
    backed.sql("UPDATE shop.posts SET user_id = 2")
    whose = "SELECT string_agg(user_id::text, ',' ORDER BY id) FROM shop.posts"
    for expected, words in (("1,2", []), ("2,2", ["undo=true"]), ("1,2", [])):
        code, said = backed.restore(*words)
        assert 0 == code, said
        assert expected == backed.sql(whose)


def test_it_is_restored_again_where_nobody_can_log_in(backed):
    """Then what is live is not proven, whatever its rows are."""
    restored(backed)
    backed.sql("ALTER TABLE shop.posts RENAME COLUMN user_id TO whose")
    backed.sql("REVOKE SELECT ON shop.users FROM app")
    code, said = backed.restore()
    assert 0 == code, said
    assert backed.lets_in()
    assert "user_id" in backed.sql("SELECT string_agg(attname, ',') FROM pg_attribute"
                                   " WHERE attrelid = 'shop.posts'::regclass")  # fmt: skip
