"""Create a user: seed_user.py EMAIL PASSWORD, or both as a JSON list on standard input."""

import json
import sys

import bcrypt
from ai_receptionist.core.database import User, engine
from sqlalchemy import select
from sqlalchemy.orm import Session


def seed(email: str, password: str) -> str:
    with Session(engine()) as database:
        if database.scalar(select(User).where(User.email == email)):
            return "User exists already"
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()
        database.add(User(email=email, password_hash=hashed, business_id="1"))
        database.commit()
    return "User created successfully"


if __name__ == "__main__":
    email, password = sys.argv[1:] or json.load(sys.stdin)
    sys.stdout.write(f"{seed(email, password)}\n")
