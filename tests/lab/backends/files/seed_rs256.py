"""Fill the users; runs in the backend's folder with its interpreter."""

# mypy: ignore-errors
import os

from argon2 import PasswordHasher
from main import engine
from sqlalchemy import text

INSERT = text("INSERT INTO users (username, password_hash) VALUES (:name, :hash)")
with engine().begin() as database:
    for name, secret in {"owner": "OWNER", "ada": "OTHERS", "grace": "OTHERS"}.items():
        database.execute(INSERT, {"name": name, "hash": PasswordHasher().hash(os.environ[secret])})
