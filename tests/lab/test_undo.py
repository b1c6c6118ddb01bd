"""Taking a run back on a real host: what was changed since stays, and no secret shows."""

from collections.abc import Iterator

import pytest

from .cases.case import BACKEND, PSQL, UNDO
from .host import Host
from .leaks import ALL, given_to_programs, held_by_files, leaks
from .product import Ran, restore, undo
from .test_canaries import BREAK, kept_in_the_database
from .test_restore import at_rest, differences, unexpected

pytestmark = pytest.mark.lab

ENV = f"{BACKEND}/.env"
VERIFIER = "SELECT rolpassword FROM pg_authid WHERE rolname = 'halext_user'"
SICK = f"""
cd {BACKEND}; sed -i 's/^DEV_MODE=.*/DEV_MODE=true/' .env
{PSQL} -c "ALTER ROLE halext_user PASSWORD 'of-yesterday'"
{PSQL} -d halext_org -c "UPDATE users SET is_active = false, hashed_password = 'x' WHERE id = 1"
systemctl disable halext-api
"""


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


def row(host: Host) -> str:
    return host.psql("SELECT is_active, hashed_password FROM users WHERE id = 1").strip()


def values(host: Host) -> tuple[str, ...]:
    """Give the env file's bytes, rights and time, the role's verifier, the row, and the unit."""
    file = host.root(f"sha256sum {ENV}; stat -c '%a %U:%G %y' {ENV}")
    enabled = host.root("systemctl is-enabled halext-api; true")
    return file, host.psql(VERIFIER), row(host), enabled


def assert_refused(ran: Ran, *whats: str) -> None:
    assert 1 == ran.code, ran.output
    refused = [line for line in ran.section("What was not brought back") if line.startswith("✗")]
    assert [f"✗ {what}: changed since by somebody else" for what in whats] == refused, ran.output


def test_what_was_changed_since_stays_and_all_else_is_as_it_was(host: Host) -> None:
    host.root(SICK)
    broken = host.snapshot()
    assert 0 == restore(host).code
    host.root(
        f"echo NEW=1 >>{ENV}\n"
        f"{PSQL} -c \"ALTER ROLE halext_user PASSWORD 'of-somebody-else'\"\n"
        f"{PSQL} -d halext_org -c \"UPDATE users SET hashed_password = 'y' WHERE id = 1\""
    )
    since = host.root(f"sha256sum {ENV}"), host.psql(VERIFIER)

    ran = undo(host)

    whats = ("hashed_password of account ops", "password of role halext_user", ENV)
    assert_refused(ran, *whats)
    assert since == (host.root(f"sha256sum {ENV}"), host.psql(VERIFIER))
    assert "f|y" == row(host)
    assert "disabled\n" == host.root("systemctl is-enabled halext-api; true")
    touched = (*UNDO, f"file:{ENV}", f"env-text:{ENV}", "env:", "role-verifier:halext_user")
    left = differences(at_rest(broken), at_rest(host.snapshot()))
    assert {} == unexpected(left, (*touched, "row:halext_org.public.users:1"))


def test_it_comes_back_whole_a_second_run_has_nothing_to_do_and_undoing_is_undone(
    host: Host,
) -> None:
    host.root(SICK)
    sick = values(host)
    assert 0 == restore(host).code
    mended = values(host)

    first, second = undo(host), undo(host)

    assert (0, 0) == (first.code, second.code), first.output
    assert sick == values(host)
    assert "nothing is left to bring back" in second.verdict
    assert "halext-api.service was not restarted" in " ".join(first.section("What to know"))
    runs = host.root("ls /var/lib/relogin/halext/undo").split()
    (undoing,) = [run for run in runs if f"--data run={run}" in first.verdict]
    assert 0 == undo(host, "--data", f"run={undoing}").code
    assert mended == values(host)
    assert host.login().works


def test_no_secret_of_the_store_is_shown_or_given_to_a_program(host: Host) -> None:
    host.root(BREAK)
    sick = kept_in_the_database(host)
    assert 0 == restore(host, "-vvv").code
    host.forget_execs()

    runs = [undo(host, "--dry", "-vvv"), undo(host, "-vvv", "--debug"), undo(host, "-vvv")]

    assert [0, 0, 0] == [ran.code for ran in runs], runs[1].output
    secrets = [*ALL, *sick, *kept_in_the_database(host)]
    for ran in runs:
        assert [] == leaks(ran.output, secrets)
    assert [] == given_to_programs(host.execs(), secrets)
    assert set(held_by_files(host, secrets)) <= {ENV}
    assert [] == leaks(host.root("journalctl -q --no-pager -o cat"), secrets)
    found = host.root("find /var/lib/relogin -printf '%y %m %U\\n' | sort -u").splitlines()
    assert ["d 700 0", "f 600 0"] == found


def test_a_run_that_is_not_there_is_refused_with_the_names_of_those_that_are(host: Host) -> None:
    host.root(SICK)
    assert 0 == restore(host).code
    (name,) = host.root("ls /var/lib/relogin/halext/undo").split()
    before = host.snapshot()

    ran = undo(host, "--data", "run=20200101T000000Z-0000")

    assert 1 == ran.code
    assert f"there is no run 20200101T000000Z-0000 in its undo store; there is {name}" in ran.output
    assert before == host.snapshot()
    assert "Traceback" not in ran.output
