"""Make and compare the passwords of PostgreSQL's roles as the server stores them."""

import base64
import functools
import hashlib
import hmac
import secrets
import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_a1,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def md5_verifier(password: str, role: str) -> str:
    """Give the md5 form of pg_authid.rolpassword."""
    return "md5" + hashlib.md5(_bytes(password + role), usedforsecurity=False).hexdigest()


def scram_verifier(password: str, *, salt: bytes | None = None, iterations: int = 4096) -> str:
    """Give the SCRAM form of pg_authid.rolpassword (RFC 5803, 7677), as libpq makes it."""
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password), salt, iterations)
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    keys = f"{_b64(_stored_key(salted))}:{_b64(server_key)}"
    return f"SCRAM-SHA-256${iterations}:{_b64(salt)}${keys}"


@functools.cache  # a pass asks for the same ones several times
def scram_stored_keys(password: str, salt: bytes | str, iterations: int) -> tuple[bytes, ...]:
    """Give the StoredKeys that a password can have: prepared by SASLprep and, if it differs, raw.

    A salt that is text is base64, as in the verifier.
    """
    raw_salt = base64.b64decode(salt) if isinstance(salt, str) else salt
    forms = dict.fromkeys((_prepared(password), _bytes(password)))
    return tuple(
        _stored_key(hashlib.pbkdf2_hmac("sha256", form, raw_salt, iterations)) for form in forms
    )


def _stored_key(salted: bytes) -> bytes:
    return hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()


def _prepared(password: str) -> bytes:
    """Prepare a password as PostgreSQL does (src/common/saslprep.c): what fails stays as it is."""
    if password.isascii():
        return _bytes(password)
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else "" if stringprep.in_table_b1(c) else c
        for c in password
    )
    if (
        not mapped
        or any(within(c) for within in _PROHIBITED for c in mapped)
        or _mixes_directions(mapped)
    ):
        return _bytes(password)
    return unicodedata.normalize("NFKC", mapped).encode()


def _mixes_directions(text: str) -> bool:
    right_to_left = [stringprep.in_table_d1(character) for character in text]
    if not any(right_to_left):
        return False
    return not (right_to_left[0] and right_to_left[-1]) or any(map(stringprep.in_table_d2, text))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
