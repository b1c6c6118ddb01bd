"""Who asks, by the token and its session, and what they may."""

from typing import Annotated, Any

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hub import security
from hub.database import Database, Row, row

BEHIND_TOKEN = """
SELECT u.id, u.username, u.email, s.id AS session_id, ARRAY(
  SELECT r.name FROM user_roles m JOIN roles r ON r.id = m.role_id
  WHERE m.user_id = u.id ORDER BY 1) AS roles, ARRAY(
  SELECT DISTINCT p.name FROM user_roles m JOIN role_permissions g USING (role_id)
  JOIN permissions p ON p.id = g.permission_id WHERE m.user_id = u.id ORDER BY 1) AS permissions
FROM users u JOIN sessions s ON s.user_id = u.id
WHERE u.id = :user AND u.is_active AND s.id = CAST(:session AS uuid) AND s.revoked_at IS NULL
  AND s.expires_at > now()
"""
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


async def current(bearer: Bearer, database: Database) -> Row:
    """Give the account of an access token whose session is alive."""
    refused = HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    if bearer is None:
        raise refused
    claims = security.read(bearer.credentials, "access")
    user, session = int(claims["sub"]), claims["sid"]
    found = await row(database, BEHIND_TOKEN, user=user, session=session)
    if found is None:
        raise refused
    return found


User = Annotated[Row, Depends(current)]


def allowed(permission: str) -> Any:
    """Refuse whoever has no role with that permission."""

    async def check(user: User) -> Row:
        if permission not in user["permissions"]:
            raise HTTPException(403, f"{permission} is not allowed")
        return user

    return Depends(check)
