"""The Halext backend, as its hosts have it. Make it yours: paths, names, the secrets' sources.

No secret is in here, only its source: `Secret.env` is the environment or the `.env` beside
inventories/prod.py, `Secret.file` a file, `Secret.command` what a command prints (sops, pass, op).
"""

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
    Postgres,
    Probe,
    Secret,
    Systemd,
    Venv,
)

_root = "/srv/halext.org/halext-org/backend"

halext = Backend(
    "halext",
    service=Systemd(
        "halext-api",
        working_directory=_root,
        environment_files=[f"{_root}/.env"],
        user="halext",  # with exec_start, a unit that is gone is written anew
        exec_start=f"{_root}/env/bin/uvicorn main:app --host 127.0.0.1 --port 8000",
        needs=["nginx"],
    ),
    venv=Venv(f"{_root}/env", requirements=f"{_root}/requirements.txt"),
    env_file=EnvFile(
        f"{_root}/.env",
        keys={
            "DEV_MODE": "false",
            "DATABASE_URL": DatabaseUrl(user="halext_user", database="halext_org"),
            "ACCESS_CODE": Secret.env("HALEXT_ACCESS_CODE"),
            "SECRET_KEY": Secret.generated(),  # made only where it is nowhere; never replaced
        },
    ),
    database=Postgres(url=FromEnv("DATABASE_URL")),
    migrations=Alembic(_root, command="env/bin/alembic upgrade head"),
    accounts=Accounts(
        create="env/bin/python create_dev_user.py"
        " --username {login} --password {password} --email {email}",
        present=[
            Account(
                "ops",
                email="ops@example.com",
                password=Secret.env("HALEXT_OPS_PASSWORD"),
                admin=True,
            ),
        ],
    ),
    login=Login(
        "http://127.0.0.1/token",
        account="ops",
        headers={"X-Halext-Code": FromEnv("ACCESS_CODE")},
        protected="http://127.0.0.1/users/me",
        identity="username",
    ),
    token=Jwt(secret=FromEnv("SECRET_KEY"), algorithm="HS256", subject="username"),
    probes=[Probe("http://127.0.0.1/api/health", host_header="org.halext.org")],
)
