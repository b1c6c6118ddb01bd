"""Hashes, tokens and one-time codes."""

import base64
import hashlib
import hmac
import secrets
import struct
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import HTTPException

from hub.settings import settings

ALGORITHM = "HS256"
hasher = PasswordHasher()


def fits(stored: str, password: str) -> bool:
    """Tell whether a password is the one of a hash."""
    try:
        return hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def issued(subject: str, kind: str, minutes: int, **more: str) -> str:
    """Give a token; every one is another, also of the same second."""
    now = datetime.now(UTC)
    claims = {"sub": subject, "type": kind, "iat": now, "exp": now + timedelta(minutes=minutes)}
    return jwt.encode({**claims, "jti": secrets.token_hex(8), **more}, _key(), ALGORITHM)


def read(token: str, kind: str) -> dict[str, Any]:
    """Give the claims of a token of that kind; 401 for any other."""
    refused = HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"})
    try:
        claims = jwt.decode(token, _key(), algorithms=[ALGORITHM], options={"require": ["exp"]})
    except jwt.InvalidTokenError:
        raise refused from None
    if claims.get("type") != kind:
        raise refused
    return dict(claims)


def _key() -> str:
    return settings().jwt_secret_key.get_secret_value()


def hashed(token: str) -> str:
    """Give what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def totp(secret: str, *, at: float | None = None) -> str:
    """Give the one-time code of a moment (RFC 6238), by default of now."""
    step = struct.pack(">Q", int(time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), step, hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def solves(secret: str, code: str) -> bool:
    """Tell whether a code is the one of now, or of half a minute ago or ahead."""
    near = (totp(secret, at=time.time() + shift) for shift in (-30, 0, 30))
    return any(hmac.compare_digest(code.encode(), one.encode()) for one in near)
