"""FastAPI, async, with argon2 hashes: people sign in with their e-mail address, by JSON.

docs/backends/fastapi_argon.md goes through it line by line. No secret is in here.
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
    Systemd,
    Uuid,
    Venv,
)

_root = "/srv/argon"

fastapi_argon = Backend(
    "fastapi-argon",
    service=Systemd(
        "argon-api",
        working_directory=_root,
        user="argon",
        exec_start=f"{_root}/env/bin/gunicorn crm.main:app --workers 3"
        " --worker-class uvicorn_worker.UvicornWorker --bind 127.0.0.1:8101",
    ),
    venv=Venv(f"{_root}/env", requirements=f"{_root}/requirements.txt"),
    env_file=EnvFile(
        f"{_root}/.env",
        readers="python-dotenv",  # pydantic-settings reads it itself
        owner="argon",
        keys={
            "DATABASE_URL": DatabaseUrl(
                driver="postgresql+asyncpg", user="argon", database="argon"
            ),
            "JWT_SECRET": Secret.generated(),
        },
    ),
    database=Postgres(url=FromEnv("DATABASE_URL"), schema="crm"),
    migrations=Alembic(_root, command="env/bin/alembic upgrade head"),
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
        "http://127.0.0.1:8101/api/v1/auth/sign-in",
        account="owner@example.com",
        body="json",
        fields={"email": "{login}", "password": "{password}"},
        token="data.token.access",
        protected="http://127.0.0.1:8101/api/v1/me",
        identity="data.email",
    ),
    token=Jwt(secret=FromEnv("JWT_SECRET"), algorithm="HS512", subject="id", lifetime=900),
    probes=[Probe("http://127.0.0.1:8101/healthz", body='"ok"')],
)
