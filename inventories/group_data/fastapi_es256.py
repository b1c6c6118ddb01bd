"""The same FastAPI backend with ES256, whose token is taken from a cookie.

docs/backends/fastapi_rs256.md says what differs. No secret is in here.
"""

from relogin import (
    Account,
    Accounts,
    Backend,
    Columns,
    Cookie,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Jwt,
    KeyFile,
    Login,
    Postgres,
    Probe,
    Secret,
    Systemd,
    Venv,
)

_root = "/srv/es256"
_venv = "/srv/rs256/env"  # shared with the other one

fastapi_es256 = Backend(
    "fastapi-es256",
    service=Systemd(
        "es256-api",
        working_directory=_root,
        user="es256",
        exec_start=f"{_venv}/bin/uvicorn main:app --host 127.0.0.1 --port 8104",
    ),
    venv=Venv(_venv, requirements=f"{_root}/requirements.txt"),
    env_file=EnvFile(
        f"{_root}/.env",
        readers="python-dotenv",
        owner="es256",
        keys={
            "DATABASE_URL": DatabaseUrl(
                driver="postgresql+psycopg", user="es256", database="es256"
            ),
            "JWT_ALGORITHM": "ES256",
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
        "http://127.0.0.1:8104/login",
        account="owner",
        token=Cookie("session_token"),
        protected="http://127.0.0.1:8104/me",
        identity="username",
    ),
    token=Jwt(
        public_key=KeyFile(f"{_root}/keys/public.pem", private=f"{_root}/keys/private.pem"),
        algorithm="ES256",
        lifetime=300,
    ),
    probes=[Probe("http://127.0.0.1:8104/health")],
)
