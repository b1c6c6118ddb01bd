"""The same FastAPI backend as a program of supervisord.

docs/backends/fastapi_supervisor.md goes through it line by line. No secret is in here.
"""

from relogin import (
    Account,
    Accounts,
    Alembic,
    Backend,
    Columns,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Jwt,
    Login,
    Postgres,
    Probe,
    Secret,
    Supervisor,
    Uuid,
    Venv,
)

_root = "/srv/crew"
_venv = "/srv/argon/env"

fastapi_supervisor = Backend(
    "fastapi-supervisor",
    service=Supervisor("crew", working_directory=_root, user="crew"),
    venv=Venv(_venv, requirements=f"{_root}/requirements.txt"),
    env_file=EnvFile(
        f"{_root}/.env",
        readers="python-dotenv",  # pydantic-settings reads it itself
        owner="crew",
        keys={
            "DATABASE_URL": DatabaseUrl(driver="postgresql+asyncpg", user="crew", database="crew"),
            "JWT_SECRET": Secret.generated(),
        },
    ),
    database=Postgres(url=FromEnv("DATABASE_URL"), schema="crm"),
    migrations=Alembic(_root, command=f"{_venv}/bin/alembic upgrade head"),
    accounts=Accounts(
        table="members",
        columns=Columns(
            id="member_id",
            login="email_address",
            email=None,  # the login is the e-mail address
            password="pw_hash",
            active="enabled",
            admin=None,
        ),
        values={"member_id": Uuid()},  # SQLAlchemy makes it, not the table's default
        scheme="argon2",
        present=[Account("owner@example.com", password=Secret.env("OWNER_PASSWORD"))],
    ),
    login=Login(
        "http://127.0.0.1:8107/api/v1/auth/sign-in",
        account="owner@example.com",
        body="json",
        fields={"email": "{login}", "password": "{password}"},
        token="data.token.access",
        protected="http://127.0.0.1:8107/api/v1/me",
        identity="data.email",
    ),
    token=Jwt(secret=FromEnv("JWT_SECRET"), algorithm="HS512", subject="id", lifetime=900),
    probes=[Probe("http://127.0.0.1:8107/healthz", body='"ok"')],
)
