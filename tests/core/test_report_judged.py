"""What a report says of a check of the database and of a probe of the API: no word of a login."""

from typing import Any

import pytest
from junitparser import JUnitXml

from relogin.report import junit
from relogin.report.headline import Tone, headline
from relogin.report.view import view
from tests.core.reports import backend, document, finding, host


def report(title: str, *checks: tuple[str, bool | None, str]) -> dict[str, Any]:
    names = ("name", "ok", "accepted")
    told = [{**dict(zip(names, one, strict=True)), "said": f"{one[0]}: said"} for one in checks]
    return {"title": title, "checks": told}


API = report(
    "API", ("GET /", True, ""), ("GET /a", False, "known"), ("GET /b", None, ""), ("/c", False, "")
)
DATABASE = report("Database health", ("rows", True, ""))
WRONG = finding("a route is gone", fault="api.path-wrong", state="left", by_person=True)


@pytest.mark.parametrize(
    ("reports", "findings", "expected"),
    [
        ([API], [], ("the API answers as declared", Tone.GOOD)),
        ([API], [WRONG], ("the API: 1 finding", Tone.WARN)),
        (
            [DATABASE, API],
            [],
            ("the database is sound, the API answers as declared", Tone.GOOD),
        ),
        ([DATABASE, API], [WRONG, WRONG], ("the database and the API: 2 findings", Tone.WARN)),
    ],
)
def test_the_headline_is_of_what_was_looked_at(reports, findings, expected):
    outcome = "findings" if findings else "healthy"
    one = backend(outcome=outcome, proof=None, findings=findings, reports=reports)
    assert expected == headline(one, "probe")


def test_what_could_not_be_asked_is_no_login_that_is_not_proven():
    one = backend(outcome="error", proof=None, reports=[])
    assert ("it could not be looked at as a whole", Tone.BAD) == headline(one, "probe")


@pytest.mark.parametrize(
    ("purpose", "code", "said"),
    [
        ("probe", 2, "something was found"),
        ("check", 0, "nothing was found"),
        ("restore", 0, "the login is proven"),
        ("probe", 4, "refused"),
    ],
)
def test_what_an_exit_code_means_depends_on_what_was_asked(purpose, code, said):
    told = document(host(backend(reports=[])), purpose=purpose, exit=code)
    assert said == view(told, {}).exit_means


def test_each_thing_that_was_tried_is_a_case_and_what_failed_is_one_once():
    one = backend(outcome="findings", proof=None, findings=[WRONG], reports=[API])
    suites = JUnitXml.fromstring(junit.written(document(host(one), purpose="probe")))
    cases = {
        case.name: [type(one).__name__ for one in case.result] for suite in suites for case in suite
    }
    assert {
        "api.path-wrong: a route is gone": ["Failure"],
        "GET /": [],
        "GET /a": [],
        "GET /b": ["Skipped"],
    } == cases
