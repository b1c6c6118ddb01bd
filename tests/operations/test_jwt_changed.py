"""A JWT secret that is another one than when a login was last proven."""

import dataclasses

from relogin import Severity
from relogin.drift import Former, when
from relogin.operations.jwt import FAULTS
from relogin.secret import mark
from tests.lab import canaries
from tests.operations.looks import changes, found, look

NOW = canaries.SECRET_KEY


def seen(former: Former | None):
    return dataclasses.replace(look(), former=former)


def test_it_is_said_with_its_key_and_since_when_and_stays() -> None:
    was = Former(signing=mark("another one"), proven=1_800_000_000.0)
    (finding,) = found(FAULTS, seen(was))
    assert ("jwt.secret-changed", "SECRET_KEY", Severity.WARNING, True) == (
        finding.fault,
        finding.subject,
        finding.severity,
        finding.by_person,
    )
    assert f"a login was last proven with the former one on {when(was.proven)}" == finding.seen
    assert NOW not in str(finding)
    assert [] == changes(FAULTS, seen(was))


def test_the_same_one_and_an_unknown_one_are_no_finding() -> None:
    assert [] == found(FAULTS, seen(Former(signing=mark(NOW), proven=1.0)))
    assert [] == found(FAULTS, seen(Former()))
    assert [] == found(FAULTS, seen(None))
