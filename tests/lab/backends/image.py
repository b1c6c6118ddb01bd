"""Build the image of a host with many backends: each its own user, folder, unit and database."""

import shlex
from pathlib import Path
from urllib.parse import quote

from tests.lab.backends import canaries
from tests.lab.image import OnHost

FILES = Path(__file__).parent / "files"
NAMES = ("fastapi_argon", "fastapi_rs256", "django_session", "flask_werkzeug", "task_074")


def backends_image() -> str:
    """Give the tag of the image, built if it is not there."""
    applications = dict.fromkeys(NAMES, "requirements.txt")
    return OnHost("backends", FILES, applications, rendered()).tag()


def rendered() -> dict[str, str]:
    """Give the files that hold secrets, by name."""
    argon = quote(canaries.ARGON_DATABASE, safe="")
    return {
        "argon.env": f"""\
# CRM, production
DATABASE_URL=postgresql+asyncpg://argon:{argon}@127.0.0.1:5432/argon
JWT_SECRET={canaries.ARGON_JWT}
JWT_MINUTES=15
SENTRY_ENVIRONMENT=production
""",
        "parts.env": f"""\
POSTGRES_HOST=127.0.0.1
POSTGRES_PORT=5432
POSTGRES_USER=parts
POSTGRES_PASSWORD='{canaries.PARTS_DATABASE}'
POSTGRES_DB=parts
JWT_SECRET={canaries.PARTS_JWT}
""",
        "crew.env": f"""\
DATABASE_URL=postgresql+asyncpg://crew:{canaries.CREW_DATABASE}@127.0.0.1:5432/crew
JWT_SECRET={canaries.CREW_JWT}
JWT_MINUTES=15
""",
        "rs256.env": _keyed("rs256", "RS256", canaries.RS256_DATABASE),
        "es256.env": _keyed("es256", "ES256", canaries.ES256_DATABASE),
        "shop.env": f"""\
SECRET_KEY='{canaries.SHOP_SECRET}'
SECRET_KEY_OLD=
ALLOWED_HOSTS=shop.example.org,127.0.0.1
DB_HOST=127.0.0.1
DB_NAME=shop
DB_USER=shop
DB_PASSWORD='{canaries.SHOP_DATABASE}'
EMAIL_HOST=smtp.example.org
""",
        "desk.env": f"""\
SECRET_KEY={canaries.DESK_SECRET}
SQLALCHEMY_DATABASE_URI=postgresql+psycopg://desk:{canaries.DESK_DATABASE}@127.0.0.1:5432/desk
""",
        "hub.env": f"""\
DATABASE_URL=postgresql+asyncpg://hub:{canaries.HUB_DATABASE}@127.0.0.1:5432/hub
JWT_SECRET_KEY={canaries.HUB_JWT}
CORS_ORIGINS=https://app.example.org
ACCESS_MINUTES=15
""",
        "roles.sql": _roles(),
        "people.env": f"OWNER={shlex.quote(canaries.OWNER_PASSWORD)}\n"
        f"OTHERS={shlex.quote(canaries.OTHERS_PASSWORD)}\n",
    }


def _roles() -> str:
    return "".join(
        f"CREATE ROLE {name} LOGIN PASSWORD '{password}';\nCREATE DATABASE {name} OWNER {name};\n"
        for name, password in PASSWORDS.items()
    )


def _keyed(name: str, algorithm: str, password: str) -> str:
    return f"""\
DATABASE_URL=postgresql+psycopg://{name}:{password}@127.0.0.1:5432/{name}
JWT_ALGORITHM={algorithm}
JWT_PRIVATE_KEY_FILE=/srv/{name}/keys/private.pem
JWT_PUBLIC_KEY_FILE=/srv/{name}/keys/public.pem
"""


PASSWORDS = {
    "argon": canaries.ARGON_DATABASE,
    "parts": canaries.PARTS_DATABASE,
    "crew": canaries.CREW_DATABASE,
    "rs256": canaries.RS256_DATABASE,
    "es256": canaries.ES256_DATABASE,
    "shop": canaries.SHOP_DATABASE,
    "desk": canaries.DESK_DATABASE,
    "hub": canaries.HUB_DATABASE,
}
