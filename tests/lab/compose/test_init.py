"""`relogin init` on a host with containers: two projects that nobody has described."""

from pathlib import Path

import pytest

from tests.lab.compose import canaries
from tests.lab.compose.product import what_holds_data, what_there_is
from tests.lab.host import Host
from tests.lab.steps import sample
from tests.lab.test_init import described, healthy

pytestmark = pytest.mark.lab
PASSWORDS = {
    "ai_receptionist": canaries.OWNER_PASSWORD,
    "agentcaller": canaries.ADMIN_PASSWORD,
}


def state(host: Host) -> object:
    return what_there_is(host), what_holds_data(host)


@pytest.mark.parametrize("name", sample(list(PASSWORDS), 1))
def test_a_project_is_described_so_that_it_is_found_healthy_without_an_edit(
    tmp_path: Path, containers: Host, name: str
) -> None:
    assert f"found/group_data/{name}.py" in described(tmp_path, containers, state)
    healthy(tmp_path, containers, name, **{f"{name.upper()}_PASSWORD": PASSWORDS[name]})
