"""The hub's API: accounts, chat, connections, SMS and what was used of them."""

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from sqlalchemy.exc import SQLAlchemyError

from hub import auth, chat, oauth, reports, users
from hub.database import engine, row
from hub.settings import settings

app = FastAPI(title="Hub", version="1.4.0")
app.add_middleware(
    CORSMiddleware,
    allow_origins=[one for one in settings().cors_origins.split(",") if one],
    allow_credentials=True,
    allow_methods=["GET", "POST", "PATCH"],
    allow_headers=["Authorization", "Content-Type"],
)


@app.get("/")
async def root() -> dict[str, str]:
    return {"name": "hub", "version": app.version}


@app.get("/health")
async def health() -> dict[str, str]:
    try:
        async with engine().connect() as database:
            await row(database, "SELECT 1 AS one")
    except (SQLAlchemyError, OSError):
        raise HTTPException(503, "database is not reached") from None
    return {"status": "ok", "database": "connected"}


api = APIRouter(prefix="/api/v1")
for part in (auth, users, chat, oauth, reports):
    api.include_router(part.api)
app.include_router(api)
