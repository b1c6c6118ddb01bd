"""What the JWT layer finds in a recorded look, and which secret its fix puts back."""

import pytest

from relogin import Backend, EnvFile, FromEnv, Jwt, Secret
from relogin.operations.jwt import FAULTS
from tests.lab import canaries
from tests.operations.looks import (
    ENV,
    KEYS,
    Edit,
    changes,
    env,
    found,
    halext,
    look,
    said,
    stopped,
    text,
    without,
)


def test_a_secret_that_is_there_gives_no_finding():
    assert [] == found(FAULTS, look())


DECLARED = "another secret, longer than 32 bytes"


def test_a_secret_that_is_not_the_declared_one_is_said_and_never_replaced():
    """That would throw everybody out."""
    backend = declaring(Secret.seen(DECLARED))
    (finding,) = found(FAULTS, look(), backend)
    assert ("jwt.secret-not-declared", True, False) == (
        finding.fault,
        finding.by_person,
        finding.critical,
    )
    assert f"the JWT secret SECRET_KEY in {ENV} is not the declared one" == finding.what
    assert finding.seen.startswith("45 characters, fingerprint ")
    assert "deploys/rotate_secret.py --data key=SECRET_KEY" in finding.remedy
    assert [] == changes(FAULTS, look(), backend)
    for value in (DECLARED, canaries.SECRET_KEY):
        assert value not in str(finding)


def test_a_declared_text_is_not_shown_either():
    (finding,) = found(FAULTS, look(), declaring("a-plain-secret"))
    assert "jwt.secret-not-declared" == finding.fault
    for value in ("a-plain-secret", canaries.SECRET_KEY):
        assert value not in str(finding)


@pytest.mark.parametrize("secret", [canaries.SECRET_KEY, Secret.seen(canaries.SECRET_KEY)])
def test_the_declared_secret_gives_no_finding(secret):
    assert [] == found(FAULTS, look(), declaring(secret))


def declaring(secret: str | Secret) -> Backend:
    return halext(env_file=EnvFile(ENV, keys={**KEYS, "SECRET_KEY": secret}))


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (without("SECRET_KEY"), "missing"),
        (env(canaries.SECRET_KEY, ""), "empty"),
        (env(f"={canaries.SECRET_KEY}", ""), "empty"),
        (env(canaries.SECRET_KEY, "''"), "empty"),
    ],
)
def test_a_lost_secret_is_put_back_from_the_running_process(edit, what):
    seen = look(edit)
    (finding,) = found(FAULTS, seen)
    assert f"the JWT secret SECRET_KEY is {what} in {ENV}" == finding.what
    assert (f"jwt.secret-{what}", "SECRET_KEY", True, False) == (
        finding.fault,
        finding.subject,
        finding.critical,
        finding.by_person,
    )
    assert "it is written: from the running process" == finding.remedy
    (change,) = changes(FAULTS, seen)
    assert f"SECRET_KEY={canaries.SECRET_KEY}\n" in change.script
    assert canaries.SECRET_KEY not in change.why + str(finding)


def test_a_secret_whose_line_is_broken_is_not_made_anew_for_it_may_still_stand_there():
    broken = env(f"={canaries.SECRET_KEY}", f"='{canaries.SECRET_KEY}'x")
    (finding,) = found(FAULTS, look(broken, stopped))
    assert ("jwt.secret-missing", True) == (finding.fault, finding.by_person)
    assert "line 7, which binds it, cannot be parsed" == finding.seen
    assert "correct line 7: nobody may make it up" == finding.remedy
    assert [] == changes(FAULTS, look(broken, stopped))
    (change,) = changes(FAULTS, look(broken))
    assert f"\nSECRET_KEY={canaries.SECRET_KEY}\n" in change.script


def test_a_secret_that_another_key_s_open_quote_hides_is_not_lost():
    hidden = env("SECRET_KEY=", 'OTHER="\nSECRET_KEY=')
    assert [] == found(FAULTS, look(hidden, stopped))


NOWHERE: tuple[Edit, ...] = (without("SECRET_KEY"), stopped)


def test_a_secret_that_is_nowhere_is_made_anew_and_what_that_means_is_said():
    seen = look(*NOWHERE)
    (finding,) = found(FAULTS, seen)
    assert finding.remedy.startswith("it is written: made anew (no value is in force anywhere")
    scripts = {change.script for _ in range(2) for change in changes(FAULTS, seen)}
    assert 2 == len(scripts)
    made = [script.split("SECRET_KEY=")[1].split("\n")[0] for script in scripts]
    assert [86, 86] == [len(value) for value in made]


def test_a_process_that_was_started_without_it_does_not_count_as_a_source():
    edits = (
        without("SECRET_KEY"),
        text("service.environ", f"SECRET_KEY={canaries.SECRET_KEY}\n", ""),
    )
    (finding,) = found(FAULTS, look(*edits))
    assert finding.remedy.startswith("it is written: made anew")


def test_a_declared_secret_that_is_nowhere_is_the_declared_one():
    keys = {**KEYS, "SECRET_KEY": Secret.seen("declared-secret-of-more-than-32-bytes")}
    backend = halext(env_file=EnvFile(ENV, keys=keys))
    (change,) = changes(FAULTS, look(*NOWHERE), backend)
    assert "SECRET_KEY=declared-secret-of-more-than-32-bytes\n" in change.script


def test_a_secret_that_must_be_kept_and_is_nowhere_is_a_persons():
    keys = {**KEYS, "SECRET_KEY": Secret.kept()}
    backend = halext(env_file=EnvFile(ENV, keys=keys))
    (finding,) = found(FAULTS, look(*NOWHERE), backend)
    assert ("put SECRET_KEY back from a backup: nobody may make it up", True) == (
        finding.remedy,
        finding.by_person,
    )


@pytest.mark.parametrize(
    "edit",
    [said("env_0", f"none\n{ENV}\n", 1), said("env_0", "hidden\n\n", 1)],
    ids=["no file", "unreadable"],
)
def test_nothing_is_guessed_where_there_is_no_file_to_look_into(edit):
    assert [] == found(FAULTS, look(edit))


@pytest.mark.parametrize(
    "token",
    [None, Jwt(public_key=FromEnv("DEV_MODE"), algorithm="RS256"), Jwt(secret=KEYS["ACCESS_CODE"])],
)
def test_a_backend_whose_secret_is_in_no_env_file_is_none_of_this_layers(token):
    assert [] == found(FAULTS, look(without("SECRET_KEY")), halext(token=token))
