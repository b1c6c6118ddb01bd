"""The database: its users, and a session for each request."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache

from sqlalchemy import DateTime, Engine, create_engine, false, func, true
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from ai_receptionist.config.settings import get_settings


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    business_id: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(server_default=true())
    is_verified: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


@cache
def engine() -> Engine:
    return create_engine(get_settings().url, pool_pre_ping=True)


def session() -> Iterator[Session]:
    with Session(engine()) as opened:
        yield opened
