"""Login by e-mail and password, JSON in and out."""

import logging
from typing import Annotated

import bcrypt
from fastapi import APIRouter, Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from ai_receptionist.core.auth import create_access_token, verify_token
from ai_receptionist.core.database import User, session

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/api/auth")
Database = Annotated[Session, Depends(session)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Credentials(BaseModel):
    email: str
    password: str


def matches(user: User, password: str) -> bool:
    try:
        good = bcrypt.checkpw(password.encode(), user.password_hash.encode())
    except ValueError as error:
        logger.error(  # noqa: TRY400 # the runbook's line has no traceback
            "[AUTH] bcrypt.checkpw failed: %s. Hash starts with: %s", error, user.password_hash[:7]
        )
        return False
    if not good:
        logger.warning(
            "[AUTH] Login failed: Password mismatch for %s. Hash length: %d",
            user.email,
            len(user.password_hash),
        )
    return good


def shown(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "email": user.email,
        "business_id": user.business_id,
        "is_verified": user.is_verified,
    }


@router.post("/login")
def login(credentials: Credentials, database: Database) -> dict[str, object]:
    user = database.scalar(select(User).where(User.email == credentials.email))
    if user is None:
        logger.warning("[AUTH] Login failed: User not found - %s", credentials.email)
    if user is None or not matches(user, credentials.password):
        raise HTTPException(401, "Incorrect email or password")
    if not user.is_active:
        raise HTTPException(403, "Account is disabled")
    token = create_access_token(user.id, user.email)
    return {"access_token": token, "token_type": "bearer", "user": shown(user)}


@router.get("/me")
def me(bearer: Bearer, database: Database) -> dict[str, object]:
    user_id = verify_token(bearer.credentials) if bearer else None
    user = database.get(User, user_id) if user_id is not None else None
    if user is None:
        raise HTTPException(401, "Could not validate credentials")
    return shown(user)
