"""The database of 38 tables after a crash: each damage is made for real, found, and mended or left.

What is mended is checked by psql and pg_amcheck; what is left is there as it was. The minutes after
the whole server was killed are tried by `make test-all`.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.backends import crash
from tests.lab.backends.places import KEEP, PLACES
from tests.lab.backends.product import logs_in, run, run_each
from tests.lab.host import Host
from tests.lab.product import Ran
from tests.lab.test_restore import differences, unexpected

pytestmark = pytest.mark.lab
BACKEND = "task_074"
[PLACE] = [place for place in PLACES if place.backend == BACKEND]
CHECK = "deploys/check_database.py"
AMCHECK = (
    f"{crash.SERVER}; runuser -u postgres -- $bin/pg_amcheck -d {crash.DATABASE} --heapallindexed"
)
DUMPS = "/var/lib/relogin/task-074/release/backups"


@pytest.fixture
def host(many: Host) -> Iterator[Host]:
    many.root(KEEP)
    yield many
    many.root(PLACE.heal)


def check(folder: Path, host: Host, *data: str) -> Ran:
    words = [word for one in data for word in ("--data", one)]
    return run(folder, host, BACKEND, CHECK, "-y", *words)


def looked(folder: Path, host: Host) -> Ran:
    return run(folder, host, BACKEND, CHECK, "--dry")


def ids(ran: Ran) -> set[str]:
    """Give the faults that a verdict names."""
    words = {word.strip("(),;:") for word in ran.verdict.split()}
    return {word for word in words if word.startswith(("database.", "postgres.", "accounts."))}


def test_no_healthy_database_has_a_finding(tmp_path: Path, many: Host) -> None:
    """All of the host's backends at once, which is one run."""
    each = [place.backend for place in PLACES]

    found = run_each(tmp_path, many, each, CHECK, "--dry")

    assert 0 == found.code, found.output
    assert len(PLACES) == found.output.count("the database is sound; nothing was changed")


def test_what_takes_no_row_is_mended_behind_a_dump_and_the_second_run_is_idle(
    tmp_path: Path, host: Host
) -> None:
    host.root(crash.MENDABLE)

    found = looked(tmp_path, host)

    assert (1, {*crash.MENDED}) == (found.code, ids(found)), found.output
    assert host.root(f"{AMCHECK} >/dev/null; echo $?", check=False).strip() == "2"

    ran = check(tmp_path, host, "repair=true")

    assert 0 == ran.code, ran.output
    host.root(AMCHECK)
    unsound = "SELECT count(*) FROM pg_index WHERE NOT (indisvalid AND indisready)"
    assert "0\n" == host.psql(unsound, database="hub")
    unchecked = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"
    assert "0\n" == host.psql(unchecked, database="hub")
    ahead = "SELECT nextval('messages_id_seq') > max(id) FROM messages"
    assert "t\n" == host.psql(ahead, database="hub")
    host.root(f"{crash.SERVER}; $bin/pg_restore -f /dev/null {DUMPS}/*.dump")
    again = check(tmp_path, host, "repair=true")
    assert 0 == again.code, again.output
    assert "nothing was changed" in again.verdict, again.output
    host.root(PLACE.restart)
    assert logs_in(host, BACKEND)


def test_what_only_a_person_may_mend_is_named_with_its_evidence_and_left(
    tmp_path: Path, host: Host
) -> None:
    host.root(crash.LOST)

    found = looked(tmp_path, host)

    assert 1 == found.code, found.output
    assert {*crash.NAMED} <= ids(found), found.output
    for where, seen in crash.NAMED.values():
        assert where.partition(":")[0] in found.verdict
        assert seen in found.verdict, found.output
    before = host.snapshot(*PLACE.only)

    ran = check(tmp_path, host, "repair=true")

    assert 1 == ran.code, ran.output
    assert "nothing is repaired without a backup" in ran.output  # a torn table cannot be dumped
    assert {} == unexpected(
        differences(before, host.snapshot(*PLACE.only)), ("file:/var/lib/relogin",)
    )


@pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="by make test-all")
def test_after_a_kill_of_the_whole_server_nothing_is_lost_and_that_is_said(
    tmp_path: Path, host: Host
) -> None:
    host.root(crash.KILLED)

    found = looked(tmp_path, host)

    assert 1 == found.code, found.output
    assert {"postgres.server-down"} == ids(found), found.output
    ran = run(tmp_path, host, BACKEND)
    assert 0 == ran.code, ran.output
    assert logs_in(host, BACKEND)
    acknowledged = int(host.root("wc -l </root/acknowledged; rm /root/acknowledged"))
    there = "SELECT count(*) FROM audit_log WHERE action LIKE 'crash %'"
    assert 0 < acknowledged <= int(host.psql(there, database="hub"))
    sound = looked(tmp_path, host)
    assert (0, {"database.statistics-emptied"}) == (sound.code, ids(sound)), sound.output
    host.root(f"{AMCHECK} --install-missing")
