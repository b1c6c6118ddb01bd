"""Build the image of a host with a Docker Engine, and the backends' folders on it."""

import base64
import hashlib
import sys
from pathlib import Path

import bcrypt

from tests.lab import canaries as lab
from tests.lab.compose import canaries
from tests.lab.image import OnHost

FILES = Path(__file__).parent / "files"
_APPLICATIONS = {
    "receptionist": "requirements.txt",
    "agentcaller": "backend/requirements.txt",
    "edms": "requirements.txt",
}
# Those that run on every host with an engine; EDMS is only brought up where a test asks for it.
NAMES = ("receptionist", "agentcaller")
_OTHERS = ("ada", "barbara", "claude", "dennis", "edsger", "frances")
# a fixed salt, so that the image's inputs are the same on every machine
_SALT = b"$2b$04$" + b"LabLabLabLabLabLabLabe"
_ITERATIONS = 20_000  # config/hashers.py


def engine_image() -> str:
    """Give the tag of the image, built if it is not there."""
    return OnHost("engine", FILES, _APPLICATIONS, rendered(), frozenset({"heal.sh"})).tag()


def rendered() -> dict[str, str]:
    """Give the files that hold secrets, by name."""
    return {
        "receptionist.env": f"""\
# AI Receptionist, production
ENV=production
ADMIN_PRIVATE_KEY={canaries.ADMIN_PRIVATE_KEY}
OPENAI_API_KEY={canaries.OPENAI_API_KEY}
POSTGRES_HOST=postgres
POSTGRES_USER=receptionist
POSTGRES_PASSWORD={canaries.RECEPTIONIST_DATABASE}
POSTGRES_DB=receptionist
LOG_LEVEL=info
""",
        "agentcaller.env": f"SECRET_KEY={canaries.AGENTCALLER_SECRET_KEY}\nLOG_LEVEL=info\n",
        "agentcaller-infra.env": f"""\
POSTGRES_USER=postgres
POSTGRES_PASSWORD={canaries.AGENTCALLER_DATABASE}
POSTGRES_DB=agentcaller
""",
        "edms.env": f"""\
SECRET_KEY={canaries.EDMS_SECRET_KEY}
ALLOWED_HOSTS=edms.example.org,127.0.0.1
DB_NAME=edms
DB_USER=edms
DB_PASSWORD={canaries.EDMS_DATABASE}
""",
        "receptionist.sql": "".join(
            "INSERT INTO users (email, password_hash, business_id, is_verified)"
            f" VALUES ('{email}', '{hashed}', '1', true);\n"
            for email, hashed in _people("owner", canaries.OWNER_PASSWORD)
        ),
        "agentcaller.sql": "".join(
            f"INSERT INTO users (email, hashed_password) VALUES ('{email}', '{hashed}');\n"
            for email, hashed in _people("admin", canaries.ADMIN_PASSWORD)
        )
        + "INSERT INTO clients (name, phone) VALUES ('Ada', '1'), ('Grace', '2');\n",
        "edms.sql": _edms_sql(),
    }


def _edms_sql() -> str:
    """Give seven accounts, as the write-up has them: the admin is not the first of them."""
    passwords = {
        "author01": canaries.EDMS_AUTHOR_PASSWORD,
        **dict.fromkeys(("author02", "reviewer01", "approver01"), lab.OTHERS_PASSWORD),
        "admin": canaries.EDMS_ADMIN_PASSWORD,
        **dict.fromkeys(("reviewer02", "viewer01"), lab.OTHERS_PASSWORD),
    }
    rows = (
        f"('{name}', '{_django(text)}', '', '', '{name}@edms.example.org', true, {staff}, {staff},"
        " '2026-01-04')"
        for name, text in passwords.items()
        for staff in [name == "admin"]
    )
    return (
        "INSERT INTO users (username, password, first_name, last_name, email, is_active, is_staff,"
        f" is_superuser, date_joined) VALUES {', '.join(rows)};\n"
        "INSERT INTO documents (author_id, title) SELECT 1 + n % 5, 'SOP-' || n"
        " FROM generate_series(1, 40) n;\n"
    )


def _django(password: str) -> str:
    """Give a hash as Django's PBKDF2PasswordHasher writes it, with a fixed salt."""
    salt = "LabLabLabLabLabLabLabe"
    made = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ITERATIONS)
    return f"pbkdf2_sha256${_ITERATIONS}${salt}${base64.b64encode(made).decode()}"


def _people(first: str, password: str) -> list[tuple[str, str]]:
    passwords = {first: password, **dict.fromkeys(_OTHERS, lab.OTHERS_PASSWORD)}
    return [
        (f"{name}@example.com", bcrypt.hashpw(text.encode(), _SALT).decode())
        for name, text in passwords.items()
    ]


if __name__ == "__main__":
    sys.stdout.write(f"{engine_image()}\n")
