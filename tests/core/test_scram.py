"""Verifiers of a role's password: the ones that libpq makes."""

import base64
import hashlib
import hmac

import pytest
from psycopg import pq

from relogin import passwords

# What SASLprep changes and leaves; with ½, which it would change, what it refuses (then
# PostgreSQL takes the password as it is).
ROLE_PASSWORDS = [
    "pencil",
    "tab\tx",
    "a\u0308",
    "\ufb01sh",
    "½",
    "no\u00a0break",
    "so\u00adft",
    "\u00ad",
    "\u200b",
    "\u0627½\u0628",
    "😀",
    "日本語",
    "½\t",
    "½\u06dd",
    "½\u0221",
    "½\ue000",
    "½\ufdd0",
    "½\ufffd",
    "½\u2ff0",
    "½\u200e",
    "½\U000e0001",
    "\u0627½a\u0628",
    "1½\u0628",
    "\u0627½1",
]


def _libpq_verifier(password: str) -> str:
    connection = pq.PGconn.connect(b"host=/nonexistent")
    return connection.encrypt_password(password.encode(), b"app", b"scram-sha-256").decode()


def _taken_apart(verifier: str) -> tuple[str, int, bytes, bytes]:
    _, parameters, keys = verifier.split("$")
    iterations, salt = parameters.split(":")
    stored, server = keys.split(":")
    return salt, int(iterations), base64.b64decode(stored), base64.b64decode(server)


@pytest.mark.parametrize("password", ROLE_PASSWORDS, ids=ascii)
def test_a_verifier_is_the_one_that_libpq_makes_with_the_same_salt(password):
    verifier = _libpq_verifier(password)
    salt, iterations, *_ = _taken_apart(verifier)
    raw = base64.b64decode(salt)
    assert verifier == passwords.scram_verifier(password, salt=raw, iterations=iterations)


@pytest.mark.parametrize("password", ROLE_PASSWORDS, ids=ascii)
def test_the_stored_key_of_libpq_is_among_those_that_a_password_can_have(password):
    salt, iterations, stored, _ = _taken_apart(_libpq_verifier(password))
    keys = passwords.scram_stored_keys(password, salt, iterations)
    assert stored in keys
    assert keys == passwords.scram_stored_keys(password, base64.b64decode(salt), iterations)
    assert stored not in passwords.scram_stored_keys(password + "!", salt, iterations)


def test_a_role_password_that_saslprep_leaves_alone_has_one_stored_key():
    counts = [len(passwords.scram_stored_keys(p, b"salt", 1)) for p in ("pencil", "ä", "a\u0308")]
    assert counts == [1, 1, 2]


def test_a_verifier_proves_the_exchange_in_rfc_7677():
    verifier = passwords.scram_verifier("pencil", salt=base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    _, _, stored, server = _taken_apart(verifier)
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    exchange = (
        f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
    ).encode()
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = hmac.digest(stored, exchange, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    assert stored == hashlib.sha256(client_key).digest()
    assert hmac.digest(server, exchange, "sha256") == base64.b64decode(
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    )


def test_two_verifiers_of_one_password_have_different_salts():
    assert passwords.scram_verifier("p") != passwords.scram_verifier("p")


def test_the_md5_form_is_the_one_that_libpq_makes():
    connection = pq.PGconn.connect(b"host=/nonexistent")
    expected = connection.encrypt_password("pä".encode(), b"app", b"md5").decode()
    assert expected == passwords.md5_verifier("pä", "app")
