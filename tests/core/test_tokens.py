"""What a token says, and who signed it."""

import base64
import warnings

import jwt
import pytest

from relogin import tokens
from tests.core.jwts import CLAIMS, SECRET, b64, by_hand, good, joined, raw


def test_a_token_is_read_without_its_secret():
    assert tokens.read(good()) == tokens.Token("HS256", CLAIMS)


def test_a_token_of_another_library_is_read():
    made = jwt.encode(CLAIMS, SECRET, "HS512", headers={"kid": "1"})
    assert tokens.read(made) == tokens.Token("HS512", CLAIMS)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "5ecret",
        "a.b.c",
        "a.b",
        "..",
        None,
        b"a.b.c",
        "Bearer " + good(),
        good() + "\n",
        "." + good(),
        good().replace(".", "..", 1),
        joined(b"[]", b"{}"),
        joined(b"{}", b"{}"),
        joined(b'{"alg":1}', b"{}"),
        joined(b'{"alg":"HS256"}', b"[1]"),
        joined(b'{"alg":"HS256"}', b"\xff"),
        joined(b"[" * 100_000, b"{}"),
        "gAAAAABl.opaque.token",
    ],
    ids=lambda token: repr(token)[:30],
)
def test_what_is_no_jwt_is_none_and_signed_by_nobody(token):
    assert tokens.read(token) is None
    assert tokens.signed_by(token, SECRET, "HS256") is False


def test_a_signature_is_judged_by_key_and_algorithm():
    token = good()
    assert tokens.signed_by(token, SECRET, "HS256") is True
    assert tokens.signed_by(token, SECRET.encode(), "HS256") is True
    assert tokens.signed_by(token, SECRET + "\n", "HS256") is False
    assert tokens.signed_by(token, SECRET, "HS512") is False
    assert tokens.signed_by(token, SECRET, "RS256") is False
    assert tokens.signed_by(token, SECRET, "none") is False


def test_a_signature_of_another_algorithm_than_the_header_names_is_not_good():
    token = by_hand({"alg": "HS512"}, CLAIMS, SECRET.encode(), "sha256")
    assert tokens.signed_by(token, SECRET, "HS256") is False
    assert tokens.signed_by(token, SECRET, "HS512") is False


def test_a_changed_claim_or_a_cut_signature_is_not_signed():
    header, claims, signature = good().split(".")
    changed = b64(raw(claims).replace(b"ops", b"obs"))
    assert tokens.signed_by(f"{header}.{changed}.{signature}", SECRET, "HS256") is False
    assert tokens.signed_by(f"{header}.{claims}.{signature[:-4]}", SECRET, "HS256") is False
    assert tokens.signed_by(f"{header}.{claims}.", SECRET, "HS256") is False


def test_expiry_does_not_make_a_signature_bad():
    token = by_hand({"alg": "HS256"}, {"exp": 1, "nbf": 4102444800, "aud": "x"}, SECRET.encode())
    assert tokens.signed_by(token, SECRET, "HS256") is True


@pytest.mark.parametrize("secret", ["", "short", "-----BEGIN PUBLIC KEY-----\nx", '{"kty":"oct"}'])
def test_a_secret_that_pyjwt_refuses_or_warns_of_is_judged_quietly(secret):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert tokens.signed_by(good(secret), secret, "HS256") is True
        assert tokens.signed_by(tokens.mint(CLAIMS, secret, "HS256"), secret, "HS256") is True
        assert tokens.secret_variant(good(secret), secret, "HS256") == "as is"
    assert seen == []


def test_a_weak_rsa_key_is_judged_quietly(pems):
    private, public = pems["weak"]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert tokens.signed_by(tokens.mint(CLAIMS, private, "RS256"), public, "RS256") is True
    assert seen == []


def test_a_key_of_another_kind_has_signed_nothing(pems):
    token = tokens.mint(CLAIMS, pems["RS256"][0], "RS256")
    mangled = pems["RS256"][1].replace("\n", "\\n")
    for key in (pems["ES256"][1], pems["weak"][1], mangled, SECRET, "", b"\xff"):
        assert tokens.signed_by(token, key, "RS256") is False


def test_a_token_signed_with_the_public_key_as_if_it_were_a_secret_is_not_rs256(pems):
    public = pems["RS256"][1]
    assert tokens.signed_by(good(public), public, "RS256") is False


@pytest.mark.parametrize(
    ("used", "configured", "variant"),
    [
        (SECRET, SECRET, "as is"),
        (SECRET + "\n", SECRET, "with a trailing newline"),
        (SECRET + "\r", SECRET, "with a trailing carriage return"),
        (SECRET, f" {SECRET}\n", "stripped"),
        (SECRET, f'"{SECRET}"', "without quotes"),
        (SECRET, f"'{SECRET}'\n", "without quotes"),
        (f'"{SECRET}"', SECRET, "in double quotes"),
        (f"'{SECRET}'", SECRET, "in single quotes"),
        (b"\xfb\xff\x00binary", base64.b64encode(b"\xfb\xff\x00binary").decode(), "base64-decoded"),
        (b"\xfb\xff\x00binar", b64(b"\xfb\xff\x00binar"), "base64-decoded"),
        ("", '""', "without quotes"),
        (b"secret", "c2Vj!cmV0", None),
        ("another", SECRET, None),
        ("another", "ä€", None),
    ],
)
def test_the_variant_of_a_secret_that_signed_is_named(used, configured, variant):
    assert variant == tokens.secret_variant(good(used), configured, "HS256")
