"""Fill the members; runs in the backend's folder with its interpreter."""

# mypy: ignore-errors
import asyncio
import os

from argon2 import PasswordHasher
from crm.database import Member, engine
from sqlalchemy.ext.asyncio import AsyncSession

PEOPLE = {"owner@example.com": "OWNER", "ada@example.com": "OTHERS", "grace@example.com": "OTHERS"}


async def fill():
    async with AsyncSession(engine()) as database:
        for address, secret in PEOPLE.items():
            hashed = PasswordHasher().hash(os.environ[secret])
            database.add(Member(email_address=address, pw_hash=hashed))
        await database.commit()


asyncio.run(fill())
