"""Run migrations through the backend's own async driver."""

import asyncio

from alembic import context
from hub.database import engine
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def run() -> None:
    async with engine().connect() as connection:
        await connection.run_sync(upgrade)
        await connection.commit()


asyncio.run(run())
