"""The database of 38 tables restored while people log in: once by `make test-all`.

Its sessions are rows: those begun since the backup end, which has to be confirmed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.backends import canaries
from tests.lab.backends.places import KEEP, PLACES
from tests.lab.backends.product import logs_in, run
from tests.lab.compose.client import Asked, logging_in
from tests.lab.host import Host
from tests.lab.product import Ran

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="by make test-all"),
]
BACKEND = "task_074"
[PLACE] = [place for place in PLACES if place.backend == BACKEND]
HUB = Asked(
    "http://127.0.0.1:8108",
    "/api/v1/auth/login",
    {"username": "owner", "password": canaries.OWNER_PASSWORD},
    "/api/v1/users/me",
    identity="username",
    pause=0.05,
    lasts=False,
)
UVICORN = "/srv/argon/env/bin/uvicorn"
WITH_A_COPY = f"""
import dataclasses
from relogin import Backup
task_074 = dataclasses.replace(task_074, backup=Backup(
    copy="{UVICORN} hub.main:app --host 127.0.0.1 --port {{port}}"))
"""
DAMAGE = """
DELETE FROM message_attachments; DELETE FROM messages WHERE id > 10;
UPDATE users SET is_active = false WHERE username = 'grace';
"""
KNOWN = "SELECT string_agg(concat(id, username, is_active, hashed_password), ',' ORDER BY id)"
TABLES = f"{KNOWN} || (SELECT count(*) FROM messages) FROM users"


@pytest.fixture
def host(many: Host) -> Iterator[Host]:
    many.root(KEEP)
    yield many
    many.root(PLACE.heal)


def restore(folder: Path, host: Host, described: str, *data: str) -> Ran:
    words = [word for one in data for word in ("--data", one)]
    deploy = "deploys/restore_backup.py"
    return run(folder, host, BACKEND, deploy, "-y", *words, described=described)


@pytest.mark.parametrize("described", ["", WITH_A_COPY], ids=["without a copy", "with a copy"])
def test_it_is_restored_and_taken_back_while_people_log_in(
    tmp_path: Path, host: Host, described: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = host.psql(TABLES, database="hub")
    taken = run(tmp_path, host, BACKEND, "deploys/backup.py", "-y")
    assert 0 == taken.code, taken.output
    host.psql(DAMAGE, database="hub")
    damaged = host.psql(TABLES, database="hub")
    confirm = f"confirm={host.name}/hub"

    host.use.own = (UVICORN,)  # the copy of the backend has its environment, too
    with logging_in(host, HUB) as seen:
        ran = restore(tmp_path, host, described, confirm)

    with capsys.disabled():
        print(f"\n38 tables: {len(seen.seen)} logins, window {seen.window * 1000:.0f} ms")
    assert 0 == ran.code, ran.output
    assert "accounts that are others now: grace (active)" in ran.verdict
    assert "everybody has to log in again" in ran.verdict, ran.output
    assert whole == host.psql(TABLES, database="hub")
    assert {0, 1} >= set(seen.worked), "somebody else answered"
    assert seen.worked.count(0) <= 1, ran.output
    assert logs_in(host, BACKEND)

    undone = restore(tmp_path, host, described, "undo=true", confirm)

    assert 0 == undone.code, undone.output
    assert damaged == host.psql(TABLES, database="hub")
    assert logs_in(host, BACKEND)
