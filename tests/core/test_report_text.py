"""The verdict that a tired person reads."""

import dataclasses

import pytest

from relogin.facts.proof import Check, Proof
from relogin.run import Done
from tests.core.verdicts import (
    FAILED,
    GOOD,
    KEY,
    LOGIN,
    MODE,
    OLDER,
    PROOF,
    PROVEN,
    REFUSED,
    ROLE,
    URL,
    entry,
    told,
)


def test_a_healthy_backend(state):
    expected = f"---\none · mine: people can log in; nothing was changed\n{PROOF}"
    assert expected == told(state, entry(proof=PROVEN))


def test_a_backend_that_was_healed_causes_before_consequences(state):
    done = [
        Done("/srv/.env: write DEV_MODE", ok=True, seconds=0.12),
        Done("ALTER ROLE u", ok=True, seconds=1.0),
    ]
    found = (LOGIN, FAILED, OLDER, MODE, ROLE, KEY)
    healed = entry(*found, changes=done, proof=PROVEN, late={OLDER.key})
    said = told(state, dataclasses.replace(healed, started=healed.started - 7))
    assert (
        """\
---
one · mine: people can log in again (7 s)
  What was wrong first
    ✓ DEV_MODE is missing in /srv/.env  env_file.key-missing
        expected: 'false'
  What else was wrong
    ✓ the password of role u is not the one in the database URL  postgres.role-password-differs
        its scram verifier does not match
    ✓ /srv/.env can be read by all  env_file.readable-by-others
  What followed from it
    ✓ api.service has failed  service.failed
    ✓ api.service runs on older values  service.older-than-env-file
    ✓ the login of ops is refused  login.refused
  What was done
    ✓ /srv/.env: write DEV_MODE  0.1 s
    ✓ ALTER ROLE u  1.0 s
"""
        + PROOF
        == said
    )


def test_a_symptom_without_a_cause_leads(state):
    said = told(state, entry(LOGIN, left=(LOGIN,), proof=REFUSED))
    assert (
        """\
---
one · mine: people cannot log in
  What was wrong first
    ✗ the login of ops is refused  login.refused
  What needs you
    the login of ops is refused: look
  Proof
    ✗ POST http://127.0.0.1/token: answered 401
---"""
        == said
    )


def test_what_failed_to_be_mended_is_said_with_the_end_of_its_output(state):
    failed = Done("ALTER ROLE u", ok=False, seconds=0.2, output="ERROR:  25006\npsql: gone")
    said = told(state, entry(ROLE, LOGIN, left=(ROLE, LOGIN), changes=[failed], proof=REFUSED))
    assert (
        """\
---
one · mine: people cannot log in
  What was wrong first
    ✗ the password of role u is not the one in the database URL  postgres.role-password-differs
        its scram verifier does not match
  What followed from it
    ✗ the login of ops is refused  login.refused
  What was done
    ✗ ALTER ROLE u  0.2 s
        ERROR:  25006
        psql: gone
  What needs you
    the password of role u is not the one in the database URL: what was done about it did not hold
  Proof
    ✗ POST http://127.0.0.1/token: answered 401
---"""
        == said
    )


def test_a_fix_that_was_not_tried_says_what_stands_in_its_way(state):
    why = "not tried while there is postgres.in-recovery"
    held = entry(ROLE, left=(ROLE,), held={ROLE.key: why}, proof=REFUSED)
    assert f"""\
        its scram verifier does not match
        {why}
  What needs you
    the password of role u is not the one in the database URL: {why}
""" in told(state, held)
    assert why not in told(state, entry(ROLE, held=held.held, proof=PROVEN))


def test_a_symptom_that_leads_is_the_next_step_although_the_login_works(state):
    """Of one that has a cause, the cause is the next step."""
    sick = dataclasses.replace(LOGIN, fault="service.unhealthy", what="it is not healthy")
    alone = entry(sick, left=(sick,), proof=PROVEN)
    step = "  What needs you\n    it is not healthy: look\n"
    assert step in told(state, alone)
    assert step not in told(state, entry(KEY, sick, left=(KEY, sick), proof=PROVEN))


def test_a_dry_run_says_what_would_be_done(state):
    person = dataclasses.replace(
        KEY, by_person=True, remedy="nobody but you knows it: set DEV_MODE"
    )
    dry = entry(ROLE, person, left=(ROLE, person), executed=False)
    assert """\
---
one · mine: the login is not proven
  What was wrong first
    ✗ DEV_MODE is missing in /srv/.env  env_file.key-missing
        expected: 'false'
        next step: nobody but you knows it: set DEV_MODE
  What else was wrong
    ✗ the password of role u is not the one in the database URL  postgres.role-password-differs
        its scram verifier does not match
        would be mended: the role gets the URL's password
---""" == told(state, dry)


def test_a_host_that_was_stopped_by_a_missing_secret(state):
    why = "Secret.env('A') has no value: set it in the environment or in .env"
    halted = entry(halted=why, looked=False, executed=False)
    expected = f"---\none · mine: nothing was looked at\n  Stopped\n    {why}\n---"
    assert expected == told(state, halted)


def test_a_host_whose_look_failed_says_why_once(state):
    why = "sudo refused the password that was given"
    halted = entry(halted=why, unseen={"host": why})
    assert 1 == told(state, halted).count(why)


def test_what_could_not_be_seen_is_said(state):
    blind = entry(proof=PROVEN, unseen={"postgres": "psql could not be run"})
    assert "  What could not be seen\n    postgres: psql could not be run\n" in told(state, blind)


def test_a_host_that_could_not_be_reached(state):
    state.limit_hosts = None
    said = told(state, entry(proof=PROVEN))
    assert said.endswith("---\ntwo: could not be reached; nothing is known\n---")


def test_a_host_outside_the_limit_is_not_mentioned(state):
    assert "two" not in told(state, entry(proof=PROVEN))


def test_a_run_that_looked_at_nothing_says_so(state):
    expected = (
        "one: nothing was looked at (--dry with -y runs no operation: leave out -y to see a plan)"
    )
    assert f"---\n{expected}\n---" == told(state)


@pytest.mark.parametrize(
    ("proof", "headline"),
    [
        (None, "the login is not proven"),
        (Proof("ops", URL, (Check("login", None, "no tunnel"),)), "the login could not be tried"),
        (REFUSED, "people cannot log in"),
        (
            Proof("ops", URL, (*GOOD, Check("forged: x", False, "a token x (200)"))),
            "people can log in, but not all is as it must be",
        ),
        (
            Proof("ops", URL, (*GOOD, Check("public", False, "nobody listens there"))),
            "the login works on the host itself, but not at its public URL",
        ),
        (
            Proof("ops", URL, (*GOOD, Check("public", False, "nobody", accepted="behind VPN"))),
            "people can log in; nothing was changed",
        ),
    ],
)
def test_the_headline_is_about_the_login(state, proof, headline):
    assert f"one · mine: {headline}" == told(state, entry(proof=proof)).split("\n")[1]


def test_the_worst_comes_last(state):
    good = dataclasses.replace(entry(proof=PROVEN), host="z")
    bad = dataclasses.replace(entry(proof=REFUSED), host="a")
    heads = [line for line in told(state, bad, good).split("\n") if " · " in line]
    assert ["z", "a"] == [line[0] for line in heads]
