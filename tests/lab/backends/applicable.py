"""Which faults of the catalogue a backend cannot have, by its profile, and why."""

import re
from collections.abc import Iterator
from pathlib import Path

from relogin import AdminUrl, Alembic, Backend, Cookie, Django, FromParts, KeyFile, Supervisor
from relogin.operations.catalogue import FAULTS
from tests.lab.backends.places import Place
from tests.lab.backends.profiles import profile
from tests.lab.product import REPOSITORY

_OF_COMPOSE = "service.{engine-down,compose-files-refused,needed-service-down,container-missing,"
_OF_COMPOSE += "image-older,port-elsewhere,unhealthy,port-public,environment-older}"
_OF_SYSTEMD = "service.{unit-missing,masked,wrong-environment-file,needs-daemon-reload,"
_OF_SYSTEMD += "needed-unit-down,condition-not-met,killed-for-memory,start-limit-hit,failed,"
_OF_SYSTEMD += "older-than-unit,disabled,wrong-command}"
_OF_SUPERVISORD = "service.{supervisord-down,configuration-not-applied,fatal,backoff}"
_OF_A_SECRET = "jwt.{secret-missing,secret-empty,running-on-other-secret,secret-changed,"  # ids
_OF_A_SECRET += "secret-per-process,known-default,secret-weak,secret-not-declared,"
_OF_A_SECRET += "hard-coded-fallback}"
_OF_KEYS = "jwt.{private-key-missing,public-key-missing,key-unreadable,keys-no-pair}"
_OF_A_TOKEN = "login.{token-not-a-jwt,algorithm-wrong,signature-wrong,subject-wrong,"
_OF_A_TOKEN += "expiry-wrong}"
_OF_A_PROXY = "login.{proxy-up-backend-down,authorization-stripped}"
_PUBLIC = "login.{public-dns-missing,public-dns-elsewhere,public-not-listening,public-filtered,"
_PUBLIC += "tls-expired,tls-not-yet-valid,tls-wrong-name,tls-untrusted,public-proxy-down,"
_PUBLIC += "public-url}"


def not_applicable(place: Place) -> dict[str, str]:
    """Give the faults that it cannot have, each with the reason."""
    backend = profile(place)
    rules = [
        *_of_service(backend),
        *_of_database(backend),
        *_of_accounts(backend),
        *_of_token(backend),
        *_of_login(backend),
        *_of_files(place, backend),
    ]
    return {fault: why for pattern, why in rules for fault in _named(pattern)}


def _named(pattern: str) -> Iterator[str]:
    """Take `layer.*`, `layer.{one,other}` and `layer.one` apart; each has to be a fault."""
    layer, _, rest = pattern.partition(".")
    known = [fault.id for fault in FAULTS]
    names = rest.strip("{}").split(",")
    found = [one for one in known if one.startswith(f"{layer}.")] if rest == "*" else []
    for name in found or [f"{layer}.{one}" for one in names]:
        assert name in known, name
        yield name


def _of_service(backend: Backend) -> Iterator[tuple[str, str]]:
    yield "image.*", "no containers"
    yield "volumes.*", "no containers"
    yield _OF_COMPOSE, "no containers"
    if isinstance(backend.service, Supervisor):
        yield _OF_SYSTEMD, "supervisord runs it"
        return
    yield _OF_SUPERVISORD, "systemd runs it"
    if "--workers" not in (getattr(backend.service, "exec_start", None) or ""):
        yield "login.works-by-some-workers", "it has one worker"
    if not getattr(backend.service, "needs", ()):
        yield "service.needed-unit-down", "no other unit is declared"
    if not getattr(backend.service, "environment_files", ()):
        yield "service.wrong-environment-file", "the backend reads its file itself"


def _of_database(backend: Backend) -> Iterator[tuple[str, str]]:
    url = backend.database.url if backend.database else None
    if backend.database and isinstance(backend.database.admin, AdminUrl):
        yield "machine.{filesystem-read-only,disk-full,inodes-full}", "the machine is not looked at"
    if isinstance(url, FromParts):
        yield "env_file.database-url-unparsable", "no URL: keys of their own"
    yield "postgres.peer-mismatch", "by TCP with a password"
    if backend.migrations is None:
        yield "postgres.schema-create-missing", "no migrations are declared"
        yield "migrations.*", "no migrations are declared"
    elif isinstance(backend.migrations, Django):
        yield "migrations.overlapping-rows", "Django records every migration"
    elif isinstance(backend.migrations, Alembic):
        yield "migrations.{inconsistent-history,not-recorded}", "Alembic records the newest alone"


def _of_accounts(backend: Backend) -> Iterator[tuple[str, str]]:
    assert backend.accounts is not None
    columns = backend.accounts.columns
    named = {
        "active": "accounts.inactive",
        "locked": "accounts.locked",
        "verified": "accounts.unverified",
        "admin": "accounts.admin-lost",
        "email": "accounts.email-differs",
    }
    for column, fault in named.items():
        if getattr(columns, column) is None:
            yield fault, "the table has no such column"
    names = [account.login for account in backend.accounts.present]
    if all("@" in name for name in names):
        yield "accounts.default-account", "its logins are e-mail addresses"
    else:
        yield "login.not-an-email", "its logins are names"


def _of_token(backend: Backend) -> Iterator[tuple[str, str]]:
    token = backend.token
    if token is None:
        yield "jwt.*", "sessions, no tokens"
        yield _OF_A_TOKEN, "sessions, no tokens"
    elif isinstance(token.public_key, KeyFile):
        yield _OF_A_SECRET, "signed with a private key"
    else:
        yield _OF_KEYS, "signed with a shared secret"
        if not getattr(backend.service, "environment_files", ()):
            yield "jwt.secret-per-process", "it reads its file itself: no environment shows it"


def _of_login(backend: Backend) -> Iterator[tuple[str, str]]:
    login = backend.login
    assert login is not None
    if login.public_url is None:
        yield _PUBLIC, "no public URL is declared"
    if login.origin is None:
        yield "login.cors-refused", "no origin is declared"
    if not login.documented:
        yield "login.token-url-differs", "it is not declared to be documented"
    if not login.headers:
        yield "login.header-missing", "it asks for no header"
    if login.refresh is None:
        yield "login.refresh-refused", "no refresh token is declared"
    if login.url.startswith("http:"):
        yield "login.{certificate-refused,redirected-to-https}", "plain http on the host"
        yield _OF_A_PROXY, "no proxy is asked on the host"
    if login.host_header is None:
        yield "login.host-refused", "it answers by any name"
    if login.csrf is None:
        yield "login.csrf-refused", "the login wants no CSRF token"
    if login.protected is None or isinstance(login.token, Cookie):
        yield "login.authorization-stripped", "the token is a cookie"
    if not backend.probes:
        yield "login.probe-failed", "no probe is declared"


def _of_files(place: Place, backend: Backend) -> Iterator[tuple[str, str]]:
    if len(backend.env_files) == 1:
        yield "env_file.files-differ", "one env file"
        if len(backend.env_files[0].readers) == 1:
            yield "env_file.readers-disagree", "one reader"
    if place.name not in {"argon", "parts", "crew", "hub"}:
        yield "env_file.extra-key-forbidden", "no pydantic-settings"
    assert backend.venv is not None
    folder = "django_session" if place.name == "shop" else _folder(place)
    asked = Path(REPOSITORY, "tests/apps", folder, "requirements.txt").read_text().lower()
    if "passlib" not in asked:
        yield "venv.passlib-without-bcrypt", "no passlib"
    if not {"pyjwt", "python-jose", "djangorestframework-simplejwt"} & _names(asked):
        yield "venv.module-owned-by-another-distribution", "neither PyJWT nor python-jose"
    if folder == "fastapi_argon":
        yield "postgres.{sequence-privileges-missing,sequence-behind}", "UUID ids: no sequence"


def _names(asked: str) -> set[str]:
    return {re.split(r"[\[=<>~!; ]", line)[0] for line in asked.splitlines()}


def _folder(place: Place) -> str:
    folders = {"desk": "flask_werkzeug", "rs256": "fastapi_rs256", "es256": "fastapi_rs256"}
    folders["hub"] = "task_074"
    return folders.get(place.name, "fastapi_argon")
