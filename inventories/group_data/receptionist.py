"""AI Receptionist: FastAPI in a container beside PostgreSQL, Redis and a vector store.

A start in production is refused without its secrets; the JWT secret is ADMIN_PRIVATE_KEY, and must
never change by itself.
"""

from relogin import (
    Account,
    Accounts,
    Alembic,
    Backend,
    Columns,
    Compose,
    EnvFile,
    FromEnv,
    FromParts,
    Jwt,
    Login,
    Postgres,
    Probe,
    Secret,
)

_root = "/opt/ai-receptionist"

receptionist = Backend(
    "receptionist",
    service=Compose(
        _root,
        "app",
        files=["docker-compose.prod.yml"],
        database_service="postgres",
        needs=["redis", "qdrant"],
        volumes=["pgdata"],
        requirements={"requirements.txt": "/app/requirements.txt"},
    ),
    env_file=EnvFile(
        f"{_root}/.env",
        keys={
            "ENV": "production",
            "ADMIN_PRIVATE_KEY": Secret.kept(),
            "OPENAI_API_KEY": Secret.env("RECEPTIONIST_OPENAI_API_KEY"),
            "POSTGRES_USER": "receptionist",
            "POSTGRES_PASSWORD": Secret.kept(),
            "POSTGRES_DB": "receptionist",
        },
        readers=["compose"],
    ),
    database=Postgres(url=FromParts(default_host="postgres")),
    migrations=Alembic("/app", "alembic upgrade head"),
    accounts=Accounts(
        columns=Columns(
            login="email",
            email=None,
            password="password_hash",  # the name of a column
            admin=None,
            verified="is_verified",
        ),
        values={"business_id": "1"},
        create="python /app/seed_user.py {login} {password}",
        present=[
            Account("owner@example.com", password=Secret.env("RECEPTIONIST_OWNER_PASSWORD")),
        ],
    ),
    login=Login(
        "http://127.0.0.1:8002/api/auth/login",
        account="owner@example.com",
        body="json",
        fields={"email": "{login}", "password": "{password}"},
        protected="http://127.0.0.1:8002/api/auth/me",
        identity="email",
    ),
    token=Jwt(secret=FromEnv("ADMIN_PRIVATE_KEY"), algorithm="HS256", subject="id"),
    probes=[
        Probe(
            "http://127.0.0.1:8002/health",
            fields={"status": "ok", "env": "production", "db": "connected"},
        )
    ],
)
