"""What is found of the files of a token's keys, and what is mended."""

import dataclasses

import pytest

from relogin import Jwt, KeyFile, Systemd
from relogin.facts.key_files import Keys, KeySeen
from relogin.operations.jwt_keys import FAULTS
from tests.operations.looks import ROOT, changes, found, halext, look

PEM = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"
PAIR = KeyFile("/keys/public.pem", private="/keys/private.pem")
BACKEND = halext(
    token=Jwt(public_key=PAIR, algorithm="ES256"),
    service=Systemd("halext-api", working_directory=ROOT, user="halext"),
)
PUBLIC = KeySeen("/keys/public.pem", there=True, sound=True, readable=True)
PRIVATE = KeySeen("/keys/private.pem", there=True, sound=True, readable=True, owner="halext:www")
SOUND = Keys(PUBLIC, PRIVATE, pair=True, pem=PEM)


def seen(**changed):
    return dataclasses.replace(look(), keys=dataclasses.replace(SOUND, **changed))


def without(key, **changed):
    return dataclasses.replace(key, **changed)


def test_a_pair_of_keys_gives_no_finding():
    assert [] == found(FAULTS, seen(), BACKEND)


@pytest.mark.parametrize(
    ("changed", "fault", "what", "by_person"),
    [
        (
            {"private": without(PRIVATE, there=False, sound=None), "pair": None},
            "private-key-missing",
            "the private key /keys/private.pem, which signs the tokens, is missing",
            True,
        ),
        (
            {"private": without(PRIVATE, sound=False), "pair": None},
            "private-key-missing",
            "the private key /keys/private.pem, which signs the tokens, is no key",
            True,
        ),
        (
            {"public": without(PUBLIC, there=False, sound=None), "pair": None},
            "public-key-missing",
            "the public key /keys/public.pem, which checks the tokens, is missing",
            False,
        ),
        (
            {"public": without(PUBLIC, sound=False), "pair": None},
            "public-key-missing",
            "the public key /keys/public.pem, which checks the tokens, is no key",
            True,
        ),
        (
            {"private": without(PRIVATE, readable=False)},
            "key-unreadable",
            "halext, as whom the backend runs, cannot read the key /keys/private.pem",
            True,
        ),
        (
            {"pair": False},
            "keys-no-pair",
            "the keys that sign and check the tokens are no pair",
            True,
        ),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_is_one_finding(changed, fault, what, by_person):
    [finding] = found(FAULTS, seen(**changed), BACKEND)
    assert (f"jwt.{fault}", what) == (finding.fault, finding.what)
    mended = [change.why for change in changes(FAULTS, seen(**changed), BACKEND)]
    assert by_person is (mended == [])


def test_a_lost_public_key_is_made_of_the_private_one_for_its_owner():
    lost = seen(public=without(PUBLIC, there=False, sound=None), pair=None)
    [change] = changes(FAULTS, lost, BACKEND)
    assert "/keys/public.pem: make it of /keys/private.pem" == change.why
    assert (True, True) == ("MFkw" in change.script, "chown halext:" in change.script)


def test_it_is_not_made_where_the_private_key_is_gone_too():
    gone = {"there": False, "sound": None}
    lost = seen(public=without(PUBLIC, **gone), private=without(PRIVATE, **gone), pair=None, pem="")
    assert [] == changes(FAULTS, lost, BACKEND)
