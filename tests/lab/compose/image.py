"""Build the image of a host with a Docker Engine, and the two backends' folders on it."""

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
}
NAMES = tuple(_APPLICATIONS)
_OTHERS = ("ada", "barbara", "claude", "dennis", "edsger", "frances")
# a fixed salt, so that the image's inputs are the same on every machine
_SALT = b"$2b$04$" + b"LabLabLabLabLabLabLabe"


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
    }


def _people(first: str, password: str) -> list[tuple[str, str]]:
    passwords = {first: password, **dict.fromkeys(_OTHERS, lab.OTHERS_PASSWORD)}
    return [
        (f"{name}@example.com", bcrypt.hashpw(text.encode(), _SALT).decode())
        for name, text in passwords.items()
    ]


if __name__ == "__main__":
    sys.stdout.write(f"{engine_image()}\n")
