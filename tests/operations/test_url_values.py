"""The DATABASE_URL that should be there, and what counts as being it."""

import pytest

from relogin import DatabaseUrl, Secret, database_url
from relogin.operations.url_values import corrected_url

TCP = DatabaseUrl(user="halext_user", database="halext_org")
SOCKET = DatabaseUrl(user="halext_user", database="halext_org", host="/var/run/postgresql")
PEER = DatabaseUrl(
    user="halext_user", database="halext_org", host="/var/run/postgresql", password=None
)
KEPT = DatabaseUrl(user="halext_user", database="halext_org", password=Secret.kept())


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TCP, "postgresql://halext_user:pw@127.0.0.1:5432/halext_org"),
        (TCP, "postgresql://halext_user:pw@127.0.0.1/halext_org"),
        (TCP, "postgresql+asyncpg://halext_user:pw@localhost/halext_org"),
        (SOCKET, "postgresql://halext_user:pw@/halext_org?host=/var/run/postgresql"),
        (SOCKET, "postgresql://halext_user:pw@/halext_org?host=/run/postgresql/"),
        (SOCKET, "postgresql://halext_user:pw@/halext_org"),
        (SOCKET, "postgresql://halext_user:pw@%2Fvar%2Frun%2Fpostgresql/halext_org"),
        (PEER, "postgresql:///halext_org?host=/var/run/postgresql"),
        (PEER, "postgresql:///halext_org"),
        (PEER, "postgresql://halext_user@/halext_org?host=/var/run/postgresql"),
        (PEER, "postgresql://halext_user:unasked@/halext_org"),
    ],
)
def test_a_url_that_a_driver_reads_as_the_declared_one_stays_as_it_is(wanted, found):
    assert (found, "") == corrected_url(wanted, found)


@pytest.mark.parametrize(
    ("wanted", "found", "differs"),
    [
        (TCP, "postgresql://halext_user:pw@/halext_org", "host None"),
        (TCP, "postgresql://halext_user:pw@[::1]/halext_org", "host ::1"),
        (TCP, "postgresql://halext_user:pw@127.0.0.1:5433/halext_org", "port 5433"),
        (TCP, "postgresql://127.0.0.1/halext_org", "user None, no password"),
        (SOCKET, "postgresql://halext_user:pw@127.0.0.1/halext_org", "host 127.0.0.1"),
        (SOCKET, "postgresql://halext_user@/halext_org", "no password"),
        (PEER, "postgresql://halext_user@/halext_org?host=/tmp", "host /tmp"),
        (PEER, "postgresql://other@/halext_org", "user other"),
        (PEER, "postgresql:///halext_dev", "database halext_dev"),
    ],
)
def test_what_differs_is_said_and_set_right(wanted, found, differs):
    value, said = corrected_url(wanted, found)
    assert differs == said
    assert (value, "") == corrected_url(wanted, value)


def test_the_password_that_is_there_stays_when_another_part_is_set_right():
    found = "postgresql+asyncpg://halext_user:p%40w@127.0.0.1:5433/halext_org?ssl=require"
    value, _ = corrected_url(TCP, found)
    assert "postgresql+asyncpg://halext_user:p%40w@127.0.0.1:5432/halext_org?ssl=require" == value


def test_a_password_that_must_be_kept_is_never_made_up():
    assert (None, "no password") == corrected_url(
        KEPT, "postgresql://halext_user@localhost/halext_org"
    )


@pytest.mark.parametrize(("wanted", "known"), [(TCP, False), (KEPT, False), (PEER, True)])
def test_a_url_that_cannot_be_parsed_is_made_anew_only_where_its_password_is_known(wanted, known):
    value, said = corrected_url(wanted, "postgresql://halext_user:a b@/halext_org")
    assert said.startswith("it cannot be parsed: ")
    assert known is (value is not None)


def test_a_url_for_a_peer_has_no_password():
    address = database_url.parse(PEER.with_password(None))
    assert (None, "/var/run/postgresql") == (address.password, address.host)
