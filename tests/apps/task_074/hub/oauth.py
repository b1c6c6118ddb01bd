"""Providers that people may log in with, and whom an account is there."""

from fastapi import APIRouter

from hub.current import User
from hub.database import Database, Row, rows

api = APIRouter(prefix="/oauth", tags=["oauth"])
PROVIDERS = """
SELECT p.name, p.authorize_url, ARRAY(
  SELECT scope FROM oauth_scopes s WHERE s.provider_id = p.id ORDER BY 1) AS scopes
FROM oauth_providers p WHERE p.enabled ORDER BY p.name
"""
ACCOUNTS = """
SELECT p.name AS provider, a.subject FROM oauth_accounts a
JOIN oauth_providers p ON p.id = a.provider_id WHERE a.user_id = :user ORDER BY 1
"""


@api.get("/providers")
async def providers(_: User, database: Database) -> list[Row]:
    return await rows(database, PROVIDERS)


@api.get("/accounts")
async def accounts(user: User, database: Database) -> list[Row]:
    return await rows(database, ACCOUNTS, user=user["id"])
