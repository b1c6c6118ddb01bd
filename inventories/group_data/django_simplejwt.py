"""The same Django project by its API: Django REST framework with simplejwt.

docs/backends/django_simplejwt.md says what differs. No secret is in here.
"""

from relogin import (
    Account,
    Accounts,
    Backend,
    Columns,
    Django,
    EnvFile,
    FromEnv,
    FromParts,
    Jwt,
    Login,
    Postgres,
    Refresh,
    Secret,
    Systemd,
    Venv,
)

_root = "/srv/shop"

django_simplejwt = Backend(
    "django-simplejwt",
    service=Systemd(
        "shop-api",
        working_directory=_root,
        environment_files=f"{_root}/.env",
        user="shop",
        exec_start=f"{_root}/env/bin/gunicorn shop.wsgi --workers 2 --bind 127.0.0.1:8105",
    ),
    venv=Venv(f"{_root}/env", requirements=f"{_root}/requirements.txt"),
    env_file=EnvFile(
        f"{_root}/.env",
        owner="shop",
        keys={
            "SECRET_KEY": Secret.generated(),
            "ALLOWED_HOSTS": "shop.example.org,127.0.0.1",
            "DB_HOST": "127.0.0.1",
            "DB_NAME": "shop",
            "DB_USER": "shop",
            "DB_PASSWORD": Secret.generated(),
        },
    ),
    database=Postgres(
        url=FromParts(user="DB_USER", password="DB_PASSWORD", database="DB_NAME", host="DB_HOST"),
    ),
    migrations=Django(_root, command="env/bin/python manage.py migrate"),
    accounts=Accounts(
        table="auth_user",
        columns=Columns(password="password", admin="is_superuser"),
        values={"first_name": "", "last_name": "", "date_joined": "now", "is_staff": True},
        scheme="django-pbkdf2-sha256",
        present=[
            Account(
                "owner",
                email="owner@example.com",
                password=Secret.env("OWNER_PASSWORD"),
                admin=True,
            ),
        ],
    ),
    login=Login(
        "http://127.0.0.1:8105/api/token/",
        account="owner",
        body="json",
        fields={"username": "{login}", "password": "{password}"},
        token="access",
        protected="http://127.0.0.1:8105/api/me/",
        identity="username",
        host_header="shop.example.org",
        refresh=Refresh(
            "http://127.0.0.1:8105/api/token/refresh/",
            token="refresh",
            body="json",
            fields={"refresh": "{refresh}"},
        ),
    ),
    token=Jwt(
        secret=FromEnv("SECRET_KEY"),  # simplejwt signs with it unless SIGNING_KEY is set
        algorithm="HS256",
        claim="user_id",
        subject="id",
        lifetime=600,
    ),
)
