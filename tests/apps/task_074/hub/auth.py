"""Log in, solve the second factor, refresh, log out; a session is a row."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Cookie, HTTPException, Response
from pydantic import BaseModel, SecretStr

from hub import security
from hub.current import User
from hub.database import Database, Row, row, rows
from hub.settings import settings

api = APIRouter(prefix="/auth", tags=["auth"])
FIND = """
SELECT id, username, hashed_password, is_active, mfa_required FROM users WHERE username = :name
"""
TRIED = """
INSERT INTO login_attempts (username, succeeded) VALUES (:name, :well)
"""
FAILED = """
SELECT count(*) AS n FROM login_attempts
WHERE username = :name AND NOT succeeded AND at > now() - interval '1 minute'
"""
OPEN = """
INSERT INTO sessions (user_id, expires_at)
VALUES (:user, now() + make_interval(mins => :minutes)) RETURNING id
"""
KEEP = """
INSERT INTO refresh_tokens (session_id, token_hash, expires_at)
VALUES (:session, :hash, now() + make_interval(mins => :minutes))
"""
USE = """
UPDATE refresh_tokens t SET used_at = now() FROM sessions s
WHERE s.id = t.session_id AND token_hash = :hash AND used_at IS NULL AND t.expires_at > now()
  AND s.revoked_at IS NULL
RETURNING s.id, s.user_id
"""
REVOKE = "UPDATE sessions SET revoked_at = now() WHERE id = :session AND revoked_at IS NULL"
CHALLENGE = """
INSERT INTO mfa_challenges (method_id, expires_at)
SELECT id, now() + interval '5 minutes' FROM mfa_methods
WHERE user_id = :user AND confirmed_at IS NOT NULL ORDER BY id LIMIT 1 RETURNING id
"""
CHALLENGED = """
SELECT c.id, m.secret, m.user_id FROM mfa_challenges c JOIN mfa_methods m ON m.id = c.method_id
WHERE c.id = :challenge AND c.solved_at IS NULL AND c.expires_at > now()
"""
SOLVED = "UPDATE mfa_challenges SET solved_at = now() WHERE id = :challenge"


class Credentials(BaseModel):
    username: str
    password: SecretStr


class Solution(BaseModel):
    challenge: uuid.UUID
    code: str


class RefreshToken(BaseModel):
    refresh_token: str | None = None


class Tokens(BaseModel):
    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "bearer"


class Challenge(BaseModel):
    mfa_required: bool = True
    challenge: uuid.UUID


@api.post("/login")
async def login(asked: Credentials, database: Database, response: Response) -> Tokens | Challenge:
    found = await row(database, FIND, name=asked.username)
    password = asked.password.get_secret_value()
    well = found is not None and security.fits(found["hashed_password"], password)
    if found is None or not well or not found["is_active"]:
        await _refuse(database, asked.username)
    await rows(database, TRIED, name=asked.username, well=True)
    if found["mfa_required"]:
        made = await row(database, CHALLENGE, user=found["id"])
        if made is None:
            raise HTTPException(409, "A second factor is required, and none is set up")
        return Challenge(challenge=made["id"])
    return await _opened(database, response, found["id"])


async def _refuse(database: Database, name: str) -> None:
    """Refuse a login, and count it: what fails too often is told to wait."""
    await rows(database, TRIED, name=name, well=False)
    counted = await row(database, FAILED, name=name)
    await database.commit()
    if counted and counted["n"] > settings().login_attempts:
        raise HTTPException(429, "Too many attempts", {"Retry-After": "60"})
    raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})


async def _opened(database: Database, response: Response, user: int) -> Tokens:
    minutes = settings().refresh_minutes
    session = await row(database, OPEN, user=user, minutes=minutes)
    assert session is not None
    return await _tokens(database, response, session["id"], user)


async def _tokens(database: Database, response: Response, session: uuid.UUID, user: int) -> Tokens:
    minutes = settings().access_minutes
    access = security.issued(str(user), "access", minutes, sid=str(session))
    lasting = settings().refresh_minutes
    refresh = security.issued(str(user), "refresh", lasting, sid=str(session))
    hashed = security.hashed(refresh)
    await rows(database, KEEP, session=session, hash=hashed, minutes=lasting)
    kept = {"httponly": True, "secure": True, "samesite": "strict", "path": "/api/v1/auth"}
    response.set_cookie("refresh_token", refresh, max_age=lasting * 60, **kept)
    return Tokens(access_token=access, refresh_token=refresh, expires_in=minutes * 60)


@api.post("/mfa")
async def mfa(asked: Solution, database: Database, response: Response) -> Tokens:
    found = await row(database, CHALLENGED, challenge=asked.challenge)
    if found is None or not security.solves(found["secret"], asked.code):
        raise HTTPException(401, "The code is wrong, or too late")
    await rows(database, SOLVED, challenge=asked.challenge)
    return await _opened(database, response, found["user_id"])


@api.post("/refresh")
async def refresh(
    database: Database,
    response: Response,
    asked: RefreshToken | None = None,
    refresh_token: Annotated[str | None, Cookie()] = None,
) -> Tokens:
    token = (asked and asked.refresh_token) or refresh_token or ""
    security.read(token, "refresh")
    used: Row | None = await row(database, USE, hash=security.hashed(token))
    if used is None:
        raise HTTPException(401, "Could not validate credentials")
    return await _tokens(database, response, used["id"], used["user_id"])


@api.post("/logout", status_code=204)
async def logout(user: User, database: Database, response: Response) -> None:
    await rows(database, REVOKE, session=user["session_id"])
    response.delete_cookie("refresh_token", path="/api/v1/auth")
