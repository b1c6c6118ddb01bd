"""The backend's one way to its database; reads the `.env` beside this file before anything else."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dotenv import load_dotenv
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

load_dotenv(Path(__file__).with_name(".env"))


@cache
def engine() -> Engine:
    """Give the process's pool; made on first use, so that a broken URL does not stop the start."""
    return create_engine(os.getenv("DATABASE_URL", ""), pool_pre_ping=True)


def session() -> Iterator[Session]:
    """Give a session for one request."""
    with Session(engine()) as opened:
        yield opened
