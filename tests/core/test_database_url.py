import random
import re

import psycopg.conninfo
import pytest

from relogin.database_url import DatabaseAddress, DatabaseUrlError, build, parse

LIBPQ = {"user": "user", "password": "password", "host": "host", "database": "dbname"}


def _address(driver="postgresql", **parts):
    empty = dict.fromkeys(("user", "password", "host", "port", "database"))
    return DatabaseAddress(driver, **{**empty, **parts})


FULL = {"user": "app", "password": "p", "host": "h", "port": 5432, "database": "d"}

URLS = [
    ("postgresql://app:p@h:5432/d", _address(**FULL)),
    ("postgres://app:p@h:5432/d", _address("postgres", **FULL)),
    ("postgresql+asyncpg://app:p@h:5432/d", _address("postgresql+asyncpg", **FULL)),
    ("postgresql+psycopg://app:p@h:5432/d", _address("postgresql+psycopg", **FULL)),
    ("postgresql+psycopg2://app:p@h:5432/d", _address("postgresql+psycopg2", **FULL)),
    ("postgresql://", _address()),
    ("postgresql:///d", _address(database="d")),
    ("postgresql://h", _address(host="h")),
    ("postgresql://h:/d", _address(host="h", database="d")),
    ("postgresql://app@h/", _address(user="app", host="h")),
    ("postgresql://app:@h", _address(user="app", host="h")),
    (
        "postgresql://a%40b:p%2F%3a%40%25%23@h/d%20e",
        _address(user="a@b", password="p/:@%#", host="h", database="d e"),
    ),
    ("postgresql://app:p:q@h/d", _address(user="app", password="p:q", host="h", database="d")),
    (
        "postgresql://app:p#w?x@h/d#e",
        _address(user="app", password="p#w?x", host="h", database="d#e"),
    ),
    (
        "postgresql://app:p@[::1]:5433/d",
        _address(user="app", password="p", host="::1", port=5433, database="d"),
    ),
    ("postgresql://[fe80::1%25eth0]/d", _address(host="fe80::1%eth0", database="d")),
    (
        "postgresql://app@/d?host=/run/postgresql",
        _address(user="app", host="/run/postgresql", database="d"),
    ),
    (
        "postgresql://app@%2Frun%2Fpostgresql/d",
        _address(user="app", host="/run/postgresql", database="d"),
    ),
    (
        "postgresql://h/d?sslmode=require&a=",
        _address(host="h", database="d", query=(("sslmode", "require"), ("a", ""))),
    ),
    (
        "postgresql://u:p@h/d?user=v&password=q&port=1&dbname=e",
        _address(user="v", password="q", host="h", port=1, database="e"),
    ),
    (
        "postgresql://h/d?application_name=a+b",
        _address(host="h", database="d", query=(("application_name", "a+b"),)),
    ),
    (
        "postgresql+psycopg://h/d?application_name=a+b",
        _address(
            "postgresql+psycopg", host="h", database="d", query=(("application_name", "a b"),)
        ),
    ),
    (
        "postgresql+asyncpg://u:100%@h/d",
        _address("postgresql+asyncpg", user="u", password="100%", host="h", database="d"),
    ),
]


@pytest.mark.parametrize(("url", "address"), URLS, ids=[url for url, _ in URLS])
def test_a_url_is_taken_apart(url, address):
    assert address == parse(url)


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("5ecret", "does not begin with driver://"),
        ("", "does not begin with driver://"),
        ("host=5ecret password=5ecret", "blank or control character"),
        ("postgresql://app:5ecret@h/d\n", "blank or control character"),
        ("postgresql://app:5ecret 1@h/d", "blank or control character"),
        ("mysql://app:5ecret@h/d", "driver, before ://, is none of postgresql"),
        ("5ecret://h/d", "driver"),
        ("postgresql+5ecret://h/d", "driver"),
        ("POSTGRESQL://app:5ecret@h/d", "driver"),
        ("postgresql://app:5ecret@ss@h/d", "an @ in the password"),
        ("postgresql://app:5ecret/w@h/d", "port is not a number"),
        ("postgresql://app:p@h:5ecret/d", "port is not a number"),
        ("postgresql://app:p@h:0/d", "port is not a number"),
        ("postgresql://app:p@h:65536/d", "port is not a number"),
        ("postgresql://app:p@h:" + "9" * 5000 + "/d", "port is not a number"),
        ("postgresql://app:p@h:٣/d", "port is not a number"),
        ("postgresql://:5ecret@h/d", "user is empty"),
        ("postgresql://app:5ecret%zz@h/d", "password has a %"),
        ("postgresql://app:5ecret%ff@h/d", "password is not percent-encoded UTF-8"),
        ("postgresql://app:5ecret%00@h/d", "password has a NUL"),
        ("postgresql://app:p@[::1/d", "host has brackets"),
        ("postgresql://app:p@[5ecret]/d", "host in brackets is not an IPv6 address"),
        ("postgresql://app:p@[]/d", "host in brackets is not an IPv6 address"),
        ("postgresql://app:p@5ecret,h/d", "host is a list"),
        ("postgresql://app:p@h:1,5ecret:2/d", "port is not a number"),
        ("postgresql://app:p@h/d?5ecret", "query has a parameter without ="),
        ("postgresql://app:p@/d?host=5ecret&host=h", "query has more than one host"),
    ],
)
def test_what_is_wrong_is_named_by_its_part_and_never_shown(url, part):
    with pytest.raises(DatabaseUrlError, match=re.escape(part)) as caught:
        parse(url)
    assert "5ecret" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_an_address_shows_neither_its_password_nor_its_query():
    shown = repr(parse("postgresql://app:5ecret@h/d?sslpassword=5ecret"))
    assert "app" in shown
    assert "5ecret" not in shown


def _text(dice: random.Random, *, blanks: bool = True) -> str:
    alphabet = "abZ09-._~:/?#[]@!$&'()*+,;=%\"\\^`{|}<>äß€😀" + " \t\n" * blanks
    return "".join(dice.choice(alphabet) for _ in range(dice.randint(1, 8)))


def _random_address(seed: int, driver: str) -> DatabaseAddress:
    dice = random.Random(seed)
    hosts = [None, "localhost", "db.example.org", "::1", "10.0.0.1", "/run/postgresql"]
    parameters = ("application_name", "options", "sslmode", "client_encoding")
    user = dice.choice([None, _text(dice)])
    return DatabaseAddress(
        driver,
        user=user,
        password=user and dice.choice([None, _text(dice)]),
        host=dice.choice(hosts),
        port=dice.choice([None, 1, 5432, 65535]),
        database=dice.choice([None, _text(dice)]),
        query=tuple((name, _text(dice)) for name in parameters if dice.random() < 0.3),
    )


@pytest.mark.parametrize("driver", ["postgresql", "postgres", "postgresql+asyncpg"])
@pytest.mark.parametrize("seed", range(100))
def test_what_is_built_reads_back_the_same(seed, driver):
    address = _random_address(seed, driver)
    assert address == parse(build(address))


def test_a_link_local_address_is_built_with_its_zone():
    address = _address(host="fe80::1%eth0", port=5432)
    assert (build(address), parse(build(address))) == (
        "postgresql://[fe80::1%25eth0]:5432",
        address,
    )


@pytest.mark.parametrize("seed", range(300))
def test_libpq_reads_what_is_built_as_we_do(seed):
    address = _random_address(seed, "postgresql")
    expected = {LIBPQ[part]: getattr(address, part) for part in LIBPQ}
    expected |= {"port": address.port and str(address.port), **dict(address.query)}
    expected = {key: value for key, value in expected.items() if value is not None}
    assert expected == psycopg.conninfo.conninfo_to_dict(build(address))


@pytest.mark.parametrize("url", [url for url, _ in URLS if not url.partition(":")[0].count("+")])
def test_libpq_reads_our_examples_as_we_do(url):
    seen = psycopg.conninfo.conninfo_to_dict(url.replace("&a=", ""))
    address = parse(url)
    assert {part: seen.get(key) for part, key in LIBPQ.items()} == {
        part: getattr(address, part) for part in LIBPQ
    }
    assert (str(address.port) if address.port else None) == seen.get("port")


def test_sqlalchemy_reads_what_is_built_as_we_do():
    sqlalchemy = pytest.importorskip("sqlalchemy", minversion="2.1")
    for seed in range(200):
        address = _random_address(seed, "postgresql+psycopg")
        seen = sqlalchemy.engine.make_url(build(address))
        query = dict(seen.query)
        host = query.pop("host", None) or seen.host
        names = (seen.drivername, seen.username, seen.password, host, seen.port, seen.database)
        assert address == DatabaseAddress(*names, tuple(query.items()))


@pytest.mark.parametrize("seed", range(100))
def test_a_url_with_at_most_one_parameter_needs_no_quotes_in_an_env_file(seed):
    address = _random_address(seed, "postgresql")
    if len(address.query) + (address.host or "").startswith("/") < 2 and address.host != "::1":
        assert re.fullmatch(r"[A-Za-z0-9_./:@%+,=?-]+", build(address))


@pytest.mark.parametrize(
    "parts",
    [
        {"user": "", "host": "h"},
        {"password": "p", "host": "h"},
        {"host": "a,b"},
        {"host": "h", "port": 0},
        {"host": "h", "query": (("dbname", "d"),)},
        {"host": "h:1"},
        {"user": "a\0b"},
    ],
)
def test_parts_that_make_no_url_are_refused(parts):
    with pytest.raises(DatabaseUrlError):
        build(_address(**parts))
