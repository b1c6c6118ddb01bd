"""The write-up of a restore into a clean system, by commands of ours, without its broken window.

In CI one way is gone through, drawn by the seed that pytest prints; RELOGIN_TEST_ALL=1 has both,
and measures the write-up's own.
"""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose import client
from tests.lab.compose.case import PROJECTS
from tests.lab.compose.client import Client, logging_in
from tests.lab.compose.edms import (
    DOWN,
    STORE,
    UP,
    accounts,
    back_up,
    databases,
    restore,
    rows,
)
from tests.lab.compose.product import logs_in, opens, token
from tests.lab.host import Host
from tests.lab.steps import sample

pytestmark = pytest.mark.lab
ALL = bool(os.environ.get("RELOGIN_TEST_ALL"))
# What everybody knows that the reinit makes.
KNOWN = dataclasses.replace(client.EDMS, fields={"username": "admin", "password": "test123"})
DAMAGED = """
UPDATE users SET is_active = false WHERE username = 'author02';
UPDATE users SET password = (SELECT password FROM users WHERE username = 'author01')
 WHERE username = 'reviewer01';
DELETE FROM documents WHERE id > 30;
INSERT INTO users (username, password, first_name, last_name, email, is_active, is_staff,
 is_superuser, date_joined) VALUES ('newcomer', '-', '', '', '', true, false, false, now());
"""


@pytest.fixture
def host(containers: Host) -> Iterator[Host]:
    containers.root(UP)
    yield containers
    containers.root(DOWN)


def said(host: Host, client: Client) -> str:
    return (
        f"{len(client.seen)} logins, window {client.window * 1000:.0f} ms,"
        f" slowest {client.slowest * 1000:.0f} ms"
    )


@pytest.mark.parametrize("method", sample(["restore", "reinit"], 1))
def test_a_restore_is_rehearsed_done_and_undone_and_nobody_is_logged_out(
    tmp_path: Path, host: Host, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    way = ["method=reinit"] if method == "reinit" else []
    whole, before = accounts(host), token(host, "edms")
    taken = back_up(tmp_path, host)
    assert 0 == taken.code, taken.output
    assert "47" == host.root(f"gunzip -c {STORE}/*/own | grep -o '\"model\"' | wc -l").strip()
    rows(host, DAMAGED)
    damaged = accounts(host)

    rehearsed = restore(tmp_path, host, "rehearse=true", *way)

    assert 0 == rehearsed.code, rehearsed.output
    for line in (
        "it takes away: accounts made since: newcomer",
        "it takes away: accounts that are others now: author02 (active), reviewer01 (password)",
        "tokens stay good: 5 accounts are the same",
        "1 as edms (edms-worker)",
        "by a copy of the backend beside: admin, author01 can log in",
        "by the copy beside: a token made before: 200",
    ):
        assert line in rehearsed.verdict, rehearsed.output
    assert damaged == accounts(host)
    [side] = databases(host)
    assert "" == host.root("docker ps -aq --filter name=relogin-copy").strip()

    with logging_in(host, KNOWN) as known, logging_in(host, client.EDMS) as seen:
        ran = restore(tmp_path, host, *way)

    with capsys.disabled():
        print(f"\n{method}: {said(host, seen)}")
    assert 0 == ran.code, ran.output
    assert whole == accounts(host)
    assert set(seen.worked) <= {0, 1}, "somebody else answered"
    assert {0} == set(known.worked), "a password that everybody knows let somebody in"
    assert seen.worked.count(0) <= 1, ran.output
    assert seen.old_token_good
    assert opens(host, "edms", before)
    assert "running" == host.root(STATE).strip()
    [former] = databases(host)
    assert former.startswith("edms_before_")
    assert side != former

    second = restore(tmp_path, host, *way)

    assert 0 == second.code, second.output
    assert "the backup is live already, and people can log in" in second.verdict
    assert [former] == databases(host)

    undone = restore(tmp_path, host, "undo=true")

    assert 0 == undone.code, undone.output
    assert damaged == accounts(host)
    assert logs_in(host, "edms")
    assert opens(host, "edms", before)


STATE = "docker inspect -f '{{.State.Status}}' edms_prod_worker"
BY_HAND = f"""set -e
{PROJECTS}
edms exec -T backend python manage.py create_backup --type database --output /tmp/own.json.gz
edms exec -T backend python manage.py system_reinit --confirm
edms exec -T backend python manage.py restore_backup --from-file /tmp/own.json.gz
"""


@pytest.mark.skipif(not ALL, reason="RELOGIN_TEST_ALL=1 has it")
def test_the_write_up_s_own_way_has_the_window_that_it_says(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = accounts(host)
    with logging_in(host, KNOWN) as known, logging_in(host, client.EDMS) as seen:
        host.root(BY_HAND)
    with capsys.disabled():
        print(f"\nby hand: {said(host, seen)}")
    assert whole == accounts(host)
    assert 1 in known.worked, "the default admin was let in meanwhile"
    assert seen.worked.count(0) > 1
