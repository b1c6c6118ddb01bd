"""Tokens signed with a private key: in the body beside a refresh token, and in a cookie."""

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from dotenv import load_dotenv
from fastapi import Cookie, Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import OAuth2PasswordRequestForm
from sqlalchemy import Engine, create_engine, text

load_dotenv(Path.cwd() / ".env")
ALGORITHM = os.environ["JWT_ALGORITHM"]
PRIVATE = Path(os.environ["JWT_PRIVATE_KEY_FILE"]).read_text()
PUBLIC = Path(os.environ["JWT_PUBLIC_KEY_FILE"]).read_text()
app = FastAPI(title="Accounts")
FIND = text("SELECT id, username, password_hash FROM users WHERE username = :name AND is_active")


@cache
def engine() -> Engine:
    return create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)


def find(name: str) -> Any:
    with engine().connect() as database:
        return database.execute(FIND, {"name": name}).one_or_none()


def fits(stored: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def issued(name: str, kind: str, lifetime: timedelta) -> str:
    now = datetime.now(UTC)
    claims = {"sub": name, "kind": kind, "iat": now, "exp": now + lifetime}
    return jwt.encode(claims, PRIVATE, algorithm=ALGORITHM)


def read(token: str, kind: str) -> str:
    try:
        claims = jwt.decode(token, PUBLIC, algorithms=[ALGORITHM])
    except jwt.InvalidTokenError:
        raise HTTPException(401, "Token is not valid") from None
    if claims.get("kind") != kind:
        raise HTTPException(401, "Token is of another kind")
    return str(claims["sub"])


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/login")
def login(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], response: Response
) -> dict[str, str]:
    user = find(form.username)
    if user is None or not fits(user.password_hash, form.password):
        raise HTTPException(401, "Incorrect username or password")
    access = issued(user.username, "access", timedelta(minutes=5))
    response.set_cookie("session_token", access, httponly=True, secure=True, samesite="lax")
    return {"access": access, "refresh": issued(user.username, "refresh", timedelta(days=1))}


@app.post("/refresh")
def refresh(asked: dict[str, str]) -> dict[str, str]:
    name = read(asked.get("refresh", ""), "refresh")
    return {"access": issued(name, "access", timedelta(minutes=5))}


@app.get("/me")
def me(request: Request, session_token: Annotated[str | None, Cookie()] = None) -> dict[str, str]:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not (token := bearer or session_token):
        raise HTTPException(401, "Not authenticated")
    return {"username": read(token, "access")}
