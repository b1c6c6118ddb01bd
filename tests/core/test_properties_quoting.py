"""What is put into sh, a URL or a verifier comes out as it was, whatever it is."""

import base64
import contextlib
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import conninfo, pq

from relogin import database_url, scram, shell
from relogin.database_url import DatabaseAddress, DatabaseUrlError
from tests.core.env_texts import values
from tests.facts.answers import SHELLS
from tests.properties import few

texts = values.filter(lambda text: "\0" not in text)
named = texts.filter(bool)


@pytest.mark.parametrize("sh", [*SHELLS, pytest.param(("bash",), id="bash")])
@few
@given(given_texts=st.lists(texts, max_size=20))
def test_a_shell_gives_back_every_word_and_all_that_is_fed(sh, given_texts):
    script = f"printf '%s\\0' {shell.words(given_texts)}\n" + shell.fed("".join(given_texts), "cat")
    done = subprocess.run([*sh, "-s"], input=script.encode(), capture_output=True, check=True)
    words = given_texts or [""]
    assert "".join(f"{word}\0" for word in words) + "".join(given_texts) == done.stdout.decode()


@given(
    user=named,
    password=named,
    database=named,
    host=st.sampled_from(["127.0.0.1", "::1", "db.example.org"]),
    query=st.dictionaries(st.sampled_from(["sslmode", "application_name"]), named),
)
def test_a_url_is_taken_apart_by_libpq_as_it_was_put_together(
    user, password, database, host, query
):
    address = DatabaseAddress(
        "postgresql", user, password, host, 5433, database, tuple(query.items())
    )
    url = database_url.build(address)
    wanted = {"user": user, "password": password, "dbname": database, "host": host, "port": "5433"}
    assert address == database_url.parse(url)
    assert wanted | query == {key: str(value) for key, value in _by_libpq(url).items()}


def _by_libpq(url: str) -> dict[str, object]:
    return dict(conninfo.conninfo_to_dict(url))


@given(url=st.builds("postgresql://{}".format, texts))
def test_no_url_raises_anything_but_the_one_error(url):
    with contextlib.suppress(DatabaseUrlError):
        database_url.parse(url)


@few
@given(password=named)
def test_a_verifier_is_the_one_that_libpq_makes_of_any_password(password):
    connection = pq.PGconn.connect(b"host=/nonexistent")
    made = connection.encrypt_password(password.encode(), b"app", b"scram-sha-256").decode()
    iterations, salt = made.split("$")[1].split(":")
    ours = scram.scram_verifier(password, salt=base64.b64decode(salt), iterations=int(iterations))
    assert made == ours
