"""Releases on a real host: good ones, bad ones, and ones that are killed in the middle.

A client logs in every 100 ms throughout; for how long it could not is printed.
"""

import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

from .cases.case import BACKEND
from .host import Host
from .leaks import SIGNS, leaks
from .product import pyinfra
from .releases import (
    BETTER,
    BROKEN,
    DELETES,
    ENDS_AT_ONCE,
    MIGRATION,
    NEWER,
    SET_UP,
    SOURCE,
    STORE,
    TEAR_DOWN,
    TOP,
    WITHOUT_WAY_BACK,
    Stands,
    at,
    better,
    changed_here,
    checked_out,
    columns,
    committed,
    logging_in,
    opens,
    release,
    stands,
)
from .steps import SEED, only_counting, sample, stepping

pytestmark = pytest.mark.lab

ALL = os.environ.get("RELOGIN_TEST_ALL")
MOST = 14  # a good release has as many remote commands, one that is taken back four more
TAKEN_BACK = MOST + 4
INTERRUPTED = [
    *(("good", how, number) for number in range(1, MOST + 1) for how in ("begin", "sent")),
    *(("bad", how, number) for number in range(12, TAKEN_BACK + 1) for how in ("begin", "sent")),
]
OURS = "/var/lib/relogin/halext"
DAMAGED = f"{STORE}/backups/20260101T000000Z.dump"


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield from cloned(lab[0])


@pytest.fixture
def second(lab: list[Host]) -> Iterator[Host]:
    yield from cloned(lab[1])


def cloned(host: Host) -> Iterator[Host]:
    host.root(SET_UP)
    yield host
    host.root(TEAR_DOWN)
    host.heal()


def assert_as_before(before: Stands, host: Host) -> None:
    """The former revision runs, and nothing that is the user's has changed."""
    after = stands(host)
    assert (before.files, before.rows, before.commit) == (after.files, after.rows, after.commit)
    assert host.login().works


def test_a_good_release_is_proven_and_a_second_run_changes_nothing(host):
    before = stands(host)
    new = committed(host, BETTER + MIGRATION.replace("STEP", "") + (NEWER if ALL else ""))
    host.root(f"umask 077; mkdir -p {STORE}/backups; echo x >{DAMAGED}; echo y >{DAMAGED}.sum")
    with logging_in(host) as client, stepping(only_counting) as steps:
        ran = release(host, program=steps.program)
    assert 0 == ran.code, ran.output
    assert MOST == steps.count(host.name), "some have no kill point"
    said = "\n".join(ran.section("What was checked"))
    assert f"{DAMAGED} is damaged, and does not count; {STORE}/backups/2" in said, ran.output
    host.root(f"rm {DAMAGED}*")
    assert f"{new[:12]} is released, and people can log in" in ran.verdict
    assert new == at(host)
    assert better(host)
    assert 1 == columns(host)
    assert opens(host.address, client.token)
    after = stands(host)
    assert (before.files, before.rows) == (after.files, after.rows)
    host.root(f"cd {STORE}; pg_restore -l backups/*.dump | grep -q 'TABLE DATA public users'")
    kept = host.root(
        f"stat -c '%a %U' {STORE} {STORE}/deploy.log; ls {BACKEND} | grep relogin; true"
    )
    former = ["env.relogin-former"] if ALL else []
    assert ["700 root", "600 root", *former] == kept.split("\n")[:-1]

    again = release(host)

    assert 0 == again.code, again.output
    assert f"{new[:12]} runs already" in again.verdict
    assert after == stands(host)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (BROKEN + MIGRATION.replace("STEP", ""), "the proof"),
        (MIGRATION.replace("STEP", 'op.execute("SELECT 1 / 0")'), "division by zero"),
        (ENDS_AT_ONCE, "start it: it does not stay up"),
    ],
    ids=["login breaks", "migration fails", "does not start"],
)
def test_a_bad_release_is_taken_back_by_itself_and_not_begun_on_the_next_host(
    host, second, tmp_path, change, said
):
    before, untouched = stands(host), stands(second)
    new = committed(host, change)
    committed(second, BETTER)
    with logging_in(host) as client, stepping(only_counting) as steps:
        ran = release(host, second, program=steps.program, history=tmp_path)
    assert 1 == ran.code, ran.output
    assert f"not begun: the release of {host.name} · halext failed" in ran.output
    assert untouched == stands(second)
    assert "" == second.root(f"ls {STORE} 2>/dev/null; true")
    verdict = f"{new[:12]} is not released: {before.commit[:12]} is back, and people can log in"
    assert verdict in ran.verdict, ran.output
    assert any(said in line for line in ran.section("What failed")), ran.output
    assert_as_before(before, host)
    assert 0 == columns(host)
    assert opens(host.address, client.token)
    assert "back at" in host.root(f"tail -n 1 {STORE}/deploy.log")
    assert "600 root" == host.root(f"stat -c '%a %U' {STORE}/deploy.log").strip()
    log = host.root(f"cat {STORE}/deploy.log")
    kept = "".join(
        path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()
    )
    assert new[:12] in kept
    assert [] == leaks(log + kept, SIGNS)
    if "the proof" == said:
        assert TAKEN_BACK == steps.count(host.name), "some have no kill point"
    if change == ENDS_AT_ONCE:
        said = "\n".join(ran.section("What the backend said"))
        assert "RuntimeError: no such luck" in said, ran.output
        assert "RuntimeError: no such luck" in log
        assert "RuntimeError: no such luck" in kept


def test_a_schema_that_could_not_be_brought_back_is_said(host):
    before = stands(host)
    new = committed(host, BROKEN + WITHOUT_WAY_BACK)
    ran = release(host)
    assert 1 == ran.code, ran.output
    assert f"{new[:12]} is not released: {before.commit[:12]} is back" in ran.verdict, ran.output
    failed = "\n".join(ran.section("What failed"))
    assert "the schema could not be brought back: it is still that of the new" in failed, ran.output
    assert before.commit == at(host)
    assert 1 == columns(host)
    assert host.login().works
    host.psql(
        "ALTER TABLE users DROP COLUMN nickname; UPDATE alembic_version SET version_num = '0001'"
    )


def test_what_somebody_has_disabled_is_not_released_and_that_is_said(host):
    committed(host, BETTER)
    held = "9999999999\\nada@laptop\\nit is moved\\n"
    host.root(f"umask 077; mkdir -p {OURS}; printf '{held}' >{OURS}/disabled")
    before, there = stands(host), host.root(f"ls -R {OURS}")
    ran = release(host)
    assert 1 == ran.code, ran.output
    [said] = ran.section("Stopped")
    assert re.fullmatch(r"disabled by ada@laptop until 2286-\S+ \S+: it is moved", said)
    assert (before, there) == (stands(host), host.root(f"ls -R {OURS}"))


def test_a_revision_that_must_not_be_released_leaves_nothing_behind(host):
    before = stands(host)
    committed(host, DELETES)
    ran = release(host)
    assert 1 == ran.code, ran.output
    assert "main is not released; nothing that runs was changed" in ran.verdict, ran.output
    assert "0002 deletes, or has no way back" in "\n".join(ran.section("Stopped")), ran.output
    assert before == stands(host)
    refs = f"runuser -u halext -- git -C {TOP} for-each-ref refs/relogin"
    left = f"ls -d {TOP}.relogin-* {STORE}/under-way 2>/dev/null; {refs}"
    assert "" == host.root(left)

    committed(host, f"rm migrations/versions/0002.py\n{BETTER}")
    host.root("chmod a-x /usr/lib/postgresql/*/bin/pg_dump")
    try:
        ran = release(host)
    finally:
        host.root("chmod a+x /usr/lib/postgresql/*/bin/pg_dump")
    assert 1 == ran.code, ran.output
    assert "main is not released; nothing that runs was changed" in ran.verdict, ran.output
    said = "\n".join(ran.section("What was checked"))
    assert "✗ backup: none reads back, and none could be taken: pg_dump:" in said, ran.output
    assert before == stands(host)
    assert "" == host.root(left)


LOCKING_OUT = {
    "a secret is missing": (f"sed -i /^ACCESS_CODE=/d {BACKEND}/.env", "ACCESS_CODE"),
    "the JWT secret is another one": (
        f"sed -i 's/^SECRET_KEY=.*/SECRET_KEY={'x7' * 40}/' {BACKEND}/.env",
        "everybody would be logged out",
    ),
    "changed by hand": (
        f"echo >>{BACKEND}/main.py",
        "tracked files were changed on the host",
    ),
}


@pytest.mark.parametrize("what", sample(list(LOCKING_OUT), 2))
def test_what_would_lock_people_out_is_refused_before_anything_changes(host, what):
    breaking, said = LOCKING_OUT[what]
    committed(host, BETTER)
    host.root(breaking)
    before = stands(host)
    ran = release(host)
    assert 1 == ran.code, ran.output
    assert "refused before anything was changed" in ran.verdict, ran.output
    assert any(said in line for line in ran.section("What was checked")), ran.output
    assert before == stands(host)
    assert "" == host.root(f"ls {STORE} 2>/dev/null; true")


def test_a_revision_is_pushed_from_the_control_machine_where_the_host_has_no_remote(host, tmp_path):
    folder = tmp_path / "checkout"
    checked_out(host, folder)
    before = stands(host)
    new = changed_here(folder, "main.py", '"status": "ok"', '"status": "better"')
    ran = release(host, profile=f"source=_Source({TOP!r}, 'main', checkout={str(folder)!r})")
    assert 0 == ran.code, ran.output
    assert new == at(host)
    assert better(host)
    after = stands(host)
    assert (before.files, before.rows) == (after.files, after.rows)


def test_a_dry_run_says_what_was_checked_and_would_be_done_and_changes_nothing(host):
    new = committed(host, BETTER)
    before = stands(host)
    ran = pyinfra([host], "deploys/release.py", "--dry", profile=SOURCE)
    assert 0 == ran.code, ran.output
    assert f"{new[:12]} would be released in the place of {before.commit[:12]}" in ran.verdict
    assert 10 == len(ran.section("What was checked")), ran.output
    would = ran.section("What would be done")
    assert 7 == len(would), ran.output
    assert "run its migrations, if any, while nothing runs" in would
    assert before == stands(host)
    assert "" == host.root(f"ls {STORE} 2>/dev/null; true")


@pytest.mark.parametrize(("kind", "moment", "at_command"), sample(INTERRUPTED, 1))
def test_a_release_that_is_killed_is_ended_by_the_next_run(host, kind, moment, at_command):
    before = stands(host)
    new = committed(host, (BETTER if kind == "good" else BROKEN) + MIGRATION.replace("STEP", ""))

    def act(name: str, number: int, what: str, pid: int) -> None:
        if (number, what) == (at_command, moment):
            time.sleep(SEED % 7 / 10)
            os.kill(pid, signal.SIGKILL)

    with logging_in(host) as client:
        with stepping(act) as steps:
            killed = release(host, program=steps.program)
        ran = release(host)
        if "still running there" in ran.verdict:
            ran = release(host)
    assert -signal.SIGKILL == killed.code, killed.output
    assert opens(host.address, client.token)
    if kind == "good":
        assert 0 == ran.code, ran.output
        assert new == at(host)
        assert better(host)
        assert 1 == columns(host)
        after = stands(host)
        assert (before.files, before.rows) == (after.files, after.rows)
    else:
        assert 1 == ran.code, ran.output
        assert f"{before.commit[:12]} is back, and people can log in" in ran.verdict, ran.output
        assert_as_before(before, host)
        assert 0 == columns(host)
    assert "" == host.root(f"ls -d {STORE}/under-way {BACKEND}/*.relogin-next 2>/dev/null; true")
