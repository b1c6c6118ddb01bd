"""What a run has overwritten on a host with containers comes back: files, rows and roles."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose.case import AGENTCALLER, RECEPTIONIST, people
from tests.lab.compose.product import run, state
from tests.lab.host import Host
from tests.lab.steps import sample

pytestmark = pytest.mark.lab

BROKEN = {
    RECEPTIONIST: people(
        RECEPTIONIST,
        "UPDATE users SET is_active = false WHERE id = 1;"
        " ALTER ROLE receptionist PASSWORD 'of-yesterday'",
    )
    + "\nsed -i 's/^ENV=.*/ENV=staging/' /opt/ai-receptionist/.env",
    AGENTCALLER: people(
        AGENTCALLER,
        "UPDATE users SET hashed_password = (SELECT hashed_password FROM users WHERE id = 2)"
        " WHERE id = 1",
    )
    + "\necho POSTGRES_DB=agentcaler >>/opt/agentcaller/.env",
}


def rows(found: list[str]) -> list[str]:
    return [line for line in found if "@example.com" in line]


@pytest.fixture
def host(containers: Host) -> Iterator[Host]:
    yield containers
    containers.heal()


# test_restore.py takes both runbooks back as well.
@pytest.mark.parametrize("backend", sample(list(BROKEN), 1))
def test_a_run_is_taken_back_whole(tmp_path: Path, host: Host, backend: str) -> None:
    host.root(BROKEN[backend])
    broken = state(host, backend)
    healed = run(tmp_path, host, backend)
    assert 0 == healed.code, healed.output
    assert broken != state(host, backend)

    back = run(tmp_path, host, backend, "deploys/undo.py", "-y")

    assert 0 == back.code, back.output
    assert broken == state(host, backend)


def test_a_row_that_somebody_has_changed_since_stays(tmp_path: Path, host: Host) -> None:
    host.root(BROKEN[AGENTCALLER])
    assert 0 == run(tmp_path, host, AGENTCALLER).code
    host.root(people(AGENTCALLER, "UPDATE users SET hashed_password = 'new' WHERE id = 1"))
    changed = rows(state(host, AGENTCALLER))

    back = run(tmp_path, host, AGENTCALLER, "deploys/undo.py", "-y")

    assert 1 == back.code, back.output
    assert changed == rows(state(host, AGENTCALLER))
