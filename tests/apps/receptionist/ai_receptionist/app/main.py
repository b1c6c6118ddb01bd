"""AI Receptionist: a small backend of the kind that relogin looks after, in a container."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ai_receptionist.app.api import auth
from ai_receptionist.config.settings import get_settings
from ai_receptionist.core.database import engine

logging.basicConfig(format="%(asctime)s %(levelname)s: %(message)s", level=logging.INFO)
logger = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    try:
        get_settings().validate_production_secrets()
    except RuntimeError as error:
        logger.error("STARTUP FAILED: %s", error)  # noqa: TRY400 # the runbook's line
        raise
    logger.info("Backend startup complete. All secrets validated.")
    yield


app = FastAPI(title="AI Receptionist", lifespan=lifespan)
app.include_router(auth.router)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok", "env": get_settings().env, "db": database()}


def database() -> str:
    try:
        with engine().connect() as connection:
            connection.execute(text("select 1"))
    except SQLAlchemyError:
        return "disconnected"
    return "connected"
