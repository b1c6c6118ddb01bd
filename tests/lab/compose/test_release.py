"""Releases of a backend in a container: its image alone is built and made anew, or comes back."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.compose.client import logging_in
from tests.lab.compose.product import logs_in, what_holds_data
from tests.lab.compose.releases import (
    SET_UP,
    STORE,
    TEAR_DOWN,
    TOP,
    at,
    committed,
    release,
)
from tests.lab.host import Host
from tests.lab.product import Ran
from tests.lab.releases import fill, small
from tests.lab.steps import SEED, Act, only_counting, sample, stepping

pytestmark = pytest.mark.lab

HEALTH = "ai_receptionist/app/main.py"
MIGRATION = """
cat >alembic/versions/0003_nickname.py <<'TEXT'
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN nickname text")
    STEP


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP COLUMN nickname")
TEXT
"""
GOOD = MIGRATION.replace("STEP", "") + f"echo '# newer' >>{HEALTH}\n"
BAD = {
    "login breaks": (
        MIGRATION.replace("STEP", "")
        + "sed -i 's/^ALGORITHM = .*/ALGORITHM = \"none-such\"/' ai_receptionist/core/auth.py"
    ),
    "migration fails": MIGRATION.replace("STEP", 'op.execute("SELECT 1 / 0")'),
    "image does not start": f"echo 'raise RuntimeError(\"no such luck\")' >>{HEALTH}",
    "image is not built": "echo 'RUN false' >>Dockerfile",
}
# What a revision brings that must not be released, and what is said of it.
LOGS_OUT = "another ADMIN_PRIVATE_KEY: everybody would be logged out"
UNFIT = {
    "another JWT secret": (
        "sed -i 's/^    env_file: .env/&\\n    environment:\\n      ADMIN_PRIVATE_KEY: "
        + "x" * 64
        + "/' docker-compose.prod.yml",
        LOGS_OUT,
    ),
    "an env file with another JWT secret": (
        "sed -i 's/^    env_file: .env/    env_file: [.env, jwt.env]/' docker-compose.prod.yml\n"
        f"echo ADMIN_PRIVATE_KEY={'x' * 64} >jwt.env",
        LOGS_OUT,
    ),
    "compose files that are none": ("echo '- x' >>docker-compose.prod.yml", "compose files: "),
}


# What keeps a release from being begun: how it is done, which check says what of it.
REFUSED = {
    "a secret is missing": (f"sed -i /^OPENAI_API_KEY=/d {TOP}/.env", "keys: ", "OPENAI_API_KEY"),
    "the JWT secret is another one": (
        f"sed -i 's/^ADMIN_PRIVATE_KEY=.*/ADMIN_PRIVATE_KEY={'x7' * 40}/' {TOP}/.env",
        "keys: ",
        "everybody would be logged out",
    ),
    "the JWT secret is lost": (f"sed -i /^ADMIN_PRIVATE_KEY=/d {TOP}/.env", "keys: ", "ADMIN_PRIV"),
    "changed by hand": (f"echo >>{TOP}/{HEALTH}", "source: ", "changed on the host"),
    "the database is stopped": (
        "docker stop -t 5 ai-receptionist-postgres-1",
        "database: ",
        "",
    ),
}
MOST = 15  # a good release has as many remote commands, one that is taken back three more
TAKEN_BACK = MOST + 3
KILLED, FILLED = ("killed", "killed late"), ("/opt", "/var/lib/relogin", "/var/lib/docker/tmp")
INTERRUPTED = [
    *(("good", how, number) for number in range(1, MOST + 1) for how in KILLED),
    *(("bad", how, number) for number in range(11, TAKEN_BACK + 1) for how in KILLED),
    *(("good", how, number) for number in range(4, MOST + 1) for how in FILLED),
]


@pytest.fixture
def host(containers: Host) -> Iterator[Host]:
    containers.root(SET_UP)
    yield containers
    containers.root(TEAR_DOWN)
    containers.heal()


@dataclass(frozen=True)
class Stands:
    """What a release must not change, which image runs, and which revision is checked out."""

    data: str
    files: str
    image: str
    commit: str


def stands(host: Host) -> Stands:
    files = host.root(f"cat {TOP}/uploads/kept; sha256sum {TOP}/.env")
    return Stands(what_holds_data(host), files, image(host), at(host))


def image(host: Host) -> str:
    return host.root("docker inspect --format '{{.Image}}' ai-receptionist-app-1").strip()


def test_a_good_release_is_proven_and_a_second_run_changes_nothing(host: Host, tmp_path: Path):
    data, former = what_holds_data(host), image(host)
    new = committed(host, GOOD)
    with logging_in(host) as client, stepping(only_counting) as steps:
        ran = release(tmp_path, host, program=steps.program)
    assert 0 == ran.code, ran.output
    assert MOST == steps.count(host.name), "some have no kill point"
    assert new == at(host)
    assert image(host) != former
    assert "newer" in host.root(f"docker exec ai-receptionist-app-1 tail -n 1 /app/{HEALTH}")
    assert (
        former == host.root("docker inspect --format '{{.Id}}' relogin-former/receptionist").strip()
    )
    assert logs_in(host, "receptionist")
    assert client.old_token_good
    assert data == what_holds_data(host)
    assert "precious\n" == host.root("cat /opt/ai-receptionist/uploads/kept")
    host.root(f"[ -s {STORE}/backups/*.dump ]")
    built = image(host)

    again = release(tmp_path, host)

    assert 0 == again.code, again.output
    assert f"{new[:12]} runs already" in again.verdict
    assert built == image(host)


@pytest.mark.parametrize("what", sample(list(BAD), 1))
def test_a_bad_release_is_taken_back_by_itself(host: Host, tmp_path: Path, what: str):
    data, former, old = what_holds_data(host), image(host), at(host)
    new = committed(host, BAD[what])
    with logging_in(host) as client, stepping(only_counting) as steps:
        ran = release(tmp_path, host, program=steps.program)
    assert 1 == ran.code, ran.output
    assert steps.count(host.name) <= TAKEN_BACK, "some have no kill point"
    assert f"{new[:12]} is not released: {old[:12]} is back" in ran.verdict, ran.output
    assert (former, old) == (image(host), at(host)), ran.output
    if what == "image does not start":
        said = "\n".join(ran.section("What the backend said"))
        assert "RuntimeError: no such luck" in said, ran.output
    assert logs_in(host, "receptionist")
    assert client.old_token_good
    assert data == what_holds_data(host)


def test_what_would_lock_people_out_is_refused_before_anything_changes(host: Host, tmp_path: Path):
    committed(host, GOOD)
    host.use.holders = ("/run/env",)
    host.root(f"cp -a {TOP}/.env /run/env; cp -a {TOP}/{HEALTH} /run/code")
    for breaking, check, said in (REFUSED[what] for what in sample(list(REFUSED), 2)):
        host.root(breaking)
        before = stands(host)
        ran = release(tmp_path, host)
        assert 1 == ran.code, ran.output
        assert "refused before anything was changed" in ran.verdict, ran.output
        (line,) = [line for line in ran.section("What was checked") if f"✗ {check}" in line]
        assert said in line
        assert before == stands(host)
        assert "" == host.root(f"ls {STORE} 2>/dev/null; true")
        host.root(f"cp -a /run/env {TOP}/.env; cp -a /run/code {TOP}/{HEALTH}")
        host.root("docker start ai-receptionist-postgres-1")
    for change, said in (UNFIT[what] for what in sample(list(UNFIT), 1)):
        before = stands(host)
        committed(host, f"git checkout -q {at(host)} .\n{change}")
        ran = release(tmp_path, host)
        assert 1 == ran.code, ran.output
        assert "nothing that runs was changed" in ran.verdict, ran.output
        assert said in "\n".join(ran.section("Stopped")), ran.output
        assert before == stands(host)
        assert "" == host.root(f"ls -d {STORE} {TOP}.relogin-* 2>/dev/null; true")


def again(folder: Path, host: Host) -> Ran:
    """Run it again, also until what a killed run had begun on the host has ended."""
    for _ in range(9):
        ran = release(folder, host)
        if "still running there" not in ran.verdict:
            break
        time.sleep(5)
    return ran


def interrupting(host: Host, how: str, number: int) -> Act:
    """Give what kills the run, or fills a file system, at that remote command (late: once sent)."""

    def act(name: str, at_command: int, moment: str, pid: int) -> None:
        if (at_command, moment) != (number, "sent" if how == "killed late" else "begin"):
            return
        if how.startswith("/"):
            fill(host, how)
        else:
            time.sleep(SEED % 7 / 10)
            os.kill(pid, signal.SIGKILL)

    return act


@pytest.mark.parametrize(("kind", "how", "at_command"), sample(INTERRUPTED, 1))
def test_a_release_that_is_interrupted_leaves_one_revision_proven_and_is_ended_by_the_next_run(
    host: Host, tmp_path: Path, kind: str, how: str, at_command: int
):
    before, filled = stands(host), how.startswith("/")
    new = committed(host, GOOD if kind == "good" else BAD["login breaks"])
    if filled:
        small(host, how, "300m")
    with logging_in(host) as client:
        with stepping(interrupting(host, how, at_command)) as steps:
            ran = release(tmp_path, host, program=steps.program)
        if filled:
            after = stands(host)
            assert (ran.code, after) == (1, before) or (ran.code, after.commit) == (0, new), (
                ran.output
            )
            host.root(f"rm -f {how}/filler")
        elif steps.count(host.name) >= at_command:
            assert -signal.SIGKILL == ran.code, ran.output
        ran = again(tmp_path, host)
    after = stands(host)
    if kind == "good":
        assert (0, new) == (ran.code, after.commit), ran.output
        assert before.image != after.image
    else:
        assert (1, before) == (ran.code, after), ran.output
        assert f"{before.commit[:12]} is back, and people can log in" in ran.verdict, ran.output
    assert (before.data, before.files) == (after.data, after.files)
    assert logs_in(host, "receptionist")
    assert client.old_token_good
    assert "" == host.root(f"ls -d {STORE}/under-way {TOP}.relogin-* 2>/dev/null; true")
