"""A help desk: Flask's own sessions, Werkzeug's hashes, and a table called user."""

import os
from pathlib import Path

from dotenv import load_dotenv
from flask import Flask, abort, redirect, request, session
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.security import check_password_hash
from werkzeug.wrappers import Response

load_dotenv(Path(__file__).with_name(".env"))
app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["SQLALCHEMY_DATABASE_URI"]
app.config["SESSION_COOKIE_SECURE"] = True
db = SQLAlchemy(app)


class User(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    mail: Mapped[str]
    password: Mapped[str]
    blocked: Mapped[bool] = mapped_column(default=False)


PAGE = (
    '<!doctype html><form method="post">'
    '<input name="name"><input name="password" type="password"></form>'
)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/login")
def form() -> str:
    return PAGE


@app.post("/login")
def login() -> Response | str:
    user = db.session.scalar(select(User).where(User.name == request.form.get("name")))
    given = request.form.get("password", "")
    if user is None or user.blocked or not check_password_hash(user.password, given):
        return PAGE + "<p>Wrong name or password</p>"
    session["user"] = user.id
    return redirect("/")


@app.get("/me")
def me() -> dict[str, str]:
    user = db.session.get(User, session.get("user", 0))
    if user is None or user.blocked:
        abort(401)
    return {"name": user.name}
