"""What a verdict shows of text that others wrote, and of faults that a user added."""

import dataclasses

import click

from relogin import Backend, Fault, Secret, run
from relogin.facts.proof import Check, Proof
from relogin.report.text import verdict
from relogin.run import Done
from tests.core.verdicts import GOOD, LOGIN, ROLE, URL, entry, finding, told

HOSTILE = f"a\r\n{'─' * 78}\nx · y: people can log in\x1b[2J\x1b]0;t\x07\u2028\u202eb"


def test_hostile_text_does_not_break_out_of_its_line(state):
    checks = (Check("login", False, HOSTILE), Check("probe: x", False, HOSTILE))
    hostile = entry(
        halted=HOSTILE,
        unseen={"postgres": HOSTILE + "2"},
        changes=[Done(HOSTILE, ok=False, output=HOSTILE)],
        proof=Proof("ops", URL, checks),
    )
    said = verdict(run.Run({("one", "mine"): hostile}), state)
    for mark in ("\x1b[2J", "\x1b]", "\x07", "\r", "\u2028", "\u202e"):
        assert mark not in said
    lines = click.unstyle(said).split("\n")
    assert 2 == len([line for line in lines if line == "─" * 78])
    assert 1 == len([line for line in lines if line and not line.startswith((" ", "─"))])


def test_a_known_secret_is_not_in_what_is_printed_at_the_end(state, capsys):
    from relogin.report.text import _last_words

    Secret.seen("canary-in-the-verdict")
    record = run.Run({("one", "mine"): entry(halted="because of canary-in-the-verdict")})
    _last_words(record, state)
    printed = capsys.readouterr()
    assert ("", 1, 0) == (printed.out, printed.err.count("***"), printed.err.count("canary"))


def test_a_users_own_fault_is_ranked_with_its_layer(state):
    mine = Fault("service.mine", lambda b, s: None, symptom_of=("env_file",))
    backend = Backend("mine", faults=[mine, Fault("env_file.mine", lambda b, s: None)])
    own = [finding(fault, fault) for fault in ("service.mine", "env_file.mine")]
    said = told(state, dataclasses.replace(entry(LOGIN, *own, ROLE), backend=backend))
    places = ["wrong first", "env_file.mine", "else was", "postgres.role", "followed", "service.m"]
    assert places == sorted(places, key=said.index)
    assert said.index("service.mine") < said.index("login.refused")


def test_what_the_profile_accepts_is_shown_with_its_reason(state):
    public = Check("public", False, "nobody listens there", accepted="behind\nVPN")
    said = told(state, entry(proof=Proof("ops", URL, (*GOOD, public))))
    assert r"    ! nobody listens there (accepted: behind\nVPN)" in said
