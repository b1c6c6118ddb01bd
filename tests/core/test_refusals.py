"""What is refused, and nothing else: each value that no reader, scheme or protocol can carry.

The lists are data on purpose: a value that is refused without being in them is a fault of ours.
"""

import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from relogin import (
    Account,
    Accounts,
    Alembic,
    Backend,
    Columns,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Jwt,
    Login,
    Peer,
    Postgres,
    Probe,
    ProfileError,
    Secret,
    Systemd,
    Venv,
    unfit,
)
from relogin.facts.accounts import Table
from relogin.facts.observation import Observation
from relogin.finding import Unreadable
from tests.hostile import VALUES

ALL = ("python-dotenv", "systemd", "sh")
NO_TEXT = {"NUL": "holds a NUL", "not UTF-8": "is not UTF-8"}
NO_NAME = dict.fromkeys(("64 bytes", "73 bytes", "10 kB"), "PostgreSQL's names 63 at most")
NO_HEADER = {
    "newline": "which no HTTP header holds",
    "carriage return": "which no HTTP header holds",
    "blanks at both ends": "which HTTP takes off",
}
NO_FORM = {
    "interpolation": "choose one without ${",
    "carriage return": "has no safe form",
    "control": "has no safe form",
    "backslash at the end": "choose one that does not end in \\",
    "no character": "choose one of characters that Unicode has",
}
SAFE_IN_SH = {"carriage return", "control"}  # the only ones of NO_FORM that sh alone cannot carry


def login(**fields: Any) -> Login:
    return Login("http://127.0.0.1/token", "ops", **fields)


def braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


# Where a value stands in a description, and which are refused while it loads.
AT_LOAD: dict[str, tuple[Callable[[str], Any], dict[str, str]]] = {
    "login": (Account, NO_TEXT),
    "e-mail": (lambda value: Account("ops", email=value), NO_TEXT),
    "value of a new row": (lambda value: Accounts(values={"note": value}), NO_TEXT),
    "field of the login": (lambda value: login(fields={"x": braces(value)}), NO_TEXT),
    "path of a venv": (lambda value: Venv(f"/{value}"), NO_TEXT),
    "path of requirements": (lambda value: Venv("/env", requirements=[f"/{value}"]), NO_TEXT),
    "argument of pip": (lambda value: Venv("/env", pip_args=[value]), NO_TEXT),
    "path of an env file": (lambda value: EnvFile(f"/{value}"), NO_TEXT),
    "path of migrations": (lambda value: Alembic(f"/{value}"), NO_TEXT),
    "role": (lambda value: DatabaseUrl(user=value, database="d"), NO_TEXT | NO_NAME),
    "database": (lambda value: DatabaseUrl(user="u", database=value), NO_TEXT | NO_NAME),
    "schema": (lambda value: Postgres(FromEnv("A"), schema=value), NO_TEXT | NO_NAME),
    "needed table": (lambda value: Postgres(FromEnv("A"), tables=[value]), NO_TEXT | NO_NAME),
    "administrator's role": (lambda value: Peer(role=value), NO_TEXT | NO_NAME),
    "users table": (lambda value: Accounts(table=value), NO_TEXT | NO_NAME),
    "column": (lambda value: Columns(login=value), NO_TEXT | NO_NAME),
    "column of a new row": (lambda value: Accounts(values={value: 1}), NO_TEXT | NO_NAME),
    "env value": (lambda value: EnvFile("/a", keys={"K": value}), NO_FORM | NO_TEXT),
    "env value that sh reads": (
        lambda value: EnvFile("/a", keys={"K": value}, readers=["sh"]),
        {name: NO_FORM[name] for name in SAFE_IN_SH} | NO_TEXT,
    ),
    "env value that all read": (
        lambda value: EnvFile("/a", keys={"K": value}, readers=ALL),
        NO_FORM | NO_TEXT | {"every quote": "choose one without quotes, $ and \\"},
    ),
    "header": (lambda value: login(headers={"X": value}), NO_TEXT | NO_HEADER),
    "host header": (lambda value: Probe("http://h/", host_header=value), NO_TEXT | NO_HEADER),
    "path in a unit": (
        lambda value: Systemd("a", working_directory=f"/{value}", environment_files=[f"/{value}"]),
        dict.fromkeys(("newline", "carriage return"), "which no unit file can hold")
        | {"no character": "is not a path that systemd takes"}
        | NO_TEXT,
    ),
    "user of the host": (
        lambda value: Systemd("a", user=value),
        dict.fromkeys(
            (
                "newline",
                "carriage return",
                "tab",
                "control",
                "dashes",
                "blanks at both ends",
                *("psql", "separators", "URL", "emoji"),
            ),
            "is not a user's name",
        )
        | NO_TEXT,
    ),
    "unit": (
        Systemd,
        dict.fromkeys(
            VALUES.keys() - {"backslashes", "backslash at the end"},
            "is not a unit's name (systemd-escape makes one)",
        )
        | NO_TEXT,
    ),
}


@pytest.mark.parametrize("where", AT_LOAD)
@pytest.mark.parametrize("what", VALUES)
def test_a_description_is_refused_while_it_loads_where_the_list_says_so_and_nowhere_else(
    where, what
):
    describe, refused = AT_LOAD[where]
    if what not in refused:
        describe(VALUES[what])
        return
    with pytest.raises(ProfileError) as raised:
        describe(VALUES[what])
    assert str(raised.value).endswith(refused[what])
    assert "\n" not in str(raised.value)


def env_file(value: str | Secret | DatabaseUrl, **more: Any) -> dict[str, EnvFile]:
    return {"env_file": EnvFile("/a", keys={"K": value}, **more)}


def people(scheme: str | None, password: Secret) -> dict[str, Accounts]:
    return {"accounts": Accounts(scheme=scheme, present=[Account("ops", password=password)])}


OPS = Accounts(present=[Account("ops")])
BEYOND_BCRYPT = {
    "73 bytes": "it has 73 bytes, and {scheme} takes 72",
    "10 kB": "it has 10242 bytes, and {scheme} takes 72",
    "NUL": "it has a NUL, which {scheme} does not take",
}
NOT_UTF8 = {"not UTF-8": "is not UTF-8"}
# Where a secret goes, and which values are refused once it is resolved.
RESOLVED: dict[str, tuple[Callable[[Secret], dict[str, Any]], dict[str, str]]] = {
    "env value": (env_file, NO_FORM | {"NUL": "has no safe form"} | NOT_UTF8),
    "JWT secret": (
        lambda secret: env_file(secret) | {"token": Jwt(secret=FromEnv("K"))},
        NO_FORM | {"NUL": "has no safe form"} | NOT_UTF8,
    ),
    "database password": (
        lambda secret: env_file(DatabaseUrl(user="u", database="d", password=secret)),
        {"NUL": "has a NUL, which PostgreSQL does not take"} | NOT_UTF8,
    ),
    "header": (
        lambda secret: {"accounts": OPS, "login": login(headers={"X": secret})},
        NO_HEADER | {"NUL": "which no HTTP header holds"} | NOT_UTF8,
    ),
    "header from the env file": (
        lambda secret: (
            env_file(secret, readers="sh")
            | {"accounts": OPS, "login": login(headers={"X": FromEnv("K")})}
        ),
        NO_HEADER | {"control": "has no safe form", "NUL": "which no HTTP header holds"} | NOT_UTF8,
    ),
    "password of a person": (lambda secret: people(None, secret), NOT_UTF8),
    "password under argon2": (lambda secret: people("argon2", secret), NOT_UTF8),
    "password under bcrypt of SHA-256": (
        lambda secret: people("django-bcrypt-sha256", secret),
        NOT_UTF8,
    ),
} | {
    f"password under {scheme}": (
        lambda secret, scheme=scheme: people(scheme, secret),
        {what: said.format(scheme=scheme) for what, said in BEYOND_BCRYPT.items()} | NOT_UTF8,
    )
    for scheme in ("bcrypt", "django-bcrypt")
}


@pytest.mark.parametrize("where", RESOLVED)
@pytest.mark.parametrize("what", VALUES)
def test_a_resolved_secret_is_refused_where_the_list_says_so_and_nowhere_else(
    where, what, tmp_path, monkeypatch
):
    describe, refused = RESOLVED[where]
    value = VALUES[what].encode("utf-8", "surrogateescape")
    (tmp_path / "secret").write_bytes(value)
    backend = Backend("mine", **describe(Secret.file(str(tmp_path / "secret"))))
    if what == "carriage return":  # a text file has line ends, not characters for them
        monkeypatch.setenv("RELOGIN_T", VALUES[what])
        backend = Backend("mine", **describe(Secret.env("RELOGIN_T")))

    said = unfit.unresolved(backend)

    assert (what in refused) is (said is not None), said
    assert (said or "").endswith(refused.get(what, ""))
    assert "\n" not in (said or "")
    assert VALUES[what] not in (said or "").replace(str(tmp_path), "")


@pytest.mark.parametrize("what", BEYOND_BCRYPT)
@pytest.mark.parametrize("scheme", ["bcrypt", "django-bcrypt"])
def test_a_literal_password_beyond_bcrypt_is_refused_while_it_loads(scheme, what):
    with pytest.raises(ProfileError, match=r"Account\('ops'\): password: it has ") as raised:
        people(scheme, Secret.seen(VALUES[what]))
    assert str(raised.value).endswith(BEYOND_BCRYPT[what].format(scheme=scheme))


def test_a_scheme_that_cannot_be_made_is_refused_while_it_loads():
    with pytest.raises(ProfileError, match="no scheme 'bcript' can be made; did you mean 'bcrypt'"):
        Accounts(scheme="bcript")


def looked(accounts: Table | Unreadable) -> Observation:
    return Observation(machine=Unreadable("not asked"), accounts=accounts)


SEEN = {
    "a table of bcrypt": (Table(("id",), (), "bcrypt"), "bcrypt"),
    "a table of Django's bcrypt": (Table(("id",), (), "django-bcrypt"), "django-bcrypt"),
    "an empty table": (Table(("id",), ()), "bcrypt"),
    "no table yet": (Table(None), "bcrypt"),
    "a table of argon2": (Table(("id",), (), "argon2"), None),
    "a table that could not be seen": (Unreadable("no administrator"), None),
}


@pytest.mark.parametrize("what", BEYOND_BCRYPT)
@pytest.mark.parametrize("which", SEEN)
def test_where_no_scheme_is_declared_the_tables_own_decides(what, which):
    table, scheme = SEEN[which]
    backend = Backend("mine", **people(None, Secret.seen(VALUES[what])))
    said = f"account ops: Secret.seen(): {BEYOND_BCRYPT[what].format(scheme=scheme)}"
    assert (said if scheme else None) == unfit.beyond_the_scheme(backend, looked(table))


def test_72_bytes_are_carried_by_bcrypt():
    for password in ("ä" * 36, "x" * 72):
        backend = Backend("mine", **people("bcrypt", Secret.seen(password)))
        assert None is unfit.unresolved(backend)


def test_every_missing_secret_is_named_before_any_unfit_one(monkeypatch):
    monkeypatch.setenv("RELOGIN_T", "a${B}c")
    keys = {"A": Secret.env("RELOGIN_T"), "B": Secret.env("RELOGIN_NONE")}
    said = unfit.unresolved(Backend("mine", env_file=EnvFile("/a", keys=keys)))
    assert (said or "").startswith("Secret.env('RELOGIN_NONE') has no value")


@pytest.mark.skipif(not shutil.which("systemd-escape"), reason="systemd is not installed")
def test_what_systemd_escape_makes_of_any_name_is_one():
    for value in VALUES.values():
        if {"\0", "\udcff"} & set(value) or len(value.encode()) > 60:
            continue
        made = subprocess.run(
            ["systemd-escape", "--suffix=service", "--", value],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert made.rstrip("\n") == Systemd(made.rstrip("\n")).full_name
