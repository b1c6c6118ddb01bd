"""Values that stand for a secret and are none: left in from an example, or known to everybody."""

from __future__ import annotations

import re

_FORMS = re.compile(
    r"""
    <[^<>]*> | \[[^\[\]]*\] | \{\{.*\}\} | x{3,} | \*{3,} | \.{3,} | \?{3,}
    | (to[ _-]?do|tbd|fixme|placeholder|example|sample|dummy|none|null|undefined|secret|password)
    | (please[ _-])? (change|replace|set|fill|edit|update)
      [ _-]? (me|this|it|in|with[ _-].*)? ([ _-](please|now|in[ _-]production|later))? !*
    | (insert|enter|put|add|paste|fill[ _-]in|generate|your|my|some) [ _-] .* [ _-] here
    | (your|my) [ _-] ((own|very|super|jwt|app|api|db|database|long|random|strong|secure) [ _-])*
      (secret|password|passwd|pass|key|token|code|value) ([ _-](key|token|password|value))?
    """,
    re.IGNORECASE | re.VERBOSE,
)
# From the documentation and templates of what signs tokens; FastAPI's is in thousands of backends.
_PUBLIC = {
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7": "FastAPI's tutorial",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf": "Flask's quickstart",
    "changethis": "FastAPI's full-stack template",
    "your-256-bit-secret": "jwt.io",
    "your-384-bit-secret": "jwt.io",
    "your-512-bit-secret": "jwt.io",
    "a-string-secret-at-least-256-bits-long": "jwt.io",
    "your-super-secret-jwt-token-with-at-least-32-characters-long": "Supabase's example",
    "super-secret": "Flask-JWT-Extended's documentation",
    "shhhhh": "jsonwebtoken's documentation",
    "keyboard cat": "express-session's documentation",
    "ThisTokenIsNotSoSecretChangeIt": "Symfony's example",
}
_FIRST_GUESSES = {
    *("secret", "secretkey", "secret_key", "secret-key", "secret123", "mysecret", "my-secret"),
    *("my_secret", "mysecretkey", "my_secret_key", "supersecret", "super_secret", "supersecretkey"),
    *(
        "topsecret",
        "top-secret",
        "s3cr3t",
        "jwtsecret",
        "jwt_secret",
        "jwt-secret",
        "jwt_secret_key",
    ),
    *("dev", "development", "devsecret", "dev-secret", "dev_secret", "dev-secret-key", "test"),
    *("testsecret", "test-secret", "test_secret", "testing", "insecure", "default", "password"),
    *("admin", "token", "key", "qwerty", "123456", "12345678", "123456789", "1234567890"),
}


def is_placeholder(value: str) -> bool:
    """Tell a value that was left in from an example (`changeme`, `<password>`, `your-key-here`)."""
    return _FORMS.fullmatch(value.strip()) is not None


def publicly_known(value: str) -> str | None:
    """Say why everybody knows a value that should be secret; None where nobody need."""
    if origin := _PUBLIC.get(value):
        return f"it is the one of {origin}"
    if value.startswith("django-insecure-"):  # Django's own check security.W009
        return "Django's startproject made it for development only"
    if value.strip().casefold() in _FIRST_GUESSES:
        return "it is among the first that anybody tries"
    return "it is a placeholder" if is_placeholder(value) else None
