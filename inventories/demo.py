"""The backend that `make demo` sets up on this machine, in a temporary folder."""

import json
import os
from pathlib import Path

from relogin import (
    Account,
    Accounts,
    Alembic,
    Backend,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Jwt,
    Login,
    Peer,
    Postgres,
    Probe,
    ProfileError,
    Secret,
    Supervisor,
    Venv,
)

if not (_described := os.environ.get("RELOGIN_DEMO")):
    raise ProfileError("RELOGIN_DEMO names no running demo: start one with `make demo`")

_demo = json.loads(Path(_described).read_text())
_root = _demo["backend"]

_halext = Backend(
    "halext",
    service=Supervisor("halext", config=_demo["supervisord"], supervisorctl=_demo["supervisorctl"]),
    venv=Venv(
        f"{_root}/env",
        requirements=f"{_root}/requirements.txt",
        pip_args=["--no-index", "--find-links", _demo["wheels"]],
    ),
    env_file=EnvFile(
        f"{_root}/.env",
        keys={
            "DEV_MODE": "false",
            "DATABASE_URL": DatabaseUrl(
                user="halext_user", database="halext_org", port=_demo["database_port"]
            ),
            "ACCESS_CODE": Secret.file(_demo["access_code"]),
            "SECRET_KEY": Secret.generated(),
        },
    ),
    database=Postgres(
        url=FromEnv("DATABASE_URL"),
        admin=Peer(
            os_user=_demo["os_user"],
            socket=_demo["socket"],
            port=_demo["database_port"],
            psql=_demo["psql"],
        ),
    ),
    migrations=Alembic(directory=_root, command="env/bin/alembic upgrade head"),
    accounts=Accounts(
        present=[
            Account(
                "ops",
                email="ops@example.com",
                password=Secret.file(_demo["password"]),
                admin=True,
            )
        ]
    ),
    login=Login(
        f"{_demo['url']}/token",
        account="ops",
        protected=f"{_demo['url']}/users/me",
        identity="username",
        headers={"X-Halext-Code": FromEnv("ACCESS_CODE")},
    ),
    token=Jwt(secret=FromEnv("SECRET_KEY"), algorithm="HS256", subject="username"),
    probes=[Probe(f"{_demo['url']}/api/health")],
)

hosts = [("@local", {"halext": _halext})]
