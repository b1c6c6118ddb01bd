"""The words by which a backend fills in the cases that it shares with the example's."""

from collections.abc import Mapping
from functools import cache
from urllib.parse import quote, urlsplit

from relogin import Alembic, Backend, Cookie, DatabaseUrl, Django, FromEnv, FromParts, Jwt, Systemd
from tests.lab.backends.applications import OF_CODE
from tests.lab.backends.image import PASSWORDS
from tests.lab.backends.places import EVERY, Place
from tests.lab.backends.profiles import profile

_ELSEWHERE = "8999"  # a port that nothing listens on
# What the unit's command may set otherwise, and people can log in.
_SWITCHED = {
    "fastapi_rs256": ("JWT_PUBLIC_KEY_FILE", "/srv/rs256/keys/../keys/public.pem"),
    "django_session": ("ALLOWED_HOSTS", "shop.example.org"),
    "django_simplejwt": ("ALLOWED_HOSTS", "shop.example.org"),
    "flask_werkzeug": ("SECRET_KEY", "another-secret-than-the-files-7c2"),
}
_INODES = "8000"  # of a server with nine databases


def words(place: Place) -> dict[str, str]:
    """Give a backend's words; those of what it does not have are lacking."""
    backend = profile(place)
    found = {
        **_of_place(place),
        **_of_service(place, backend),
        **_of_files(place, backend),
        **_of_database(place, backend),
        **_of_users(place, backend),
        **_of_migrations(place, backend),
        **_of_login(backend),
        **OF_CODE[place.backend],
        **place.words,
    }
    return {name: text for name, text in found.items() if text is not None}


@cache
def of_any() -> Mapping[str, str]:
    """Give the words that any of the backends has."""
    return {name: "" for place in EVERY for name in words(place)}


def _of_place(place: Place) -> dict[str, str | None]:
    return {
        "root": f"/srv/{place.name}",
        "tree": f"/srv/{place.name}",
        "inodes": _INODES,
        "user": place.name,
        "port": str(place.port),
        "stop": place.control("stop"),
        "start": place.control("start"),
        "bounce": place.control("restart"),
        "restart": place.restart,
        "service": "supervisor" if place.supervised else f"{place.name}-api",
        "venv": place.venv,
        "venv-user": place.venv.split("/")[2],
        "distribution": place.distribution,
    }


def _of_service(place: Place, backend: Backend) -> dict[str, str | None]:
    service = backend.service
    if not isinstance(service, Systemd):
        return {}
    command, files = service.exec_start, service.environment_files
    assert command
    return {
        "unit": service.unit,
        "unit-file": f"/etc/systemd/system/{service.unit}.service",
        "command": command,
        "command-elsewhere": command.replace(str(place.port), _ELSEWHERE),
        "environment-file": place.env if files else None,
        # what it read is seen of its environment, or else by the file's time
        "kept": "-p" if files else "--preserve=mode,ownership",
        "needed": service.needs[0] if service.needs else None,
    }


def _of_files(place: Place, backend: Backend) -> dict[str, str | None]:
    """Give the keys: one that it does not work without, and one whose value is declared."""
    keys = backend.env_files[0].keys
    url = next((key for key, value in keys.items() if isinstance(value, DatabaseUrl)), None)
    given = next((key for key in reversed(keys) if type(keys[key]) is str), None)
    told = keys[url] if url else None
    secret = backend.token.secret if isinstance(backend.token, Jwt) else None
    return {
        "url": url,
        "driver": told.driver if isinstance(told, DatabaseUrl) else None,
        "given": given,
        # who asks for which database is in PostgreSQL's log: that is no stand-in for a secret
        "stale": "nobody" if (given or "").endswith(("_USER", "_NAME", "_DB")) else "of-last-year",
        "key": url or given,
        "lost-with-key": f"role-verifier:{place.name}" if url else "nothing",
        "switched": _SWITCHED.get(place.backend, (None, None))[0],
        "switched-to": _SWITCHED.get(place.backend, (None, None))[1],
        "secret": secret.key if isinstance(secret, FromEnv) else None,
    }


def _of_database(place: Place, backend: Backend) -> dict[str, str | None]:
    assert backend.database
    password, schema = PASSWORDS[place.name], backend.database.schema
    parts = backend.database.url
    encoded = quote(password, safe="")
    may_not = f"ALTER SCHEMA {schema} OWNER TO postgres"
    differs = encoded != password and "?" in password  # as it is, a URL with it is another
    return {
        "role": place.name,
        "database": place.name,
        "password": password,
        "password-key": parts.password if isinstance(parts, FromParts) else None,
        "passfile": password.replace(":", "\\:"),
        "encoded": repr(encoded) if differs else None,
        "not-encoded": repr(password) if differs else None,
        "schema": schema,
        "no-usage": "REVOKE USAGE ON SCHEMA public FROM PUBLIC" if schema == "public" else may_not,
    }


def _of_users(place: Place, backend: Backend) -> dict[str, str | None]:
    assert backend.accounts
    assert backend.database
    users, columns = place.users, backend.accounts.columns
    table = f"{backend.database.schema}.{backend.accounts.table}"
    bare = users.table.removeprefix(f"{backend.database.schema}.")
    who = f"{users.login} LIKE 'owner%'"
    others = f"SELECT {columns.id} FROM {table} WHERE NOT ({who}) ORDER BY 1 LIMIT 2"
    return {
        "users": table,
        "rows": f"{place.name}.{backend.database.schema}.{bare}",
        "numbers": f"{place.name}.{backend.database.schema}." + bare.strip('"'),
        "who": who,
        "id": "",
        "two-others": f"{columns.id} IN ({others})",
        "login": users.login,
        "hash": users.password,
        "email": columns.email,
        "active": columns.active,
        "admin": columns.admin,
        "column": columns.active or columns.locked,
    }


def _of_migrations(place: Place, backend: Backend) -> dict[str, str | None]:
    if isinstance(backend.migrations, Django):
        return {
            "django-migrations": "orders/migrations",
            "django-app": "orders",
            "django-head": "0002_order_paid",
            "drops-all": "",
        }
    if not isinstance(backend.migrations, Alembic):
        return {}
    assert backend.accounts
    assert backend.database
    schema = backend.database.schema
    return {
        "alembic": "alembic_version",
        "versions": "migrations/versions",
        "drops-all": "" if schema == "public" else None,  # it would take the schema as well
        "table": repr(backend.accounts.table),
        "in-schema": "" if schema == "public" else f", schema={schema!r}",
    }


def _of_login(backend: Backend) -> dict[str, str | None]:
    """Give the login's paths, and how it would be described wrongly."""
    login = backend.login
    assert login is not None
    assert login.protected is not None
    of, web = urlsplit(login.url), backend.name.startswith(("django", "flask"))
    at, pages = f"{of.scheme}://{of.netloc}", isinstance(login.token, Cookie) and web
    other = f"{of.path}/" if not of.path.endswith("/") else of.path.removesuffix("/")
    probe = urlsplit(backend.probes[0].url) if backend.probes else None
    return {
        "login-path": of.path,
        "refresh-path": urlsplit(login.refresh.url).path if login.refresh else None,
        "other-origin": "https://other.example.com" if login.origin else None,
        "pages": "" if pages else None,
        "protected-path": urlsplit(login.protected).path,
        "login-elsewhere": f"{of.scheme}://{of.hostname}:{_ELSEWHERE}{of.path}",
        "login-redirected": None if backend.name.startswith("flask") else at + other,
        "login-wrong-path": f"{at}/nothing-here",
        "login-wrong-method": None if pages and of.port != 8443 else login.protected,
        "login-other-body": None if web else {"json": "form", "form": "json"}[login.body],
        "login-wrong-field": None if pages else "person",
        "login-other-token": None if isinstance(login.token, Cookie) else "nothing",
        "bearer": None if isinstance(login.token, Cookie) else "",
        "wrong-probe": probe and f"{probe.scheme}://{probe.netloc}/nothing-here",
    }
