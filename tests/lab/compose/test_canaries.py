"""No secret of a backend in containers is printed, handed to a program or left in a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose import canaries
from tests.lab.compose.case import Case
from tests.lab.compose.cases import TOGETHER
from tests.lab.compose.product import run
from tests.lab.host import Host
from tests.lab.leaks import forms, leaks
from tests.lab.steps import sample

pytestmark = pytest.mark.lab

ALL = list(canaries.ALL)


@pytest.fixture
def host(containers: Host) -> Iterator[Host]:
    yield containers
    containers.heal()


def test_the_fact_used_alone_writes_no_value_of_an_environment(
    tmp_path: Path, containers: Host
) -> None:
    part = ("directory=/opt/agentcaller", "service=backend", "files=infra/docker-compose.yml")
    words = ("fact", "relogin.facts.compose.ComposeProject", *part, "env_files=infra/.env")

    ran = run(tmp_path, containers, "agentcaller", *words, "--sudo", "-vvv")

    assert 0 == ran.code, ran.output
    assert "infra_pgdata" in ran.output
    assert [] == leaks(ran.output, ALL)


@pytest.mark.parametrize("case", sample(TOGETHER, 1), ids=str)
def test_a_repair_with_every_detail_shown(tmp_path: Path, host: Host, case: Case) -> None:
    host.root(case.whole)
    host.forget_execs()

    ran = run(tmp_path, host, case.backend, "deploys/restore_access.py", "-y", "-vvv")

    assert 0 == ran.code, "the backend was not healed"
    assert [] == leaks(ran.output, ALL)
    given = ["\n".join(each.argv + each.environ) for each in host.execs()]
    assert [] == [leaks(text, ALL) for text in given if leaks(text, ALL)]
    held = host.files_holding([form for secret in ALL for form in forms(secret)])
    assert [] == [path for path in held if not path.startswith(canaries.HOLDERS)]
    kept = [path for path in held if path.startswith("/opt/")]
    assert {".env"} == {path.rpartition("/")[2] for path in kept}
    assert "700 0\n" == host.root("find /var/lib/relogin -type d -printf '%m %U\\n' | sort -u")
