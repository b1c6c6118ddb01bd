"""A document management (EDMS): Django REST framework in a container, restored without a window.

docs/runbooks/edms-reinit-restore.md goes through its runbook section by section. No secret is in
here.
"""

from relogin import (
    Account,
    Accounts,
    Api,
    Backend,
    Backup,
    Columns,
    Compose,
    Django,
    Endpoint,
    EnvFile,
    FromEnv,
    FromParts,
    Jwt,
    Login,
    Postgres,
    Probe,
    Refresh,
    Secret,
)

_root = "/opt/edms"
_api = "http://127.0.0.1:3001/api/v1"
_compose = f"docker compose -f {_root}/docker-compose.prod.yml"

edms = Backend(
    "edms",
    service=Compose(
        _root,
        "backend",
        files=["docker-compose.prod.yml"],
        database_service="db",
        volumes=["pgdata"],
        requirements={"requirements.txt": "/app/requirements.txt"},
    ),
    env_file=EnvFile(
        f"{_root}/.env",
        keys={
            "SECRET_KEY": Secret.generated(),
            "ALLOWED_HOSTS": "edms.example.org,127.0.0.1",
            "DB_NAME": "edms",
            "DB_USER": "edms",
            "DB_PASSWORD": Secret.kept(),
        },
        readers=["compose"],
    ),
    database=Postgres(
        url=FromParts(
            user="DB_USER", password="DB_PASSWORD", database="DB_NAME", default_host="db"
        ),
        tables=["users", "documents"],
    ),
    migrations=Django("/app", "python manage.py migrate"),
    accounts=Accounts(
        columns=Columns(password="password", admin="is_superuser"),
        values={"first_name": "", "last_name": "", "date_joined": "now", "is_staff": True},
        scheme="django-pbkdf2-sha256",
        present=[
            Account(
                "admin",
                email="admin@edms.example.org",
                password=Secret.env("EDMS_ADMIN_PASSWORD"),
                admin=True,
            ),
            Account(
                "author01",
                email="author01@edms.example.org",
                password=Secret.env("EDMS_AUTHOR_PASSWORD"),
            ),
        ],
    ),
    login=Login(
        f"{_api}/auth/login/",
        account="admin",
        body="json",
        fields={"username": "{login}", "password": "{password}"},
        token="access",
        protected=f"{_api}/auth/profile/",
        identity="username",
        refresh=Refresh(
            f"{_api}/auth/refresh/", token="refresh", body="json", fields={"refresh": "{refresh}"}
        ),
    ),
    token=Jwt(
        secret=FromEnv("SECRET_KEY"),
        algorithm="HS256",
        claim="user_id",
        subject="id",
        lifetime=8 * 3600,
    ),
    probes=[Probe("http://127.0.0.1:3001/health/", fields={"status": "ok"})],
    api=Api(endpoints=[Endpoint("GET", "/api/v1/documents/", account="author01")]),
    backup=Backup(
        keep=7,
        create="python manage.py create_backup --type database --output /dev/stdout",
        reinit="python manage.py system_reinit --confirm",
        restore="python manage.py restore_backup --from-file {file}",
        copy="gunicorn config.wsgi --workers 1 --bind 0.0.0.0:{port}",
        before=f"{_compose} stop worker",
        after=f"{_compose} start worker",
    ),
)
