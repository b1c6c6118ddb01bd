"""Releases of a backend in a container: its image alone is built and made anew, or comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose.product import logs_in, what_holds_data
from tests.lab.compose.releases import SET_UP, STORE, TEAR_DOWN, at, committed, logging_in, release
from tests.lab.host import Host
from tests.lab.steps import sample

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
    "image does not start": f"echo 'raise SystemExit(3)' >>{HEALTH}",
    "image is not built": "echo 'RUN false' >>Dockerfile",
    "another JWT secret": (
        "sed -i 's/^    env_file: .env/&\\n    environment:\\n      ADMIN_PRIVATE_KEY: "
        + "x" * 64
        + "/' docker-compose.prod.yml"
    ),
}


@pytest.fixture
def host(containers: Host) -> Iterator[Host]:
    containers.root(SET_UP)
    yield containers
    containers.root(TEAR_DOWN)
    containers.heal()


def image(host: Host) -> str:
    return host.root("docker inspect --format '{{.Image}}' ai-receptionist-app-1").strip()


def test_a_good_release_is_proven_and_a_second_run_changes_nothing(host: Host, tmp_path: Path):
    data, former = what_holds_data(host), image(host)
    new = committed(host, GOOD)
    with logging_in(host) as client:
        ran = release(tmp_path, host)
    assert 0 == ran.code, ran.output
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


@pytest.mark.parametrize("what", sample(list(BAD), 2))
def test_a_bad_release_is_taken_back_by_itself(host: Host, tmp_path: Path, what: str):
    data, former, old = what_holds_data(host), image(host), at(host)
    new = committed(host, BAD[what])
    with logging_in(host) as client:
        ran = release(tmp_path, host)
    assert 1 == ran.code, ran.output
    assert f"{new[:12]} is not released: {old[:12]} is back" in ran.verdict, ran.output
    assert (former, old) == (image(host), at(host)), ran.output
    assert logs_in(host, "receptionist")
    assert client.old_token_good
    assert data == what_holds_data(host)
