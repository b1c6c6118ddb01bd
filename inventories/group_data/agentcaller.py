"""AgentCaller: FastAPI in a container, its settings in two env files."""

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
    Register,
    Secret,
)

_root = "/opt/agentcaller"

agentcaller = Backend(
    "agentcaller",
    service=Compose(
        _root,
        "backend",
        files=["infra/docker-compose.yml"],
        env_files=["infra/.env"],
        database_service="db",
        needs=["redis"],
        volumes=["pgdata"],
        requirements={"backend/requirements.txt": "/app/requirements.txt"},
    ),
    env_file=[
        EnvFile(f"{_root}/.env", keys={"SECRET_KEY": Secret.generated()}, readers=["compose"]),
        EnvFile(
            f"{_root}/infra/.env",
            keys={
                "POSTGRES_USER": "postgres",
                "POSTGRES_PASSWORD": Secret.kept(),
                "POSTGRES_DB": "agentcaller",
            },
            readers=["compose"],
        ),
    ],
    database=Postgres(url=FromParts(default_host="db")),
    migrations=Alembic("/app", "alembic upgrade head"),
    accounts=Accounts(
        columns=Columns(login="email", email=None, admin=None),
        create=Register("http://127.0.0.1:8000/v1/auth/register"),
        present=[
            Account("admin@example.com", password=Secret.env("AGENTCALLER_ADMIN_PASSWORD")),
        ],
    ),
    login=Login(
        "http://127.0.0.1:8000/v1/auth/login",
        account="admin@example.com",
        protected="http://127.0.0.1:8000/v1/auth/me",
        identity="email",
        documented=True,
    ),
    token=Jwt(secret=FromEnv("SECRET_KEY"), algorithm="HS256", subject="login"),
    probes=[Probe("http://127.0.0.1:8000/health")],
)
