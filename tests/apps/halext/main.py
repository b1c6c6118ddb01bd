"""Halext: a small backend of the kind that relogin looks after."""

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import bcrypt
import jwt
from database import session
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from models import User
from sqlalchemy import select
from sqlalchemy.orm import Session

SECRET_KEY = os.getenv("SECRET_KEY")
ACCESS_CODE = os.getenv("ACCESS_CODE", "")
DEV_MODE = os.getenv("DEV_MODE", "false").lower() == "true"
ALGORITHM = "HS256"
LIFETIME = timedelta(minutes=30)

log = logging.getLogger("uvicorn.error")
app = FastAPI(title="Halext", debug=DEV_MODE)
Database = Annotated[Session, Depends(session)]
Bearer = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]


def require_code(x_halext_code: Annotated[str, Header()] = "") -> None:
    if x_halext_code != ACCESS_CODE:
        log.warning("[AUTH] X-Halext-Code missing or wrong")
        raise HTTPException(403, "Invalid access code")


def find(database: Session, name: str) -> User | None:
    return database.scalar(select(User).where(User.username == name))


def refusal(user: User | None, password: str) -> str | None:
    if user is None:
        return "unknown user"
    if not bcrypt.checkpw(password.encode(), user.hashed_password.encode()):
        return "password differs"
    return None


def active(user: User) -> User:
    if not user.is_active:
        raise HTTPException(400, "Inactive user")
    return user


@app.get("/api/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/token", dependencies=[Depends(require_code)])
def token(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], database: Database
) -> dict[str, str]:
    user = find(database, form.username)
    if reason := refusal(user, form.password):
        log.warning("[AUTH] user %s: %s", form.username, reason)
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})
    now = datetime.now(UTC)
    claims = {"sub": active(user).username, "iat": now, "exp": now + LIFETIME}
    return {
        "access_token": jwt.encode(claims, SECRET_KEY, algorithm=ALGORITHM),
        "token_type": "bearer",
    }


def current_user(bearer: Bearer, database: Database) -> User:
    refused = HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"})
    try:
        name = jwt.decode(bearer, SECRET_KEY, algorithms=[ALGORITHM])["sub"]
    except (jwt.InvalidTokenError, KeyError):
        raise refused from None
    if (user := find(database, name)) is None:
        raise refused
    return active(user)


@app.get("/users/me")
def me(user: Annotated[User, Depends(current_user)]) -> dict[str, str | bool]:
    return {"username": user.username, "email": user.email, "is_admin": user.is_admin}
