"""Tokens that a backend must refuse."""

import hashlib
import hmac
import json
import time

import jwt
import pytest

from relogin import tokens
from tests.core.jwts import ASYMMETRIC, CLAIMS, SECRET, good, raw

KINDS = ["signed with another secret", "of algorithm none", "signed with the empty secret"]


def test_forged_tokens_say_what_the_good_one_says_and_only_their_signature_is_wrong():
    signed = good(kid="main")
    forged = tokens.forged(signed)
    assert list(forged) == KINDS
    for name in ("signed with another secret", "signed with the empty secret"):
        assert signed.rpartition(".")[0] == forged[name].rpartition(".")[0]
        assert tokens.signed_by(forged[name], SECRET, "HS256") is False
    header, claims, signature = forged["of algorithm none"].split(".")
    assert json.loads(raw(header)) == {"typ": "JWT", "alg": "none", "kid": "main"}
    assert (claims, signature) == (signed.split(".")[1], "")


def test_the_token_of_the_empty_secret_is_really_signed_with_it():
    unsigned, _, signature = tokens.forged(good())["signed with the empty secret"].rpartition(".")
    assert raw(signature) == hmac.new(b"", unsigned.encode(), hashlib.sha256).digest()


def test_the_other_secret_is_another_one_each_time():
    first, second = tokens.forged(good()), tokens.forged(good())
    assert first["signed with another secret"] != second["signed with another secret"]


def test_a_backend_done_right_accepts_the_good_token_and_refuses_every_forged_one():
    assert CLAIMS == jwt.decode(good(), SECRET, algorithms=["HS256"])
    for token in tokens.forged(good()).values():
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(token, SECRET, algorithms=["HS256"])


def test_a_backend_that_does_not_verify_accepts_every_forged_token():
    for token in tokens.forged(good()).values():
        assert CLAIMS == jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_stranger_with_a_key_pair_of_his_own_is_refused(pems, algorithm):
    private, public = pems[algorithm]
    forged = tokens.forged(jwt.encode(CLAIMS, private, algorithm))
    other = forged["signed with another secret"]
    assert jwt.get_unverified_header(other)["alg"] == algorithm
    assert jwt.get_unverified_header(forged["signed with the empty secret"])["alg"] == "HS256"
    for token in forged.values():
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(token, public, algorithms=[algorithm])
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(other, public, algorithms=[algorithm])


@pytest.mark.parametrize("algorithm", ["none", "XX999"])
def test_a_token_of_an_algorithm_that_nobody_knows_is_forged_as_hs256(algorithm):
    forged = tokens.forged(good(alg=algorithm))
    header = jwt.get_unverified_header(forged["signed with another secret"])
    assert header["alg"] == "HS256"


def test_an_expired_token_is_signed_with_the_configured_secret_and_long_over():
    now = int(time.time())
    signed = tokens.mint({**CLAIMS, "iat": now, "nbf": now, "exp": now + 1800}, SECRET, "HS256")
    over = tokens.expired(signed, SECRET, "HS256")
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(over, SECRET, algorithms=["HS256"], leeway=600)
    claims = jwt.decode(over, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert claims == {**CLAIMS, "iat": now - 5400, "nbf": now - 5400, "exp": now - 3600}
    assert signed.split(".")[0] == over.split(".")[0]


def test_a_token_of_a_server_whose_clock_is_behind_is_expired_there_too():
    issued = int(time.time()) - 86400
    over = tokens.expired(
        tokens.mint({"iat": issued, "exp": issued + 60}, SECRET, "HS256"), SECRET, "HS256"
    )
    assert tokens.read(over).claims["exp"] == issued - 3600


@pytest.mark.parametrize("exp", [None, "soon", True, 1e400, [1], str(4102444800), 4102444800.5])
def test_a_token_with_any_end_or_none_expires(exp):
    claims = {"sub": "ops"} if exp is None else {"sub": "ops", "exp": exp}
    over = tokens.expired(tokens.mint(claims, SECRET, "HS256"), SECRET, "HS256")
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(over, SECRET, algorithms=["HS256"])


def test_what_is_no_jwt_can_be_neither_forged_nor_expired():
    for attempt in (
        lambda: tokens.forged("5ecret"),
        lambda: tokens.expired("5ecret", "s", "HS256"),
    ):
        with pytest.raises(ValueError, match="the token is not a JWT"):
            attempt()
