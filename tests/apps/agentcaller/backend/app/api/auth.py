"""Register, log in, and who one is."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel
from sqlalchemy import select

from app.api.deps import Database, get_current_user
from app.core.database import User
from app.core.security import create_access_token, get_password_hash, verify_password

router = APIRouter(prefix="/v1/auth")
log = logging.getLogger("uvicorn.error")


class Credentials(BaseModel):
    email: str
    password: str


@router.post("/register", status_code=201)
def register(credentials: Credentials, database: Database) -> dict[str, object]:
    if database.scalar(select(User).where(User.email == credentials.email)):
        raise HTTPException(400, "Email already registered")
    user = User(email=credentials.email, hashed_password=get_password_hash(credentials.password))
    database.add(user)
    database.commit()
    return {"id": user.id, "email": user.email}


@router.post("/login")
def login(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], database: Database
) -> dict[str, str]:
    user = database.scalar(select(User).where(User.email == form.username))
    if (
        user is None
        or not user.is_active
        or not verify_password(form.password, user.hashed_password)
    ):
        log.warning("[AUTH] login refused for %s", form.username)
        raise HTTPException(401, "Incorrect email or password", {"WWW-Authenticate": "Bearer"})
    return {"access_token": create_access_token(user.email), "token_type": "bearer"}


@router.get("/me")
def me(user: Annotated[User, Depends(get_current_user)]) -> dict[str, object]:
    return {"id": user.id, "email": user.email}
