"""Two healthy backends in containers: nothing is found, nothing is changed, the login is proven."""

from pathlib import Path

import pytest

from tests.lab.compose.image import NAMES
from tests.lab.compose.product import diagnose, run
from tests.lab.host import Host

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("backend", NAMES)
def test_a_healthy_backend_has_no_findings(tmp_path: Path, containers: Host, backend: str) -> None:
    looked = diagnose(tmp_path, containers, backend)

    assert 0 == looked.code, looked.output
    assert "nothing was changed" in looked.verdict, looked.output
    assert [] == looked.section("What was wrong first"), looked.output
    assert [] == looked.section("What could not be seen"), looked.output


@pytest.mark.parametrize("backend", NAMES)
def test_a_healthy_backend_is_proven_and_left_as_it_is(
    tmp_path: Path, containers: Host, backend: str
) -> None:
    before = containers.root("docker ps --no-trunc --format '{{.ID}} {{.Names}}' | sort")

    ran = run(tmp_path, containers, backend)

    assert 0 == ran.code, ran.output
    assert [] == ran.changed(), ran.output
    assert before == containers.root("docker ps --no-trunc --format '{{.ID}} {{.Names}}' | sort")
