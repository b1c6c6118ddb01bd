"""The account itself, its profile, and for whoever may see them: the others."""

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from hub.current import User, allowed
from hub.database import Database, Row, row, rows

api = APIRouter(prefix="/users", tags=["users"])
Reader = Annotated[Row, allowed("users:read")]
PROFILE = "SELECT display_name, time_zone, locale FROM user_profiles WHERE user_id = :user"
RENAME = "UPDATE user_profiles SET display_name = :name WHERE user_id = :user RETURNING 1 AS done"
EVERYBODY = "SELECT id, username, email, is_active FROM users ORDER BY id LIMIT :limit"
SESSIONS = """
SELECT id, created_at, expires_at FROM sessions
WHERE user_id = :user AND revoked_at IS NULL AND expires_at > now() ORDER BY created_at LIMIT 50
"""


class Me(BaseModel):
    id: int
    username: str
    email: str
    roles: list[str]
    permissions: list[str]


class Name(BaseModel):
    display_name: str = Field(min_length=1, max_length=100)


@api.get("/me")
async def me(user: User) -> Me:
    return Me(**user)


@api.get("/me/profile")
async def profile(user: User, database: Database) -> Row:
    if (found := await row(database, PROFILE, user=user["id"])) is None:
        raise HTTPException(404, "There is no profile")
    return found


@api.patch("/me/profile")
async def rename(asked: Name, user: User, database: Database) -> Row:
    if not await rows(database, RENAME, user=user["id"], name=asked.display_name):
        raise HTTPException(404, "There is no profile")
    return {"display_name": asked.display_name}


@api.get("/me/sessions")
async def sessions(user: User, database: Database) -> list[Row]:
    return await rows(database, SESSIONS, user=user["id"])


@api.get("")
async def everybody(database: Database, _: Reader, limit: int = 50) -> list[Row]:
    return await rows(database, EVERYBODY, limit=min(limit, 500))
