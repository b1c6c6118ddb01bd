"""A CRM's API: people sign in with their e-mail address, by JSON, and get a token within a body."""

import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, EmailStr, SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.database import Member, session
from crm.settings import settings

log = logging.getLogger("uvicorn.error")
hasher = PasswordHasher()
app = FastAPI(title="CRM")
api = APIRouter(prefix="/api/v1")
Database = Annotated[AsyncSession, Depends(session)]
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


class SignIn(BaseModel):
    email: EmailStr
    password: SecretStr


class Access(BaseModel):
    access: str
    expires_in: int


class Signed(BaseModel):
    token: Access


class Envelope(BaseModel):
    data: Signed


def fits(member: Member | None, password: str) -> bool:
    try:
        return member is not None and hasher.verify(member.pw_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@api.post("/auth/sign-in")
async def sign_in(asked: SignIn, database: Database) -> Envelope:
    member = await database.scalar(select(Member).where(Member.email_address == asked.email))
    if member is None or not fits(member, asked.password.get_secret_value()) or not member.enabled:
        log.warning("sign-in of %s refused", asked.email)
        raise HTTPException(401, "E-mail address or password is wrong")
    lifetime = timedelta(minutes=settings().jwt_minutes)
    now = datetime.now(UTC)
    claims = {"sub": str(member.member_id), "iat": now, "exp": now + lifetime}
    token = jwt.encode(claims, settings().jwt_secret.get_secret_value(), algorithm="HS512")
    access = Access(access=token, expires_in=int(lifetime.total_seconds()))
    return Envelope(data=Signed(token=access))


async def current(bearer: Bearer, database: Database) -> Member:
    refused = HTTPException(401, "Token is not valid", {"WWW-Authenticate": "Bearer"})
    secret = settings().jwt_secret.get_secret_value()
    try:
        claims = jwt.decode(bearer.credentials, secret, algorithms=["HS512"])
        member = await database.get(Member, uuid.UUID(claims["sub"]))
    except (jwt.InvalidTokenError, KeyError, ValueError):
        raise refused from None
    if member is None or not member.enabled:
        raise refused
    return member


@api.get("/me")
async def me(member: Annotated[Member, Depends(current)]) -> dict[str, dict[str, str]]:
    return {"data": {"id": str(member.member_id), "email": member.email_address}}


app.include_router(api)
