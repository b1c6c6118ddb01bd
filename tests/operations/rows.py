"""Rows of the users table in the recorded look, and others beside them."""

import bcrypt

from relogin.facts import postgres
from tests.operations.looks import Edit, psql, recorded

ROW = ("accounts", "rows", "0")
(OPS_ROW,) = postgres.rows(recorded("halext")["postgres"])["accounts"]["rows"]


def others(*rows: dict[str, str]) -> Edit:
    """Let there be these rows besides that of ops."""
    more = [{**OPS_ROW, "email": None, **row} for row in rows]
    return psql("accounts", rows=[OPS_ROW, *more])


def stored(form: str) -> Edit:
    return psql(*ROW, password=form.format(OPS_ROW["password"]))


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
