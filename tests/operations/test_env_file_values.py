"""DATABASE_URLs that no driver can use, and secrets that were left in from an example."""

import dataclasses
from hashlib import sha256
from urllib.parse import quote

import pytest

from relogin import DatabaseUrl, EnvFile, FromParts, Postgres, Secret, Severity, scram
from relogin.backend import Backend
from relogin.facts.postgres_state import Server
from relogin.facts.service import ServiceState
from relogin.operations.env_file import FAULTS
from relogin.operations.postgres_role import ROLE_MISSING, ROLE_PASSWORD_DIFFERS
from tests.lab import canaries
from tests.operations.env_files import PASSWORD
from tests.operations.looks import (
    ENV,
    KEYS,
    changes,
    env,
    everywhere,
    found,
    halext,
    look,
    psql,
    stopped,
    text,
)

RAW = canaries.DATABASE_PASSWORD
URL = f"postgresql://halext_user:{PASSWORD}@127.0.0.1:5432/halext_org"
ROLE = (ROLE_MISSING, ROLE_PASSWORD_DIFFERS)
UNUSABLE = "DATABASE_URL in {} is no URL that a database driver can use"


def declaring(**keys: object) -> Backend:
    return halext(env_file=EnvFile(ENV, keys={**KEYS, **keys}))


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (PASSWORD, RAW, "the query has a parameter without ="),
        (f"{PASSWORD}@127.0.0.1:5432", f"{RAW}@localhost", "the query has a parameter without ="),
        ("postgresql://", "postgresql+psycopg9://", "the driver, before ://, is none of"),
        ("postgresql://", "mysql://", "the driver, before ://, is none of"),
        ("postgresql://", "jdbc:postgresql://", "the URL does not begin with driver://"),
    ],
)
def test_what_it_was_meant_to_be_is_written_where_that_is_certain(before, after, why):
    looked = look(env(before, after))
    (finding,) = found(FAULTS, looked)
    assert ("env_file.database-url-unparsable", UNUSABLE.format(ENV)) == (
        finding.fault,
        finding.what,
    )
    assert (False, True) == (finding.by_person, finding.seen.startswith(why))
    (change,) = changes(FAULTS, looked)
    assert f"DATABASE_URL={URL}\n" in change.script
    assert RAW not in str(finding)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PASSWORD, "an@other/password"),  # PostgreSQL does not take it
        ("%40", "%4"),
        (URL, "halext_org"),
        (f"{PASSWORD}@127.0.0.1:5432/halext_org", f"{RAW}@db.example.com/halext_org"),
    ],
)
def test_what_would_be_a_guess_is_a_persons(before, after):
    (finding,) = found(FAULTS, look(env(before, after)))
    assert ("env_file.database-url-unparsable", True) == (finding.fault, finding.by_person)
    assert "percent-encoded" in finding.remedy
    assert [] == changes(FAULTS, look(env(before, after)))


def test_with_a_declared_password_it_is_built_anew():
    backend = declaring(
        DATABASE_URL=DatabaseUrl("halext_user", "halext_org", password=Secret.seen("a b/c"))
    )
    looked = look(env(URL, "nonsense"))
    (finding,) = found(FAULTS, looked, backend)
    assert ("env_file.database-url-unparsable", False) == (finding.fault, finding.by_person)
    (change,) = changes(FAULTS, looked, backend)
    assert f"DATABASE_URL=postgresql://halext_user:{quote('a b/c', safe='')}@" in change.script


NO_DIALECT = "sqlalchemy.exc.NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:{}"


@pytest.mark.parametrize(
    ("scheme", "said", "finds"),
    [
        ("postgres", "postgres", True),
        ("postgresql+aiopg", "postgresql.aiopg", True),
        ("postgres", "postgresql.aiopg", False),
        ("postgresql", "postgres", False),
    ],
)
def test_a_scheme_that_the_backend_says_it_does_not_know_becomes_the_declared_one(
    scheme, said, finds
):
    looked = look(everywhere("postgresql://", f"{scheme}://"))
    assert isinstance(looked.service, ServiceState)
    assert [] == found(FAULTS, looked)  # it may well write it anew
    service = dataclasses.replace(looked.service, exceptions=(NO_DIALECT.format(said),))
    looked = dataclasses.replace(looked, service=service)
    assert finds == bool(found(FAULTS, looked))
    if finds:
        assert f"the backend's SQLAlchemy knows no {scheme}" == found(FAULTS, looked)[0].seen
        assert f"DATABASE_URL={URL}\n" in changes(FAULTS, looked)[0].script


def test_a_url_that_is_a_secret_as_a_whole_is_judged_as_well():
    (finding,) = found(FAULTS, look(env(PASSWORD, RAW)), declaring(DATABASE_URL=Secret.kept()))
    assert ("env_file.database-url-unparsable", True) == (finding.fault, finding.by_person)
    declared = declaring(DATABASE_URL=Secret.seen(URL))
    (finding,) = found(FAULTS, look(env(PASSWORD, RAW)), declared)
    assert "env_file.key-not-declared-value" == finding.fault
    used_by_nobody = halext(
        env_file=EnvFile(ENV, keys={**KEYS, "DATABASE_URL": Secret.kept()}),
        **{"database": None, "accounts": None, "login": None},
    )
    assert [] == found(FAULTS, look(everywhere(PASSWORD, RAW)), used_by_nobody)


GENERATED = declaring(ACCESS_CODE=Secret.generated())
KEPT = declaring(ACCESS_CODE=Secret.kept())
CODE = f"'{canaries.ACCESS_CODE}'"


def test_a_generated_secret_that_was_never_set_is_made_where_it_is_in_force_nowhere():
    looked = look(env(CODE, "changeme"), stopped)
    (finding,) = found(FAULTS, looked, GENERATED)
    assert f"ACCESS_CODE in {ENV} is a placeholder from an example" == finding.what
    assert ("env_file.placeholder", True, False) == (
        finding.fault,
        finding.critical,
        finding.by_person,
    )
    scripts = {changes(FAULTS, looked, GENERATED)[0].script for _ in range(2)}
    made = [script.split("ACCESS_CODE=")[1].split("\n")[0] for script in scripts]
    assert [86, 86] == [len(value) for value in made]


def test_what_the_running_process_has_in_its_place_is_put_back():
    looked = look(env(CODE, "changeme"))
    (change,) = changes(FAULTS, looked, GENERATED)
    assert f"ACCESS_CODE={CODE}" in change.script.replace("'\"'\"'", "'")


@pytest.mark.parametrize("process", ["ACCESS_CODE=changeme\n", ""])
def test_a_placeholder_that_may_be_in_force_stays(process):
    edit = text("service.environ", f"ACCESS_CODE={canaries.ACCESS_CODE}\n", process)
    (finding,) = found(FAULTS, look(env(CODE, "changeme"), edit), GENERATED)
    assert (Severity.WARNING, True) == (finding.severity, finding.by_person)
    assert "it is in force all the same: anybody can guess it" == finding.seen


def test_a_secret_that_must_be_kept_is_asked_for_unless_it_is_in_force():
    (change,) = changes(FAULTS, look(env(CODE, "changeme")), KEPT)
    assert f"ACCESS_CODE={CODE}" in change.script.replace("'\"'\"'", "'")
    (finding,) = found(FAULTS, look(env(CODE, "<your code>"), stopped), KEPT)
    assert ("env_file.placeholder", True, True) == (
        finding.fault,
        finding.critical,
        finding.by_person,
    )


def test_a_declared_value_is_known_better_and_what_is_no_secret_may_be_anything():
    (finding,) = found(FAULTS, look(env(CODE, "changeme")))
    assert "env_file.key-not-declared-value" == finding.fault
    assert [] == found(FAULTS, look(env("LOG_LEVEL=info", "LOG_LEVEL=changeme")))
    assert [] == found(
        FAULTS, look(everywhere("DEV_MODE=false", "DEV_MODE=none")), declaring(DEV_MODE="none")
    )


def test_a_password_of_the_database_that_nobody_takes_is_made_and_the_rest_kept():
    looked = look(env(f"{PASSWORD}@127.0.0.1:5432/halext_org", "changeme@127.0.0.1/halext_org?a=b"))
    (finding,) = found(FAULTS, looked)
    assert f"the password in DATABASE_URL in {ENV} is a placeholder from an example" == finding.what
    assert ("env_file.placeholder", False) == (finding.fault, finding.by_person)
    (change,) = changes(FAULTS, looked)
    assert "@127.0.0.1/halext_org?a=b" in change.script
    assert "changeme" not in change.script


def test_a_password_of_the_database_that_is_in_force_stays():
    """The role's verifier fits it: who made the role took the example's."""
    looked = look(env(PASSWORD, "changeme"), changeme)
    (finding,) = found(FAULTS, looked)
    assert (Severity.WARNING, True) == (finding.severity, finding.by_person)


def changeme(answers):
    """Let the role have that password."""
    stored = scram.scram_stored_keys("changeme", "QSXCR+Q6sek8bf92", 4096)[0]
    nonce = "0011223344556677"
    proof = sha256(nonce.encode() + stored).hexdigest()
    fields = {"salt": "QSXCR+Q6sek8bf92", "iterations": 4096, "nonce": nonce, "proof": proof}
    return psql("server", "role", **fields)(answers)


LINE = f"DATABASE_URL=postgresql://halext_user:{PASSWORD}@127.0.0.1:5432/halext_org"
APART = "DB_USER=halext_user\nDB_NAME=halext_org\nDB_PASSWORD="


def in_parts(password: Secret) -> Backend:
    own = {name: one for name, one in KEYS.items() if name != "DATABASE_URL"}
    keys = {**own, "DB_USER": "halext_user", "DB_NAME": "halext_org", "DB_PASSWORD": password}
    url = FromParts(user="DB_USER", password="DB_PASSWORD", database="DB_NAME")
    return halext(env_file=EnvFile(ENV, keys=keys), database=Postgres(url=url))


@pytest.mark.parametrize("role_has_it", [False, True])
def test_a_password_in_a_key_of_its_own_is_made_unless_the_role_has_it(role_has_it):
    edits = [changeme] if role_has_it else []
    looked = look(env(LINE, f"{APART}changeme"), *edits, backend=in_parts(Secret.generated()))
    (finding,) = found(FAULTS, looked, in_parts(Secret.generated()))
    assert f"DB_PASSWORD in {ENV} is a placeholder from an example" == finding.what
    assert (not role_has_it, role_has_it) == (finding.critical, finding.by_person)
    if not role_has_it:
        (change,) = changes(FAULTS, looked, in_parts(Secret.generated()))
        assert 86 == len(change.script.split("DB_PASSWORD=")[1].split("\n")[0])


@pytest.mark.parametrize("role", [None, "there"])
@pytest.mark.parametrize(("password", "left"), [(Secret.generated(), False), (Secret.kept(), True)])
def test_no_role_gets_a_placeholder_for_its_password(password, left, role):
    backend = in_parts(password)
    looked = look(env(LINE, f"{APART}changeme"), backend=backend)
    if role is None:
        assert isinstance(looked.postgres, Server)
        looked = dataclasses.replace(
            looked, postgres=dataclasses.replace(looked.postgres, role=None)
        )
    (first, *_), (finding,) = found(FAULTS, looked, backend), found(ROLE, looked, backend)
    assert ("env_file.placeholder", left) == (first.fault, first.by_person)
    assert left == finding.by_person
    assert left == ("what stands there is a placeholder" in finding.remedy)
