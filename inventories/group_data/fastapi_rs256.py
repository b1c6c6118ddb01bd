"""FastAPI whose tokens are signed with a private key (RS256), with a refresh token.

docs/backends/fastapi_rs256.md goes through it line by line. No secret is in here.
"""

from relogin import (
    Account,
    Accounts,
    Backend,
    Columns,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Jwt,
    KeyFile,
    Login,
    Postgres,
    Probe,
    Refresh,
    Secret,
    Systemd,
    Venv,
)

_root = "/srv/rs256"

fastapi_rs256 = Backend(
    "fastapi-rs256",
    service=Systemd(
        "rs256-api",
        working_directory=_root,
        user="rs256",
        exec_start=f"{_root}/env/bin/uvicorn main:app --host 127.0.0.1 --port 8103",
    ),
    venv=Venv(f"{_root}/env", requirements=f"{_root}/requirements.txt"),
    env_file=EnvFile(
        f"{_root}/.env",
        readers="python-dotenv",
        owner="rs256",
        keys={
            "DATABASE_URL": DatabaseUrl(
                driver="postgresql+psycopg", user="rs256", database="rs256"
            ),
            "JWT_ALGORITHM": "RS256",
            "JWT_PRIVATE_KEY_FILE": f"{_root}/keys/private.pem",
            "JWT_PUBLIC_KEY_FILE": f"{_root}/keys/public.pem",
        },
    ),
    database=Postgres(url=FromEnv("DATABASE_URL")),
    accounts=Accounts(
        columns=Columns(email=None, password="password_hash", admin=None),
        scheme="argon2",
        present=[Account("owner", password=Secret.env("OWNER_PASSWORD"))],
    ),
    login=Login(
        "http://127.0.0.1:8103/login",
        account="owner",
        token="access",
        protected="http://127.0.0.1:8103/me",
        identity="username",
        refresh=Refresh(
            "http://127.0.0.1:8103/refresh",
            token="refresh",
            body="json",
            fields={"refresh": "{refresh}"},
        ),
    ),
    token=Jwt(
        public_key=KeyFile(f"{_root}/keys/public.pem", private=f"{_root}/keys/private.pem"),
        algorithm="RS256",
        lifetime=300,
    ),
    probes=[Probe("http://127.0.0.1:8103/health")],
)
