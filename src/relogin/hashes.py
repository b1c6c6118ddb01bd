"""Recognise the stored hashes of users' passwords, without judging a password."""

import re

from relogin.values import dataclass

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
    for scheme, (start, _) in _SHAPES.items():
        if stored.startswith(start):
            return Hash(scheme, None if matched(scheme, stored) else "broken")
    return Hash(None, "plaintext" if "$" not in stored and len(stored) < 40 else "unknown")


def endings() -> dict[str, str]:
    """Give what each hash ends with behind its last `$`, by how it begins: a pattern.

    Both Python and PostgreSQL read them (PostgreSQL docs, 9.7.3).
    """
    ends = {start: rest.rpartition(r"\$")[2] for start, rest in _SHAPES.values()}
    return {start: re.sub(r"\(\?P<\w+>", "(", end) for start, end in ends.items()}


def matched(scheme: str, stored: str) -> re.Match[str] | None:
    """Give the parts of a hash of this scheme; its pattern is compiled where one is met."""
    start, rest = _SHAPES[scheme]
    return re.fullmatch(re.escape(start) + rest, stored)


def scheme_of(start: str | None) -> str | None:
    """Tell the scheme from the beginning of a hash, as far as its first separator."""
    return next(
        (name for name, (head, _) in _SHAPES.items() if (start or "").startswith(head)), None
    )
