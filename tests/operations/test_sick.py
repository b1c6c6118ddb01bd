"""Every fault as a lab host showed it: it leads; and a healthy host shows none."""

from pathlib import Path

import pytest

from relogin.remote import Answer
from tests.lab.cases.case import Case
from tests.lab.product import SECRETS
from tests.lab.record_cases import RECORDABLE, name_of
from tests.operations import sick


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("case", RECORDABLE, ids=str)
def test_a_recorded_fault_leads(case: Case) -> None:
    leading, _ = sick.judged(sick.recorded(name_of(case)))
    assert case.fault == leading[0].fault, leading


def test_nothing_is_wrong_with_the_recorded_healthy_host() -> None:
    assert ([], []) == sick.judged(sick.recorded(sick.HEALTHY))


def test_a_look_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sick, "CASES", tmp_path)
    long = b"{" + b", ".join(b'"key": %d' % n for n in range(90)) + b"}"
    healthy = {"a": Answer(b"1\n2\n" + long + b"\n", 0), "b": Answer(b"", 3), "c": Answer(b"x", 0)}
    changed = {
        "a": Answer(b"1\r\n=== b 0\n|\xff\n" + long.replace(b"7", b"8"), 1),
        "d": Answer(b"\n", 0),
    }
    sick.written(sick.HEALTHY, healthy)
    sick.written("case", {**changed, "c": healthy["c"]})

    assert healthy == sick.recorded(sick.HEALTHY)
    assert {**changed, "c": healthy["c"]} == sick.recorded("case")
    assert b"=== c" not in (tmp_path / "case.txt").read_bytes()
