"""Faults of the login: how each is made, and what may differ once it is mended."""

from .case import Case, code

MENDED: tuple[Case, ...] = ()
PERSONS: tuple[Case, ...] = (
    Case(
        "login.signature-wrong",
        code('SECRET_KEY = os.getenv("SECRET_KEY")', 'SECRET_KEY = "a" * 40'),
    ),
    Case(
        "login.protected-refused",
        code("jwt.decode(bearer, SECRET_KEY,", 'jwt.decode(bearer, "a" * 40,'),
    ),
    Case(
        "login.forged-token-accepted",
        code("algorithms=[ALGORITHM])", 'options={"verify_signature": False})'),
    ),
    Case(
        "login.wrong-password-accepted",
        code("if not bcrypt.checkpw(", "if False and not bcrypt.checkpw("),
    ),
)
