"""The way to the tables: a pool, one transaction for each request, rows as dictionaries."""

from collections.abc import AsyncIterator
from functools import cache
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from hub.settings import settings

Row = dict[str, Any]


@cache
def engine() -> AsyncEngine:
    """Give the process's pool; made on first use, so that a broken URL does not stop the start."""
    url = settings().database_url.get_secret_value()
    return create_async_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=5)


async def connection() -> AsyncIterator[AsyncConnection]:
    """Give a connection whose transaction has ended before the answer is sent."""
    async with engine().begin() as opened:
        yield opened


Database = Annotated[AsyncConnection, Depends(connection, scope="function")]


async def rows(database: AsyncConnection, sql: str, **values: Any) -> list[Row]:
    """Give the rows of a statement."""
    found = await database.execute(text(sql), values)
    return [dict(row) for row in found.mappings()] if found.returns_rows else []


async def row(database: AsyncConnection, sql: str, **values: Any) -> Row | None:
    """Give the first row of a statement, if there is one."""
    found = await rows(database, sql, **values)
    return found[0] if found else None
