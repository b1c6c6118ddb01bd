"""Flask with its own sessions and Werkzeug's hashes, by https only, its table called user.

docs/backends/flask_werkzeug.md goes through it line by line. No secret is in here.
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
    Login,
    Postgres,
    Probe,
    Secret,
    Systemd,
    Venv,
)

_root = "/srv/desk"

flask_werkzeug = Backend(
    "flask-werkzeug",
    service=Systemd(
        "desk-api",
        working_directory=_root,
        user="desk",
        exec_start=f"{_root}/env/bin/gunicorn desk:app --workers 2 --bind 127.0.0.1:8106",
        needs=["nginx"],
    ),
    venv=Venv(f"{_root}/env", requirements=f"{_root}/requirements.txt"),
    env_file=EnvFile(
        f"{_root}/.env",
        readers="python-dotenv",
        owner="desk",
        keys={
            "SECRET_KEY": Secret.generated(),
            "SQLALCHEMY_DATABASE_URI": DatabaseUrl(
                driver="postgresql+psycopg", user="desk", database="desk"
            ),
        },
    ),
    database=Postgres(url=FromEnv("SQLALCHEMY_DATABASE_URI")),
    accounts=Accounts(
        table="user",
        columns=Columns(
            login="name",
            email="mail",
            password="password",
            active=None,
            admin=None,
            locked="blocked",
        ),
        values={"blocked": False},
        scheme="werkzeug-scrypt",
        present=[
            Account("owner", email="owner@example.com", password=Secret.env("OWNER_PASSWORD")),
        ],
    ),
    login=Login(
        "https://127.0.0.1:8443/login",
        account="owner",
        fields={"name": "{login}", "password": "{password}"},
        token=Cookie("session"),
        protected="https://127.0.0.1:8443/me",
        identity="name",
        host_header="desk.example.org",
        ca="desk.pem",  # the server's own certificate, beside the inventory
    ),
    probes=[Probe("https://127.0.0.1:8443/health", host_header="desk.example.org")],
)
