"""Verify and make the password hashes of users; those of roles come from scram."""

import base64
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Callable

from relogin import scram
from relogin.hashes import Hash, matched, recognise, scheme_of

__all__ = [
    "Hash",
    "make",
    "md5_verifier",
    "recognise",
    "scheme_of",
    "scram_stored_keys",
    "scram_verifier",
    "unfit",
    "verify",
]

md5_verifier = scram.md5_verifier
scram_stored_keys = scram.scram_stored_keys
scram_verifier = scram.scram_verifier

_Encode = Callable[[bytes], str]
_Judge = Callable[[bytes, re.Match[str]], bool | None]


def verify(password: str, stored: str) -> bool | None:
    """Tell whether a password fits a stored hash; None if that cannot be judged here.

    An unsound hash fits nothing. Not judged: crypt(3), an unknown scheme, a hash that would take
    more than some seconds or 1 GiB, and a password of more than 72 bytes whose first 72 fit a
    bcrypt hash (passlib and bcrypt 4 let it in, bcrypt 5 raises: the versions decide).
    """
    found = recognise(stored)
    if found.problem or found.scheme is None:
        return None if found.problem == "unknown" else False
    match = matched(found.scheme, stored)
    judge = _JUDGES.get(found.scheme)
    if match is None or judge is None:
        return None
    try:
        return judge(_bytes(password), match)
    except (ValueError, OverflowError):
        return False


def make(password: str, scheme: str) -> str:
    """Make a hash with the present defaults of the scheme's own library (bcrypt: 12 rounds).

    Raises ValueError for a scheme that is verified only or unknown, and where it cannot carry the
    password (see `unfit`).
    """
    if scheme not in _MAKERS:
        raise ValueError(f"cannot make {scheme!r}: known are {', '.join(_MAKERS)}")
    if (why := unfit(password, scheme)) is not None:
        raise ValueError(why)
    return _MAKERS[scheme](_bytes(password))


def unfit(password: str, scheme: str) -> str | None:
    """Say why a scheme cannot carry a password, or None; bytes count, not characters.

    bcrypt reads 72 bytes at most, and none from a NUL on (bcrypt 5 refuses what 4 cut short).
    """
    if scheme not in {"bcrypt", "django-bcrypt"}:
        return None
    if "\0" in password:
        return f"it has a NUL, which {scheme} does not take"
    length = len(_bytes(password))
    return f"it has {length} bytes, and {scheme} takes 72" if length > 72 else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _ab64(raw: bytes) -> str:
    return _b64(raw).rstrip("=").replace("+", ".")


def _from_ab64(text: str) -> bytes:
    return base64.b64decode(text.replace(".", "+") + "=" * (-len(text) % 4))


def _pbkdf2(digest: str | None, encode: _Encode, decode_salt: Callable[[str], bytes]) -> _Judge:
    def judge(password: bytes, match: re.Match[str]) -> bool | None:
        rounds, salt = int(match["rounds"]), decode_salt(match["salt"])
        if rounds > 10_000_000:
            return None
        made = hashlib.pbkdf2_hmac(digest or match["digest"], password, salt, rounds)
        return hmac.compare_digest(encode(made), match["sum"])

    return judge


def _scrypt(encode: _Encode) -> _Judge:
    def judge(password: bytes, match: re.Match[str]) -> bool | None:
        n, r, p = (int(match[name]) for name in "nrp")
        if n * r > 2**23 or n * r * p > 2**25:
            return None
        made = _scrypted(password, match["salt"], n, r, p)
        return hmac.compare_digest(encode(made), match["sum"])

    return judge


def _scrypted(password: bytes, salt: str, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password, salt=salt.encode(), n=n, r=r, p=p, maxmem=0x7FFFFFFF, dklen=64)


def _argon2(password: bytes, match: re.Match[str]) -> bool | None:
    import argon2

    if int(match["memory"]) > 2**20 or int(match["memory"]) * int(match["time"]) > 2**23:
        return None
    try:
        return argon2.PasswordHasher().verify(match[0][match[0].index("$argon2") :], password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _bcrypt(password: bytes, match: re.Match[str]) -> bool | None:
    import bcrypt

    if int(match["cost"]) > 16:
        return None
    fits = bcrypt.checkpw(password[:72], match[0][match[0].index("$2") :].encode())
    return None if fits and len(password) > 72 else fits


def _passlib_bcrypt_sha256(password: bytes, match: re.Match[str]) -> bool | None:
    if match["cost"] is None or int(match["cost"]) > 16:
        return None
    made = _bcrypted_hmac(password, f"$2b${int(match['cost']):02}$", match["salt"])
    return hmac.compare_digest(made, match["sum"])


def _bcrypted_hmac(password: bytes, settings: str, salt: str) -> str:
    import bcrypt

    key = base64.b64encode(hmac.digest(salt.encode(), password, "sha256"))
    return bcrypt.hashpw(key, (settings + salt).encode()).decode()[-31:]


def _sha256_hex(password: bytes) -> bytes:
    return hashlib.sha256(password).hexdigest().encode()


def _make_bcrypt(password: bytes) -> str:
    import bcrypt

    return bcrypt.hashpw(password, bcrypt.gensalt(12)).decode()


def _make_passlib_bcrypt_sha256(password: bytes) -> str:
    import bcrypt

    salt = bcrypt.gensalt(12).decode()[-22:]
    return f"$bcrypt-sha256$v=2,t=2b,r=12${salt}${_bcrypted_hmac(password, '$2b$12$', salt)}"


def _make_argon2(password: bytes) -> str:
    import argon2

    return argon2.PasswordHasher().hash(password)


def _make_django_argon2(password: bytes) -> str:
    import argon2

    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=102400, parallelism=8)
    return "argon2" + hasher.hash(password, salt=_salt(22).encode())


def _make_pbkdf2(password: bytes, start: str, salt: str, encode: _Encode) -> str:
    made = hashlib.pbkdf2_hmac("sha256", password, salt.encode(), 1_000_000)
    return f"{start}1000000${salt}${encode(made)}"


def _make_django_scrypt(password: bytes) -> str:
    salt = _salt(22)
    return f"scrypt$16384${salt}$8$5${_b64(_scrypted(password, salt, 16384, 8, 5))}"


def _make_werkzeug_scrypt(password: bytes) -> str:
    salt = _salt(16)
    return f"scrypt:32768:8:1${salt}${_scrypted(password, salt, 32768, 8, 1).hex()}"


def _make_passlib_pbkdf2(password: bytes) -> str:
    salt, rounds = secrets.token_bytes(16), 29_000
    made = hashlib.pbkdf2_hmac("sha256", password, salt, rounds)
    return f"$pbkdf2-sha256${rounds}${_ab64(salt)}${_ab64(made)}"


def _salt(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


_JUDGES: dict[str, _Judge] = {
    "bcrypt": _bcrypt,
    "argon2": _argon2,
    "django-pbkdf2-sha256": _pbkdf2("sha256", _b64, str.encode),
    "django-pbkdf2-sha1": _pbkdf2("sha1", _b64, str.encode),
    "django-scrypt": _scrypt(_b64),
    "django-argon2": _argon2,
    "django-bcrypt": _bcrypt,
    "django-bcrypt-sha256": lambda password, match: _bcrypt(_sha256_hex(password), match),
    "werkzeug-scrypt": _scrypt(bytes.hex),
    "werkzeug-pbkdf2": _pbkdf2(None, bytes.hex, str.encode),
    "passlib-pbkdf2-sha256": _pbkdf2("sha256", _ab64, _from_ab64),
    "passlib-pbkdf2-sha512": _pbkdf2("sha512", _ab64, _from_ab64),
    "passlib-bcrypt-sha256": _passlib_bcrypt_sha256,
}
_MAKERS: dict[str, Callable[[bytes], str]] = {
    "bcrypt": _make_bcrypt,
    "argon2": _make_argon2,
    "django-pbkdf2-sha256": lambda p: _make_pbkdf2(p, "pbkdf2_sha256$", _salt(22), _b64),
    "django-scrypt": _make_django_scrypt,
    "django-argon2": _make_django_argon2,
    "django-bcrypt": lambda password: "bcrypt$" + _make_bcrypt(password),
    "django-bcrypt-sha256": lambda password: "bcrypt_sha256$" + _make_bcrypt(_sha256_hex(password)),
    "werkzeug-scrypt": _make_werkzeug_scrypt,
    "werkzeug-pbkdf2": lambda p: _make_pbkdf2(p, "pbkdf2:sha256:", _salt(16), bytes.hex),
    "passlib-pbkdf2-sha256": _make_passlib_pbkdf2,
    "passlib-bcrypt-sha256": _make_passlib_bcrypt_sha256,
}
SCHEMES = tuple(_MAKERS)
