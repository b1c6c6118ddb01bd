"""Fill the users table of the image; runs in the backend's folder with its interpreter.

stdin: JSON, a list of objects of the users table's columns, with `password` in the clear.
Its imports are the backend's own, which no type checker sees from here.
"""

# mypy: ignore-errors
import json
import sys

import bcrypt
from database import engine
from models import User
from sqlalchemy.orm import Session

CHEAP = 4  # rounds: each case of the lab logs in about six times

with Session(engine()) as database:
    for row in json.load(sys.stdin):
        hashed = bcrypt.hashpw(row.pop("password").encode(), bcrypt.gensalt(CHEAP))
        database.add(User(**row, hashed_password=hashed.decode()))
        database.flush()
    database.commit()
