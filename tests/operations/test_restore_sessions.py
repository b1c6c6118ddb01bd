"""What becomes of sessions: rows that the backup has not, and connections that the switch ends."""

import sys
from collections.abc import Iterator

import psycopg
import pytest

from .backups import PASSWORD
from .restoring import Restoring, backed
from .shop_backend import shop
from .under_way import UnderWay

__all__ = ["backed"]
pytestmark = pytest.mark.embedded
CONFIRM = "that everybody has to log in again has to be confirmed: --data confirm=@local/"
ENDED = "a token made before: 401; everybody has to log in again, which was confirmed"


@pytest.fixture
def in_rows(backed: Restoring) -> Iterator[Restoring]:
    backed.sql("CREATE TABLE shop.sessions (token text)")
    backed.sql("GRANT SELECT, INSERT ON shop.sessions TO app")
    address = f"postgresql://app:{PASSWORD}@127.0.0.1:{backed.server.port}/{backed.database}"
    with shop(address, sessions=True) as backed.url:
        backed.described()
        yield backed


def test_it_goes_back_by_itself_and_says_what_has_to_be_confirmed(in_rows):
    in_rows.back_up()
    code, said = in_rows.restore()
    assert 1 == code
    assert "not restored: the former database is back, and people can log in" in said
    assert f"not proven: a token made before: 401; {CONFIRM}{in_rows.database}" in said
    assert ["", "_failed_"] == [name[:8] for name in in_rows.databases()]
    assert in_rows.lets_in()


def test_it_is_restored_and_taken_back_where_that_is_confirmed(in_rows):
    in_rows.back_up()
    in_rows.sql("DELETE FROM shop.posts")
    for words, rows in ([], "2"), (["undo=true"], "0"):
        code, said = in_rows.restore(in_rows.place, *words)
        assert 0 == code, said
        assert ENDED in said
        assert rows == in_rows.sql("SELECT count(*) FROM shop.posts")
        assert in_rows.lets_in()


def test_a_token_that_becomes_another_account_s_is_never_good_whatever_was_confirmed(backed):
    """Behind the switch the backend takes bob for whoever has a token of before."""
    address = f"postgresql://app:{PASSWORD}@127.0.0.1:{backed.server.port}/{backed.database}"
    with shop(address, older="bob") as backed.url:
        forget = f"import httpx; httpx.post('{backed.url}/forget', json={{}})"
        backed.described(f"""backup=Backup(after={f'{sys.executable} -c "{forget}"'!r}),""")
        backed.back_up()
        code, said = backed.restore(backed.place)
        assert 1 == code
        assert "not proven: a token made before is another account's now" in said
        assert CONFIRM not in said


def test_what_is_under_way_is_not_cut_by_the_switch(backed):
    """By no switch of four: each time one of the clients is in the middle of a transaction."""
    backed.back_up()
    with UnderWay(backed) as one, UnderWay(backed) as other:
        for words in ([], ["undo=true"]) * 2:
            code, said = backed.restore(*words)
            assert 0 == code, said
    assert min(one.done, other.done) > 20
    assert [] == one.cut + other.cut


def test_who_does_not_end_what_is_under_way_holds_up_nobody(backed):
    backed.back_up()
    where = {"host": "127.0.0.1", "port": backed.server.port, "dbname": backed.database}
    with psycopg.connect(user="app", password=PASSWORD, **where) as lasting:
        lasting.execute("SELECT count(*) FROM shop.users")
        code, said = backed.restore()
        assert 0 == code, said
        with pytest.raises(psycopg.OperationalError):
            lasting.execute("SELECT 1")
