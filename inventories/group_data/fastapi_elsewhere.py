"""FastAPI whose PostgreSQL is on another machine, with an administrator who comes by a URL.

docs/backends/fastapi_elsewhere.md goes through it line by line. No secret is in here.
"""

from relogin import (
    Account,
    Accounts,
    AdminUrl,
    Alembic,
    Backend,
    Columns,
    EnvFile,
    FromEnv,
    FromParts,
    Jwt,
    Login,
    Postgres,
    Secret,
    Systemd,
    Uuid,
    Venv,
)

_root = "/srv/parts"
_venv = "/srv/argon/env"
_database = "127.0.0.1"  # in the lab: yours is another machine, such as db.example.org

fastapi_elsewhere = Backend(
    "fastapi-elsewhere",
    service=Systemd(
        "parts-api",
        working_directory=_root,
        user="parts",
        exec_start=f"{_venv}/bin/gunicorn crm.main:app --workers 1"
        " --worker-class uvicorn_worker.UvicornWorker --bind 127.0.0.1:8102",
    ),
    venv=Venv(_venv, requirements=f"{_root}/requirements.txt"),
    env_file=EnvFile(
        f"{_root}/.env",
        readers="python-dotenv",
        owner="parts",
        keys={
            "POSTGRES_HOST": _database,
            "POSTGRES_PORT": "5432",
            "POSTGRES_USER": "parts",
            "POSTGRES_PASSWORD": Secret.env("PARTS_DATABASE_PASSWORD"),
            "POSTGRES_DB": "parts",
            "JWT_SECRET": Secret.env("PARTS_JWT_SECRET"),
        },
    ),
    database=Postgres(
        url=FromParts(host="POSTGRES_HOST", port="POSTGRES_PORT"),
        schema="crm",
        admin=AdminUrl(Secret.env("DATABASE_ADMIN_URL")),
    ),
    migrations=Alembic(_root, command=f"{_venv}/bin/alembic upgrade head"),
    accounts=Accounts(
        table="members",
        columns=Columns(
            id="member_id",
            login="email_address",
            email=None,
            password="pw_hash",
            active="enabled",
            admin=None,
        ),
        values={"member_id": Uuid()},
        scheme="argon2",
        present=[Account("owner@example.com", password=Secret.env("OWNER_PASSWORD"))],
    ),
    login=Login(
        "http://127.0.0.1:8102/api/v1/auth/sign-in",
        account="owner@example.com",
        body="json",
        fields={"email": "{login}", "password": "{password}"},
        token="data.token.access",
        protected="http://127.0.0.1:8102/api/v1/me",
        identity="data.email",
    ),
    token=Jwt(secret=FromEnv("JWT_SECRET"), algorithm="HS512", subject="id", lifetime=900),
)
