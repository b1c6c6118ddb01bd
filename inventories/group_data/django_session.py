"""Django under Gunicorn: people log in at a form, with a CSRF token, and get a session.

docs/backends/django_session.md goes through it line by line. No secret is in here.
"""

from relogin import (
    Account,
    Accounts,
    Backend,
    Columns,
    Cookie,
    Csrf,
    Django,
    EnvFile,
    FromParts,
    Login,
    Postgres,
    Probe,
    Secret,
    Systemd,
    Venv,
)

_root = "/srv/shop"

django_session = Backend(
    "django-session",
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
        tables=["django_session"],
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
        "http://127.0.0.1:8105/accounts/login/",
        account="owner",
        fields={"username": "{login}", "password": "{password}"},
        csrf=Csrf(),
        token=Cookie("sessionid"),
        protected="http://127.0.0.1:8105/accounts/profile/",
        identity="user.name",
        host_header="shop.example.org",
    ),
    probes=[Probe("http://127.0.0.1:8105/health/", host_header="shop.example.org")],
)
