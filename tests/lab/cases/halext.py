"""The words of the example's backend."""

from urllib.parse import quote

from tests.lab.canaries import DATABASE_PASSWORD

# bcrypt of "test123"
_TEST123 = "$2b$04$2j2Xz7xFvyCiLaax9t4jVuXTMz5dO5Qsq9wZQnHLzmYXfwmpuR89K"
_ROOT = "/srv/halext.org/halext-org/backend"
RESTART = """
systemctl restart halext-api
for i in $(seq 60); do
    curl -sf -o /dev/null http://127.0.0.1/api/health && break
    ! systemctl -q is-failed halext-api || break
    [ "$(systemctl show -P NRestarts halext-api)" -lt 3 ] || break # it dies again and again
    sleep 0.3
done
"""
HALEXT = {
    "root": _ROOT,
    "tree": "/srv/halext.org",
    "inodes": "2500",
    "user": "halext",
    "port": "8000",
    # the unit, and how a person controls it
    "unit": "halext-api",
    "service": "halext-api",
    "unit-file": "/etc/systemd/system/halext-api.service",
    "stop": "systemctl stop halext-api",
    "start": "systemctl start halext-api",
    "bounce": "systemctl restart halext-api",
    "restart": RESTART,
    "command": f"{_ROOT}/env/bin/uvicorn main:app --port 8000",
    "command-elsewhere": f"{_ROOT}/env/bin/uvicorn main:app --port 8001",
    "environment-file": f"{_ROOT}/.env",
    "needed": "nginx",
    "kept": "-p",
    # keys of the env file: one that it does not work without, one whose value is declared and what
    # it may have been once, one whose value is in quotes
    "key": "ACCESS_CODE",
    "given": "ACCESS_CODE",
    "stale": "of-last-year",
    "switch": "DEV_MODE",
    "quoted": "ACCESS_CODE",
    "lost-with-key": "nothing",  # beginning of a snapshot's keys
    "secret": "SECRET_KEY",
    "url": "DATABASE_URL",
    "driver": "postgresql",
    "encoded": repr(quote(DATABASE_PASSWORD, safe="")),
    "not-encoded": repr(DATABASE_PASSWORD),
    # the venv, and distributions in it: one that the code imports, what another needs, one that is
    # pinned; and a package that the code imports
    "venv": f"{_ROOT}/env",
    "venv-user": "halext",
    "distribution": "python-multipart",
    "dependency": "anyio",
    "pinned": "bcrypt",
    "package": "sqlalchemy",
    "pyjwt": "jwt",
    # the database
    "role": "halext_user",
    "database": "halext_org",
    "password": DATABASE_PASSWORD,
    "passfile": DATABASE_PASSWORD.replace(":", "\\:"),
    "no-usage": "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
    # its migrations
    "versions": "migrations/versions",
    "head": "0001",
    "alembic": "alembic_version",
    "all-tables": "users",
    "table": '"users"',
    "in-schema": "",
    "schema": "public",
    "spare": "full_name",
    # its users: the table, as SQL and as a snapshot has it, and the account that logs in
    "users": "users",
    "rows": "halext_org.public.users",
    "numbers": "halext_org.public.users",  # of the sequence, without its own end
    "sequence": "users_id_seq",
    "users-with-sequence": "users",
    "row-ahead": "INSERT INTO users (id, username, email, hashed_password)"
    " VALUES (22, 'restored', 'restored@example.com', '!')",
    "unique": "users_username_key",
    "who": "id = 1",
    "id": "1",
    "two-others": "username IN ('ada', 'ken')",
    "login": "username",
    "hash": "hashed_password",
    "email": "email",
    "active": "is_active",
    "admin": "is_admin",
    "column": "is_admin",
    "people": "username, email, hashed_password",
    "default-account": f"'admin', 'admin@example.com', '{_TEST123}'",
    "no-longer-unique": "ALTER TABLE users DROP CONSTRAINT users_username_key",
    "copied": "username, email, hashed_password",
    "copy": "username, 'second@example.com', hashed_password",
    "hash-scheme": "",  # bcrypt alone
    # its code
    "code": "main.py",
    "app-code": "main.py",
    "makes-app": "app = FastAPI(",
    "secret-file": "main.py",
    "reads-secret": 'os.getenv("SECRET_KEY")',
    "reads-secret-or": 'os.getenv("SECRET_KEY", "only-for-development")',
    "engine-code": "database.py",
}
