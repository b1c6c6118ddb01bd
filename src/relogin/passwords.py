"""Recognise, verify and make the password hashes of users; those of roles come from scram."""

import base64
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass

from relogin import scram

md5_verifier = scram.md5_verifier
scram_stored_keys = scram.scram_stored_keys
scram_verifier = scram.scram_verifier

_Encode = Callable[[bytes], str]
_Judge = Callable[[bytes, re.Match[str]], bool | None]

_NUMBER = r"[1-9]\d{0,9}"
_AB64 = "[./A-Za-z0-9]"
_BCRYPT = rf"[abxy]\$(?P<cost>0[4-9]|[12]\d|3[01])\${_AB64}{{53}}"
_ARGON2 = rf"(?:id|i|d)\$v=\d+\$m=(?P<memory>{_NUMBER}),t=(?P<time>{_NUMBER}),p=\d+"
_ARGON2 += r"\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{22,}"
_DJANGO = rf"(?P<rounds>{_NUMBER})\$(?P<salt>[^$]+)\$"
_SCRYPT = rf"(?P<n>{_NUMBER}):(?P<r>{_NUMBER}):(?P<p>{_NUMBER})\$(?P<salt>[^$]+)\$"
_PASSLIB = rf"(?P<rounds>{_NUMBER})\$(?P<salt>{_AB64}*)\$"

# Scheme: how it begins and how it goes on. As made by bcrypt 5, argon2-cffi 25.1, Django 5.2,
# Werkzeug 3.1 and passlib 1.7.4.
_SHAPES = {
    "bcrypt": ("$2", _BCRYPT),
    "argon2": ("$argon2", _ARGON2),
    "django-pbkdf2-sha256": ("pbkdf2_sha256$", _DJANGO + "(?P<sum>[A-Za-z0-9+/]{43}=)"),
    "django-pbkdf2-sha1": ("pbkdf2_sha1$", _DJANGO + "(?P<sum>[A-Za-z0-9+/]{27}=)"),
    "django-scrypt": (
        "scrypt$",
        rf"(?P<n>{_NUMBER})\$(?P<salt>[^$]+)\$(?P<r>{_NUMBER})\$(?P<p>{_NUMBER})\$"
        "(?P<sum>[A-Za-z0-9+/]{86}==)",
    ),
    "django-argon2": ("argon2$", "argon2" + _ARGON2),
    "django-bcrypt": ("bcrypt$", r"\$2" + _BCRYPT),
    "django-bcrypt-sha256": ("bcrypt_sha256$", r"\$2" + _BCRYPT),
    "django-md5": ("md5$", r"(?P<salt>[^$]+)\$(?P<sum>[0-9a-f]{32})"),
    "werkzeug-scrypt": ("scrypt:", _SCRYPT + "(?P<sum>[0-9a-f]{128})"),
    "werkzeug-pbkdf2": (
        "pbkdf2:",
        rf"(?P<digest>sha1|sha256|sha512):(?P<rounds>{_NUMBER})\$(?P<salt>[^$]+)\$"
        "(?P<sum>[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})",
    ),
    "passlib-pbkdf2-sha256": ("$pbkdf2-sha256$", _PASSLIB + f"(?P<sum>{_AB64}{{43}})"),
    "passlib-pbkdf2-sha512": ("$pbkdf2-sha512$", _PASSLIB + f"(?P<sum>{_AB64}{{86}})"),
    "passlib-bcrypt-sha256": (
        "$bcrypt-sha256$",
        rf"(?:v=2,t=2b,r=(?P<cost>[4-9]|[12]\d|3[01])|2[ab],\d+)\$(?P<salt>{_AB64}{{22}})\$"
        f"(?P<sum>{_AB64}{{31}})",
    ),
    "sha256-crypt": ("$5$", rf"(?:rounds=\d+\$)?[^$]{{0,16}}\${_AB64}{{43}}"),
    "sha512-crypt": ("$6$", rf"(?:rounds=\d+\$)?[^$]{{0,16}}\${_AB64}{{86}}"),
}
_PATTERNS = {
    scheme: (start, re.compile(re.escape(start) + rest))
    for scheme, (start, rest) in _SHAPES.items()
}
_PROBLEMS = {
    "empty": re.compile(""),
    "whitespace": re.compile(r"\s.*|.*\s", re.DOTALL),
    "quoted": re.compile(r"""["'].*["']""", re.DOTALL),
    "bytes-repr": re.compile(r"""b["'].*""", re.DOTALL),
    "hex": re.compile(r"\\x(?:[0-9a-f]{2})+"),
    "unusable": re.compile(r"!.*", re.DOTALL),
}


@dataclass(frozen=True)
class Hash:
    """What a stored hash is, without the hash.

    A problem is one of null, empty, whitespace, quoted, bytes-repr, hex, broken, unusable,
    plaintext, unknown; the scheme is known with `broken` too.
    """

    scheme: str | None
    problem: str | None = None


def recognise(stored: str | None) -> Hash:
    """Tell the scheme of a stored hash, and what is wrong with its text."""
    if stored is None:
        return Hash(None, "null")
    for problem, pattern in _PROBLEMS.items():
        if pattern.fullmatch(stored):
            return Hash(None, problem)
    for scheme, (start, pattern) in _PATTERNS.items():
        if stored.startswith(start):
            return Hash(scheme, None if pattern.fullmatch(stored) else "broken")
    return Hash(None, "plaintext" if "$" not in stored and len(stored) < 40 else "unknown")


def scheme_of(start: str | None) -> str | None:
    """Tell the scheme from the beginning of a hash, as far as its first separator."""
    return next(
        (name for name, (head, _) in _SHAPES.items() if (start or "").startswith(head)), None
    )


def verify(password: str, stored: str) -> bool | None:
    """Tell whether a password fits a stored hash; None if that cannot be judged here.

    An unsound hash fits nothing. Not judged: crypt(3), an unknown scheme, a hash that would take
    more than some seconds or 1 GiB, and a password of more than 72 bytes whose first 72 fit a
    bcrypt hash (passlib and bcrypt 4 let it in, bcrypt 5 raises: the versions decide).
    """
    found = recognise(stored)
    if found.problem or found.scheme is None:
        return None if found.problem == "unknown" else False
    match = _PATTERNS[found.scheme][1].fullmatch(stored)
    judge = _JUDGES.get(found.scheme)
    if match is None or judge is None:
        return None
    try:
        return judge(_bytes(password), match)
    except (ValueError, OverflowError):
        return False


def make(password: str, scheme: str) -> str:
    """Make a hash with the present defaults of the scheme's own library (bcrypt: 12 rounds).

    Raises ValueError for a scheme that is verified only or unknown, and for bcrypt if the password
    has more than 72 bytes, of which the rest would not count, or a NUL.
    """
    if scheme not in _MAKERS:
        raise ValueError(f"cannot make {scheme!r}: known are {', '.join(_MAKERS)}")
    return _MAKERS[scheme](_bytes(password))


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

    if len(password) > 72 or b"\0" in password:
        raise ValueError("bcrypt takes no password of more than 72 bytes, nor one with a NUL")
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
