"""Run migrations through the backend's own async driver."""

import asyncio

from alembic import context
from crm.database import Base, engine
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def run() -> None:
    async with engine().connect() as connection:
        await connection.run_sync(upgrade)
        await connection.commit()


asyncio.run(run())
