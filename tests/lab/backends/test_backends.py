"""Backends of other kinds than the example, each described by data alone."""

import pytest

from tests.lab.backends.product import BACKENDS, diagnose, logs_in

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_healthy_backend_is_proven_and_has_no_findings(tmp_path, many, backend):
    looked = diagnose(tmp_path, many, backend)

    assert 0 == looked.code, looked.output
    assert "people can log in; nothing was changed" in looked.verdict, looked.output
    assert ([], []) == (
        looked.section("What was wrong first"),
        looked.section("What could not be seen"),
    ), looked.output
    assert logs_in(many, backend)
