"""Create a user: create_dev_user.py --username NAME --password PASS --email MAIL [--admin]."""

import argparse
import sys

import bcrypt
from database import engine
from models import User
from sqlalchemy import or_, select
from sqlalchemy.orm import Session


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Create a user in the backend's database.")
    parser.add_argument("--username", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--email", required=True)
    parser.add_argument("--admin", action="store_true")
    return parser.parse_args()


def create(wanted: argparse.Namespace) -> str | None:
    """Insert the user; give a message when one of that name or address is there."""
    same = or_(User.username == wanted.username, User.email == wanted.email)
    with Session(engine()) as database:
        if database.scalar(select(User).where(same)):
            return f"user {wanted.username} or the address {wanted.email} exists already"
        hashed = bcrypt.hashpw(wanted.password.encode(), bcrypt.gensalt()).decode()
        database.add(
            User(
                username=wanted.username,
                email=wanted.email,
                hashed_password=hashed,
                is_admin=wanted.admin,
            )
        )
        database.commit()
    return None


if __name__ == "__main__":
    sys.exit(create(arguments()))
