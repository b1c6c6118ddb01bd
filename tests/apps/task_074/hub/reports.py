"""How the SMS router is set, and what was used: for whoever may see it."""

from typing import Annotated

from fastapi import APIRouter

from hub.current import User, allowed
from hub.database import Database, Row, rows

api = APIRouter()
Reader = Annotated[Row, allowed("analytics:read")]
ROUTES = """
SELECT r.prefix, p.name AS provider, r.priority FROM sms_routes r
JOIN sms_providers p ON p.id = r.provider_id WHERE p.enabled ORDER BY r.prefix, r.priority
"""
USAGE = """
SELECT u.day, p.name AS provider, u.messages, u.cost_cents FROM sms_usage u
JOIN sms_providers p ON p.id = u.provider_id ORDER BY u.day DESC, p.name LIMIT 100
"""
DAILY = "SELECT day, name, count FROM analytics_daily ORDER BY day DESC, name LIMIT 100"
COUNTS = """
SELECT (SELECT count(*) FROM conversation_members WHERE user_id = :user) AS conversations,
  (SELECT count(*) FROM oauth_accounts WHERE user_id = :user) AS connections,
  (SELECT count(*) FROM sessions WHERE user_id = :user AND revoked_at IS NULL
   AND expires_at > now()) AS sessions
"""


@api.get("/sms/routes", tags=["sms"])
async def routes(database: Database, _: Annotated[Row, allowed("sms:read")]) -> list[Row]:
    return await rows(database, ROUTES)


@api.get("/analytics/sms/usage", tags=["analytics"])
async def usage(database: Database, _: Reader) -> dict[str, list[Row]]:
    return {"usage": await rows(database, USAGE)}


@api.get("/analytics/daily", tags=["analytics"])
async def daily(database: Database, _: Reader) -> dict[str, list[Row]]:
    return {"days": await rows(database, DAILY)}


@api.get("/dashboard", tags=["dashboard"])
async def dashboard(user: User, database: Database) -> Row:
    [counted] = await rows(database, COUNTS, user=user["id"])
    return {"username": user["username"], **counted}
