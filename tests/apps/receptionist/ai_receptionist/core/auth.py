"""Tokens: made and read with the one persistent secret."""

import logging
from datetime import UTC, datetime, timedelta

import jwt

from ai_receptionist.config.settings import get_settings

ALGORITHM = "HS256"
LIFETIME = timedelta(days=7)

logger = logging.getLogger(__name__)


def create_access_token(user_id: int, email: str) -> str:
    settings = get_settings()
    if not settings.admin_private_key:
        raise RuntimeError(
            "CRITICAL: ADMIN_PRIVATE_KEY not configured. "
            "JWT tokens cannot be created without a persistent secret."
        )
    claims = {"sub": str(user_id), "email": email, "exp": datetime.now(UTC) + LIFETIME}
    return jwt.encode(claims, settings.admin_private_key, algorithm=ALGORITHM)


def verify_token(token: str) -> int | None:
    """Give the user's id, or None where the token is not good."""
    try:
        claims = jwt.decode(token, get_settings().admin_private_key, algorithms=[ALGORITHM])
    except jwt.ExpiredSignatureError as error:
        logger.warning("[AUTH] JWT expired: %s", error)
        return None
    except jwt.InvalidTokenError as error:
        logger.warning("[AUTH] JWT invalid: %s", str(error)[:100])
        return None
    logger.debug("[AUTH] JWT verified successfully for user_id=%s", claims["sub"])
    return int(claims["sub"])
