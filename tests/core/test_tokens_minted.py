"""Tokens that we sign, judged by openssl and PyJWT."""

import jwt
import pytest

from relogin import tokens
from tests.core.jwts import ASYMMETRIC, CLAIMS, SECRET, openssl, raw


@pytest.mark.parametrize(("algorithm", "digest"), [("HS256", "sha256"), ("HS512", "sha512")])
def test_openssl_computes_the_same_signature_of_a_minted_token(algorithm, digest):
    unsigned, _, signature = tokens.mint(CLAIMS, SECRET, algorithm).rpartition(".")
    key = f"hexkey:{SECRET.encode().hex()}"
    done = openssl(
        "dgst", f"-{digest}", "-mac", "HMAC", "-macopt", key, "-binary", stdin=unsigned.encode()
    )
    assert done.stdout == raw(signature)


def test_openssl_verifies_a_minted_rs256_token(pems, tmp_path):
    private, public = pems["RS256"]
    unsigned, _, signature = tokens.mint(CLAIMS, private, "RS256").rpartition(".")
    (tmp_path / "public.pem").write_text(public)
    (tmp_path / "signature").write_bytes(raw(signature))
    verify = ("-verify", str(tmp_path / "public.pem"), "-signature", str(tmp_path / "signature"))
    done = openssl("dgst", "-sha256", *verify, stdin=unsigned.encode(), check=False)
    assert (0, b"Verified OK\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_pyjwt_accepts_a_minted_token(algorithm):
    minted = tokens.mint(CLAIMS, SECRET, algorithm)
    assert CLAIMS == jwt.decode(minted, SECRET, algorithms=[algorithm])
    assert jwt.get_unverified_header(minted) == {"alg": algorithm, "typ": "JWT"}


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_pyjwt_and_we_agree_on_keys_that_come_in_pairs(pems, algorithm):
    private, public = pems[algorithm]
    assert CLAIMS == jwt.decode(
        tokens.mint(CLAIMS, private, algorithm), public, algorithms=[algorithm]
    )
    theirs = jwt.encode(CLAIMS, private, algorithm)
    assert tokens.signed_by(theirs, public, algorithm) is True
    assert tokens.signed_by(theirs, private, algorithm) is True
    assert tokens.signed_by(theirs[:-8] + "AAAAAAAA", public, algorithm) is False


@pytest.mark.parametrize("algorithm", ["none", "HS257", "RS256", "ES256"])
def test_minting_with_what_is_no_key_is_refused_without_showing_it(algorithm):
    with pytest.raises(ValueError, match=r"unknown algorithm|the key is none for") as caught:
        tokens.mint(CLAIMS, "5ecret", algorithm)
    assert "5ecret" not in str(caught.value)


def test_minting_with_a_public_key_is_refused(pems):
    with pytest.raises(ValueError, match="the key for RS256 is not a private one"):
        tokens.mint(CLAIMS, pems["RS256"][1], "RS256")
