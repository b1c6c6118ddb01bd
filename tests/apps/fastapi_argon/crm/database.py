"""The one table that a login needs, in a schema of its own, and the way to it."""

import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from functools import cache

from sqlalchemy import DateTime, func, true
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from crm.settings import settings


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "members"
    __table_args__ = {"schema": "crm"}

    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email_address: Mapped[str] = mapped_column(unique=True)
    pw_hash: Mapped[str]
    enabled: Mapped[bool] = mapped_column(default=True, server_default=true())
    joined_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


@cache
def engine() -> AsyncEngine:
    """Give the process's pool; made on first use, so that a broken URL does not stop the start."""
    return create_async_engine(settings().database, pool_pre_ping=True)


async def session() -> AsyncIterator[AsyncSession]:
    """Give a session for one request."""
    async with AsyncSession(engine()) as opened:
        yield opened
