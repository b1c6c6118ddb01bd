"""Each consequence stands under the cause that explains it, on the screen and in the document."""

import jsonschema
import pytest

from relogin import run
from relogin.report.document import document
from relogin.report.files import schema
from relogin.report.stages import stages
from tests.core.verdicts import FAILED, KEY, LOGIN, MODE, OLDER, ROLE, entry, finding, told

VENV = finding("venv.requirement-missing", "bcrypt is not installed")
PROXY = finding("login.proxy-up-backend-down", "the proxy answers 502", symptom=True)
MADE = entry(OLDER, PROXY, FAILED, KEY, VENV, late={OLDER.key})


def sections(said: str) -> dict[str, list[str]]:
    """Give the faults below each title of a verdict."""
    found: dict[str, list[str]] = {}
    for line in said.split("\n"):
        if line.startswith("  What"):
            found[line.strip()] = []
        elif line.startswith("    ✓"):
            [*_, titled] = found.values()
            titled.append(line.split()[-1])
    return found


def test_with_several_causes_each_has_its_own_consequences(state):
    expected = {
        "What was wrong first": [VENV.fault],
        "What else was wrong": [KEY.fault],
        "What followed from venv.requirement-missing": [FAILED.fault, PROXY.fault],
        "What followed from env_file.key-missing": [OLDER.fault],
    }
    assert expected == sections(told(state, MADE))


@pytest.mark.parametrize("others", [(), (ROLE, MODE)])
def test_where_all_followed_from_what_was_first_it_need_not_be_named(state, others):
    said = sections(told(state, entry(KEY, LOGIN, FAILED, *others)))
    assert [FAILED.fault, LOGIN.fault] == said["What followed from it"]


def test_what_followed_from_a_consequence_stands_under_that_one_s_cause(state):
    path = finding("login.wrong-path", "no such path", symptom=True)
    said = sections(told(state, entry(MODE, ROLE, FAILED, path)))
    assert [FAILED.fault, path.fault] == said["What followed from it"]
    [shown] = document(run.Run({("one", "mine"): entry(ROLE, FAILED, path)}), state)["hosts"]
    causes = {it["fault"]: it["follows_from"] for it in shown["backends"][0]["findings"]}
    assert [{"fault": ROLE.fault, "subject": ROLE.subject}] == causes[path.fault]


def test_what_followed_from_another_cause_than_the_first_names_it(state):
    said = sections(told(state, entry(VENV, KEY, OLDER, late={OLDER.key})))
    assert [OLDER.fault] == said["What followed from env_file.key-missing"]


def test_a_document_names_the_causes_of_each_and_its_report_stands_as_the_verdict(state):
    record = run.Run({("one", "mine"): MADE}, purpose="restore")
    whole = document(record, state)
    jsonschema.Draft202012Validator(schema()).validate(whole)
    [one] = whole["hosts"][0]["backends"]
    named = {it["fault"]: [x["fault"] for x in it["follows_from"]] for it in one["findings"]}
    both = [VENV.fault, KEY.fault]
    expected = {VENV.fault: [], KEY.fault: [], OLDER.fault: [KEY.fault]}
    assert {**expected, FAILED.fault: both, PROXY.fault: both} == named
    [subject] = {x["subject"] for it in one["findings"] for x in it["follows_from"][1:]}
    assert KEY.subject == subject
    shown = {it.title: [item.tag for item in it.items] for it in stages(one, "restore")}
    assert sections(told(state, MADE)) == shown


def test_a_run_that_an_older_relogin_kept_has_its_consequences_in_one_list(state):
    [one] = document(run.Run({("one", "mine"): MADE}), state)["hosts"][0]["backends"]
    for found in one["findings"]:
        del found["follows_from"]
    titles = [it.title for it in stages(one, "restore")]
    assert ["What was wrong first", "What else was wrong", "What followed from it"] == titles
