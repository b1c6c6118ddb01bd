"""Secrets stay where they belong: in no output, argv, environment, log or file of a run."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from . import canaries
from .cases.case import BACKEND, PSQL
from .host import Host
from .leaks import ALL, UNDO, given_to_programs, held_by_files, leaks
from .product import SECRETS, Ran, diagnose, pyinfra, restore

pytestmark = pytest.mark.lab

# Everything at once, on a server that logs each statement, with a process that still has the JWT
# secret; the account is made anew by the backend's own command.
BREAK = f"""
{PSQL} -c "ALTER SYSTEM SET log_statement = 'all'" -c 'SELECT pg_reload_conf()' >/dev/null
cd {BACKEND}
runuser -u halext -- env/bin/python -m pip uninstall -qy python-multipart 2>/dev/null
sed -i -e /^SECRET_KEY=/d -e 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' .env
{PSQL} -c "ALTER ROLE halext_user PASSWORD 'of-yesterday'"
{PSQL} -d halext_org -c "DELETE FROM users WHERE username = 'ops'"
truncate -s 0 /var/log/postgresql/*.log # what was just said
"""
FACTS = {
    "accounts.UserRows": ("database=halext_org",),
    "env_file.EnvKeys": (f"path={BACKEND}/.env",),
    "jwt.JwtSecret": (f"path={BACKEND}/.env", "key=SECRET_KEY", "unit=halext-api"),
    "login.HttpStatus": ("url=http://127.0.0.1/users/me",),
    "machine.Host": (),
    "postgres.Roles": ("role=halext_user", "database=halext_org"),
    "service.Unit": ("unit=halext-api",),
    "venv.Distributions": (f"path={BACKEND}/env",),
}
# A user's own faults, in the inventory's data: they fail in every way, with secrets in their words.
MISTAKEN = """
import dataclasses, runpy
from relogin import Fault, Finding

def _detect(backend, seen):
    raise ValueError("detect: " + seen.env("SECRET_KEY"))

def _found(backend, seen):
    return Finding("found: " + seen.env("SECRET_KEY"), seen=seen.env("DATABASE_URL"))

def _fix(backend, seen, finding):
    raise RuntimeError("fix: " + seen.env("ACCESS_CODE"))
    yield

halext = dataclasses.replace(
    runpy.run_path("inventories/group_data/halext.py")["halext"],
    faults=(Fault("env_file.raises", _detect), Fault("env_file.says", _found, _fix)),
)
"""

LEAKING = """
import dataclasses, runpy
from relogin import Change, Fault, Finding

def _found(backend, seen):
    return Finding("something to mend")

def _fix(backend, seen, finding):
    secret = seen.env("SECRET_KEY")
    yield Change(f"/bin/true {secret}; echo {secret} >/var/tmp/leak", "mend it")

halext = dataclasses.replace(
    runpy.run_path("inventories/group_data/halext.py")["halext"],
    faults=(Fault("env_file.leaks", _found, _fix),),
)
"""


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


@pytest.fixture
def broken(host: Host) -> Host:
    host.root(BREAK)
    host.forget_execs()
    return host


def test_a_diagnosis_and_a_repair_with_every_detail_shown(broken: Host) -> None:
    looked = diagnose(broken, "-vvv")
    mended = restore(broken, "-vvv")
    assert (0, 0) == (looked.code, mended.code), mended.output
    assert 5 <= len(mended.section("What was done"))
    assert_kept(broken, looked, mended)


def test_a_repair_with_debug_messages(broken: Host) -> None:
    mended = restore(broken, "--debug")
    assert 0 == mended.code, mended.output
    assert_kept(broken, mended)


def test_a_plan_its_operations_and_the_inventory(broken: Host) -> None:
    deploy = "deploys/restore_access.py"
    ways = [
        ("debug-inventory",),
        ("debug-inventory", "--json"),
        (deploy, "--dry", "-vvv"),
        (deploy, "--debug-operations", "--debug", "-vvv"),
        (deploy, "--json", "-y", "-vvv", "--debug-facts"),
        (deploy, "--json", "-y", "-vvv"),
    ]
    runs = [pyinfra([broken], *words) for words in ways]
    assert [0] * len(ways) == [ran.code for ran in runs]
    assert_kept(broken, *runs)


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_alone_with_every_detail_shown(lab: list[Host], fact: str) -> None:
    lab[0].forget_execs()
    ran = pyinfra([lab[0]], "fact", f"relogin.facts.{fact}", *FACTS[fact], "--sudo", "-vvv")
    assert 0 == ran.code, ran.output
    assert lab[0].name in ran.output.partition("--> Fact data for")[2], ran.output
    assert "unreadable" not in ran.output, ran.output
    assert_kept(lab[0], ran)


def test_a_missing_secret(broken: Host) -> None:
    known = {"HALEXT_OPS_PASSWORD": canaries.OPS_PASSWORD}
    words = ("deploys/restore_access.py", "-y", "-vvv", "--debug")
    ran = pyinfra([broken], *words, secrets=known)
    assert 1 == ran.code
    assert "Secret.env('HALEXT_ACCESS_CODE') has no value" in ran.output
    assert "Traceback" not in ran.output
    assert_kept(broken, ran)


def test_a_fix_that_fails(broken: Host) -> None:
    broken.root("mv /srv/wheels /srv/gone; systemctl restart halext-api")
    ran = restore(broken, "-vvv")
    assert 1 == ran.code
    assert "No matching distribution found for python-multipart" in ran.verdict
    assert_kept(broken, ran)


def test_an_exception_that_holds_a_secret(host: Host, tmp_path) -> None:
    (tmp_path / "halext.py").write_text(MISTAKEN)
    ran = restore(host, "-vvv", "--debug", "--group-data", str(tmp_path))
    assert 0 == ran.code, ran.output
    for said in (
        "relogin itself failed in env_file.raises",
        "the fix of env_file.says",
        "found: ***",
    ):
        assert said in ran.verdict, ran.output
    assert_kept(host, ran)


def test_a_sudo_password(broken: Host, tmp_path) -> None:
    (tmp_path / "halext.py").write_text(
        "from relogin import Secret\nsudo_password = Secret.env('OF_SUDO')\n"
    )
    words = ("deploys/restore_access.py", "-y", "-vvv", "--debug", "--group-data", str(tmp_path))
    given = {**SECRETS, "OF_SUDO": canaries.SUDO_PASSWORD}
    ran = pyinfra([broken], *words, user="deploypw", secrets=given)
    assert 0 == ran.code, ran.output
    assert_kept(broken, ran)


def test_a_fix_that_leaks_is_seen(host: Host, tmp_path) -> None:
    (tmp_path / "halext.py").write_text(LEAKING)
    host.forget_execs()
    restore(host, "--group-data", str(tmp_path))
    assert [["/bin/true", canaries.SECRET_KEY]] == given_to_programs(host.execs(), ALL)
    assert [f"{BACKEND}/.env", "/var/tmp/leak"] == held_by_files(host, ALL)
    assert ["/var/tmp/leak"] == held_by_files(host, ALL, new=True)
    host.forget_execs()
    with pytest.raises(AssertionError, match="/bin/true"):
        host.heal()
    host.ssh(f"sudo cp {BACKEND}/.env /var/tmp/leak")
    with pytest.raises(AssertionError, match="/var/tmp/leak"):
        host.heal()
    host.heal()


def test_what_a_run_prints_is_looked_through_for_secrets(lab: list[Host]) -> None:
    words = ("exec", "--sudo", "--", f"cat {BACKEND}/.env")
    assert canaries.SECRET_KEY in pyinfra([lab[0]], *words, may_leak=True).output
    with pytest.raises(AssertionError, match=canaries.PREFIX):
        pyinfra([lab[0]], *words)


def test_the_text_of_a_secret_is_seen_in_every_form(lab: list[Host]) -> None:
    assert [canaries.SECRET_KEY] == leaks(f"x={canaries.SECRET_KEY}", ALL)
    assert [canaries.SECRET_KEY] == leaks(encoded(f"any{canaries.SECRET_KEY}thing"), ALL)
    assert [canaries.SECRET_KEY] == leaks(f"any{canaries.SECRET_KEY}thing".encode().hex(), ALL)
    assert [canaries.DATABASE_PASSWORD] == leaks(quote(canaries.DATABASE_PASSWORD, safe=""), ALL)
    [stored] = [text for text in kept_in_the_database(lab[0]) if text.startswith("SCRAM")][:1]
    assert [stored] == leaks(f"ALTER ROLE x PASSWORD '{stored}'", [stored])


def assert_kept(host: Host, *runs: Ran) -> None:
    secrets = [*ALL, *kept_in_the_database(host)]
    for ran in runs:
        assert [] == leaks(ran.output, secrets)
    assert [] == given_to_programs(host.execs(), secrets)
    assert [f"{BACKEND}/.env"] == held_by_files(host, secrets)
    assert [] == leaks(host.root("journalctl -q --no-pager -o cat"), secrets)
    folders = host.root(f"find {UNDO} -type d -printf '%m %U\\n' 2>/dev/null | sort -u; true")
    assert folders in {"", "700 0\n"}


def kept_in_the_database(host: Host) -> list[str]:
    """Give the hashes and verifiers, and those of their parts that are secret themselves."""
    host.root("systemctl start postgresql@15-main")
    stored = host.psql(
        "SELECT hashed_password FROM users UNION ALL SELECT rolpassword FROM pg_authid"
        " WHERE rolpassword IS NOT NULL"
    ).split()
    keys = [
        key for one in stored if one.startswith("SCRAM") for key in one.split("$")[2].split(":")
    ]
    return [*stored, *keys]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
