"""What a release can be told, and a disk that is filled in its middle, on a real host.

Only with RELOGIN_TEST_ALL=1: it takes minutes.
"""

import os
from collections.abc import Iterator

import pytest

from .cases.case import BACKEND, RESTART
from .host import Host
from .releases import (
    BETTER,
    BROKEN,
    MIGRATION,
    NEWER,
    SET_UP,
    SOURCE,
    TEAR_DOWN,
    TOP,
    at,
    better,
    columns,
    committed,
    fill,
    logging_in,
    opens,
    release,
    small,
    stands,
)
from .steps import stepping

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="RELOGIN_TEST_ALL=1 has it"),
]

RAISES = MIGRATION.replace("STEP", "").replace(
    'op.execute("ALTER TABLE users DROP COLUMN nickname")', "raise NotImplementedError"
)
NOTES_WHAT_RUNS = MIGRATION.replace(
    "STEP",
    """import subprocess

    said = subprocess.run(["systemctl", "is-active", "halext-api"], capture_output=True)
    open("/tmp/meanwhile", "wb").write(said.stdout)""",
)
HANGS = "sed -i '1i import time; time.sleep(3600)' main.py"
FOLDERS = (TOP, "/var/lib/relogin")
FILLED = [(folder, number) for folder in FOLDERS for number in range(4, 15)]


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    lab[0].root(SET_UP)
    yield lab[0]
    lab[0].root(f"umount -l {' '.join(FOLDERS)} 2>/dev/null; rm -f /tmp/meanwhile; {RESTART}")
    lab[0].root(TEAR_DOWN)
    lab[0].heal()


def test_a_release_that_is_the_repair_is_asked_for(host):
    host.root(f"cd {BACKEND}; {BROKEN}; cd {TOP}; runuser -u halext -- git add -A")
    host.root(f"cd {TOP}; runuser -u halext -- git -c user.name=x -c user.email=x@x commit -qm x")
    host.root(f"cd {TOP}; runuser -u halext -- git push -q origin HEAD:main; {RESTART}")
    broken = at(host)
    assert not host.login().works
    new = committed(host, f"git -c safe.directory='*' checkout -q {broken}~1 .\n{BETTER}")

    refused = release(host)

    assert 1 == refused.code, refused.output
    assert "refused before anything was changed: login" in refused.output
    assert broken == at(host)

    ran = release(host, words=["--data", "repair=true"])

    assert 0 == ran.code, ran.output
    assert new == at(host)
    assert host.login().works


def test_a_migration_that_cannot_be_undone_is_allowed_only_by_name(host):
    before = stands(host)
    new = committed(host, BETTER + RAISES)

    refused = release(host)

    assert 1 == refused.code, refused.output
    said = "\n".join(refused.section("Stopped"))
    assert "0002 deletes, or has no way back: needs --data allow_irreversible=true" in said
    assert before == stands(host)
    assert 0 == columns(host)

    ran = release(host, words=["--data", "allow_irreversible=true"])

    assert 0 == ran.code, ran.output
    assert (new, 1) == (at(host), columns(host))
    assert host.login().works


@pytest.mark.parametrize(("first", "meanwhile"), [(True, "active"), (False, "inactive")])
def test_where_the_running_code_bears_the_schema_it_runs_on_and_the_schema_stays(
    host, first, meanwhile
):
    host.use.own = ("is-active",)  # of the migration, which has the backend's environment
    before = stands(host)
    committed(host, BROKEN + NOTES_WHAT_RUNS)
    with logging_in(host) as client:
        ran = release(host, profile=f"source=_Source({TOP!r}, 'main', migrate_first={first})")
    assert 1 == ran.code, ran.output
    assert f"{before.commit[:12]} is back, and people can log in" in ran.verdict, ran.output
    assert meanwhile == host.root("cat /tmp/meanwhile").strip()
    assert int(first) == columns(host)
    assert before.commit == at(host)
    assert opens(host.address, client.token)
    host.psql("ALTER TABLE users DROP COLUMN IF EXISTS nickname")
    host.psql("UPDATE alembic_version SET version_num = '0001'")


def test_one_that_starts_and_never_answers_is_taken_back_at_its_deadline(host):
    before = stands(host)
    committed(host, HANGS)
    with logging_in(host) as client:
        ran = release(host, profile=f"{SOURCE}, login=_login(deadline=4)")
    assert 1 == ran.code, ran.output
    assert f"{before.commit[:12]} is back, and people can log in" in ran.verdict, ran.output
    assert "the proof: " in "\n".join(ran.section("What failed")), ran.output
    assert before.commit == at(host)
    assert opens(host.address, client.token)


@pytest.mark.parametrize(("folder", "at_command"), FILLED)
def test_a_disk_that_is_filled_in_the_middle_leaves_one_revision_proven(host, folder, at_command):
    small(host, folder, "1g")
    host.root(RESTART)
    before = stands(host)
    new = committed(host, BETTER + MIGRATION.replace("STEP", "") + NEWER)

    def act(_name: str, number: int, moment: str, _pid: int) -> None:
        if (number, moment) == (at_command, "begin"):
            fill(host, folder)

    with logging_in(host) as client, stepping(act) as steps:
        ran = release(host, program=steps.program)
    assert steps.count(host.name) >= at_command
    after = stands(host)
    assert (ran.code, after.commit) in {(1, before.commit), (0, new)}, ran.output
    assert (before.files, before.rows) == (after.files, after.rows)
    said = ("is back, and people can log in", "nothing that runs was changed", "is released, and")
    assert any(each in ran.verdict for each in said), ran.output
    assert host.login().works
    assert opens(host.address, client.token)

    host.root(f"rm -f {folder}/filler")
    ran = release(host)

    assert 0 == ran.code, ran.output
    assert (new, 1) == (at(host), columns(host))
    assert better(host)
    assert opens(host.address, client.token)
