"""A backend that asks another database than the declared one."""

import dataclasses
from typing import Any

import pytest

from relogin.facts.databases_in_use import DatabasesInUse
from relogin.facts.login_answer import LoginAnswer
from relogin.facts.postgres_state import Target
from relogin.facts.proof import Check, Proof
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.operations.login import FAULTS
from tests.operations.looks import HALEXT, found, look

SEEN = look()
DECLARED = Target("halext_user", "halext_org", 5432)


def findings(use: Any, *, status: int = 401, started: str | None = None) -> list[tuple[str, str]]:
    answer = LoginAnswer(status)
    proof = Proof("ops", "http://h/", (Check("login", False, "no"),), status, answer)
    service = SEEN.service
    assert isinstance(service, ServiceState)
    if started is not None:
        environ = {**(service.environ or {}), "DATABASE_URL": started}
        service = dataclasses.replace(service, environ=environ)
    seen = dataclasses.replace(SEEN, login=proof, databases=use, service=service)
    (first, *rest) = found(FAULTS, seen, HALEXT)
    assert {True} == {one.symptom for one in rest} | {True}
    return [(one.fault.removeprefix("login."), one.seen) for one in (first, *rest)]


USED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"databases": ("halext_dev",)}, "its connections are in database halext_dev of that server"),
    (
        {"servers": (("10.0.0.7", 5432),)},
        "it is connected to 10.0.0.7:5432, and not to the declared server",
    ),
    (
        {"files": ("/srv/app.db",)},
        "it has /srv/app.db open, and no connection to the declared server",
    ),
)


@pytest.mark.parametrize("status", [401, 500])
@pytest.mark.parametrize(("use", "seen"), USED)
def test_another_database_is_the_cause_of_a_refusal(use, seen, status):
    said = findings(DatabasesInUse(DECLARED, **use), status=status)
    cause = ("other-database", seen)
    assert [cause, ("refused" if status == 401 else "server-error", "no")] == said


@pytest.mark.parametrize(("use", "seen"), USED)
def test_a_connection_to_the_declared_one_clears_it(use, seen):
    databases = (*use.get("databases", ()), "halext_org")
    whole = DatabasesInUse(DECLARED, **{**use, "databases": databases})
    assert ["refused"] == [fault for fault, _ in findings(whole)]


@pytest.mark.parametrize("use", [None, Unreadable("no ss"), DatabasesInUse(DECLARED)])
def test_what_was_not_seen_accuses_nobody(use):
    assert ["refused"] == [fault for fault, _ in findings(use)]


@pytest.mark.parametrize(
    ("started", "seen"),
    [
        ("sqlite:///./app.db", "the process was started with a DATABASE_URL that is SQLite's"),
        (
            "postgresql://u:s3cret-pw@db.old.example/shop",
            "the process was started with a DATABASE_URL of shop at db.old.example:5432",
        ),
    ],
)
def test_the_url_that_the_process_was_started_with_tells_it_too(started, seen):
    assert ("other-database", seen) == findings(DatabasesInUse(DECLARED), started=started)[0]


def test_the_same_database_by_another_spelling_is_no_other():
    started = "postgresql+asyncpg://halext_user:other-pw@127.0.0.1:5432/halext_org"
    assert "refused" == findings(DatabasesInUse(DECLARED), started=started)[0][0]


@pytest.mark.parametrize("status", [404, 422, 429, 502])
def test_a_login_that_was_not_understood_says_nothing_of_the_database(status):
    use = DatabasesInUse(DECLARED, databases=("halext_dev",))
    assert "other-database" not in dict(findings(use, status=status))
