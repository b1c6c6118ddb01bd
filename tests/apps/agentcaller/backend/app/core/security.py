"""Hashes and tokens."""

import os
from datetime import UTC, datetime, timedelta

from jose import jwt
from passlib.context import CryptContext

SECRET_KEY = os.environ["SECRET_KEY"]
ALGORITHM = "HS256"
ACCESS_TOKEN_EXPIRE_MINUTES = 60

_context = CryptContext(schemes=["bcrypt"])


def get_password_hash(password: str) -> str:
    if len(password.encode()) > 72:
        raise ValueError("a password has at most 72 bytes")
    return _context.hash(password)


def verify_password(password: str, hashed: str) -> bool:
    return _context.verify(password, hashed)


def create_access_token(email: str) -> str:
    expires = datetime.now(UTC) + timedelta(minutes=ACCESS_TOKEN_EXPIRE_MINUTES)
    return jwt.encode({"sub": email, "exp": expires}, SECRET_KEY, algorithm=ALGORITHM)


def decode_token(token: str) -> dict[str, object]:
    return jwt.decode(token, SECRET_KEY, algorithms=[ALGORITHM])
