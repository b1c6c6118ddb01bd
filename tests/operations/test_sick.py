"""Every fault as a lab host showed it: it leads; and a healthy host shows none."""

from pathlib import Path

import pytest

from relogin.operations import api, catalogue, database, login_public
from relogin.remote import Answer
from tests.lab.excused import DAMAGE, GROWN, SLOW, STRAIN, TOLD
from tests.lab.recordable import HEALTHY, SECRETS, SICK, SUPERVISED, Look
from tests.next_steps import named
from tests.operations import sick
from tests.operations.test_login import FLAWS
from tests.operations.test_login_request import ANSWERS

# What no look has, or more than one look: the test that judges it, and by what. Faults of the login
# are judged by answers: those of real frameworks, which `python -m tests.apps.answers.record`
# records; those of a server of ours that has one flaw; and what a client outside meets.
_RECORDED = "operations/test_login_request.py", "answers of real frameworks, recorded by a command"
_FLAWED = "operations/test_login.py", "a real server that has this flaw, and a real proof of it"
_PUBLIC = "operations/test_login_public.py", "met by a client outside: no look at the host has it"
_PROBED = "operations/test_api.py", "only a probe asks for it: a real server that has this flaw"
_MEASURED = "operations/test_api_load.py", "only a probe asks for it: of a real process"
_CHECK = "only a check asks for it: of a real PostgreSQL, in its test"
_CHECKED = "operations/test_database.py", _CHECK
_DECLARED = "operations/test_database_declared.py", _CHECK
_SLOWED = "operations/test_database_slow.py", _CHECK
_DAMAGED = "operations/test_database_damage.py", _CHECK
_STRAINED = "operations/test_database_strain.py", _CHECK
EXCUSED = {
    "accounts.hash-foreign": (
        "operations/test_accounts_foreign.py",
        "a whole hash, which only a login that is refused makes suspect",
    ),
    "jwt.secret-changed": ("operations/test_jwt_changed.py", "it takes two runs with one history"),
    "postgres.url-refused": (
        "operations/test_postgres.py",
        "a real PostgreSQL refuses the URL, and its administrator sees nothing wrong",
    ),
    "login.healthy-but-dead": (
        "operations/test_compose.py",
        "a healthy container beside a refused login",
    ),
    "login.other-database": (
        "operations/test_login_database.py",
        "what the process holds after a refusal",
    ),
    "login.works-by-some-workers": (
        "operations/test_login_workers.py",
        "several answers of one login",
    ),
    **dict.fromkeys(("login.not-reached", "login.slow"), _FLAWED),
    **dict.fromkeys(("login.authorization-stripped", "login.forged-token-accepted"), _FLAWED),
    **dict.fromkeys(("login.certificate-refused", "login.cors-refused"), _PUBLIC),
    "login.refresh-refused": (
        "operations/test_login_refresh.py",
        "a real server that renews tokens with this flaw",
    ),
    "login.token-url-differs": ("facts/test_proof.py", "the backend's own document"),
    **dict.fromkeys((fault.id for fault in api.FAULTS), _PROBED),
    **dict.fromkeys((f"api.{name}" for name in GROWN), _MEASURED),
    **dict.fromkeys((fault.id for fault in database.FAULTS), _CHECKED),
    **{f"database.{name}": _DAMAGED for name in DAMAGE},
    **{f"database.{name}": _STRAINED for name in STRAIN},
    **{f"database.{name}": _DECLARED for name in TOLD},
    **{f"database.{name}": _SLOWED for name in SLOW},
    **{fault.id: _PUBLIC for fault in login_public.PUBLIC},
    **{f"login.{one[0]}": _FLAWED for one in FLAWS},
    **{f"login.{one[2]}": _RECORDED for one in ANSWERS},
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("look", SICK, ids=str)
def test_a_recorded_fault_leads(look: Look) -> None:
    leading, _ = judged(look)
    first = leading[0]
    assert look.fault == first.fault, leading
    assert not first.by_person or named(first.remedy), first.remedy


@pytest.mark.parametrize("look", [*HEALTHY, SUPERVISED], ids=str)
def test_nothing_is_wrong_with_a_recorded_healthy_host(look: Look) -> None:
    assert ([], []) == judged(look)


def test_every_fault_has_a_recorded_look_or_an_excuse_and_none_has_both() -> None:
    recorded = {look.fault for look in SICK}
    assert {fault.id for fault in catalogue.FAULTS} == recorded | EXCUSED.keys()
    assert set() == recorded & EXCUSED.keys()


@pytest.mark.parametrize(("fault", "excuse"), EXCUSED.items())
def test_what_is_excused_has_the_test_that_is_named(fault: str, excuse: tuple[str, str]) -> None:
    judged_by = (Path(__file__).parents[1] / excuse[0]).read_text()
    assert f'"{fault}"' in judged_by or f'"{fault.partition(".")[2]}"' in judged_by


def judged(look: Look) -> tuple[list[sick.Finding], list[sick.Finding]]:
    answers = sick.recorded(look.file, look.example)
    return sick.judged(sick.described(look.example, look.profile), answers)


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
    assert b"=== c" not in sick.path("case").read_bytes()
