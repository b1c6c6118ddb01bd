"""A first description of a backend, guessed from what a server has; a person reads it.

`SURE` guesses stand as they are; of others the line ends in a comment that begins with `# ?`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from relogin import sketch_login
from relogin.sketch_login import Asked
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.facts.survey import EnvKeys, Folder, Service, Survey, UsersTable

_SUFFIX = re.compile(r"[-_.]?(api|web|backend|server|app)$")
_PORT = re.compile(r"[ :=](\d{4,5})\b")
_PROGRAM = re.compile(
    r"(/\S+)/bin/(?:python[\d.]*|uvicorn|gunicorn|hypercorn|daphne|waitress-serve)"
)
_SECRET = re.compile(r"(?i)jwt|token|secret|signing|private_key")
_DATABASE = re.compile(r"postgres|postgis|timescale|5432/tcp")
_PLACES = {"infra", "deploy", "docker", "compose", "prod", "production", "ops"}
_NO_SECRET = re.compile(
    r"(?i)algorithm|lifetime|expire|minutes|url|file|path|email|smtp|access_code"
)
_PARTS = {
    "user": re.compile(r"(?i)(db|postgres|pg|database)_?user$"),
    "password": re.compile(r"(?i)(db|postgres|pg|database)_?pass(word)?$"),
    "database": re.compile(r"(?i)((db|pg|database)_?name|postgres_db|pgdatabase)$"),
    "host": re.compile(r"(?i)(db|postgres|pg|database)_?host$"),
    "port": re.compile(r"(?i)(db|postgres|pg|database)_?port$"),
}


@dataclass(frozen=True)
class Sketch:
    """What is guessed of one backend; what is None or empty was not found."""

    name: str
    service: Service
    folder: Folder | None
    venv: str
    port: int | None
    env_files: tuple[EnvKeys, ...]
    table: UsersTable | None
    asked: Asked | None
    secret: str = ""
    algorithm: str = ""
    code: str = ""
    database_service: Service | None = None

    @property
    def variable(self) -> str:
        return re.sub(r"\W", "_", self.name)

    def keys(self) -> Mapping[str, tuple[str, str]]:
        """Give all keys of the env files, the last file's first."""
        return {key: told for file in self.env_files for key, told in file.keys.items()}

    def url_key(self) -> str:
        """Give the key of the database's URL, or ''."""
        urls = [key for key, (kind, _) in self.keys().items() if kind == "url"]
        return next((key for key in urls if key == "DATABASE_URL"), next(iter(urls), ""))

    def parts(self) -> dict[str, str]:
        """Give the keys of the database's address, by what they hold, where it has no URL."""
        return {
            part: key
            for part, pattern in _PARTS.items()
            for key in self.keys()
            if pattern.match(key)
        }


def sketches(survey: Survey) -> tuple[Sketch, ...]:
    """Give a description for each backend that the server seems to have."""
    return tuple(_sketch(survey, one) for one in survey.services if _is_backend(survey, one))


def _is_backend(survey: Survey, service: Service) -> bool:
    """Tell whether people may log in there; a container of it has migrations, or says its API."""
    if service.kind != "container":
        return True
    other = r"postgres|redis|nginx|traefik|caddy|rabbit|mysql|mariadb|minio|celery|worker|beat"
    if re.search(other, service.start + service.name):
        return False
    inside = service.inside
    return _port(service) in survey.documents or bool(inside and (inside.has or inside.code))


def _port(service: Service) -> int | None:
    return next((int(found) for found in _PORT.findall(service.start)), None)


def _name(service: Service) -> str:
    """Give a name: the unit's without what it is, or the project's; it may be that of a place."""
    if service.kind != "container" or not service.project:
        return _SUFFIX.sub("", PurePosixPath(service.name).stem) or service.name
    folder = PurePosixPath(service.directory)
    return folder.parent.name if service.project in _PLACES else service.project


def _beside(survey: Survey, service: Service) -> Service | None:
    """Give the database's service of the same project."""
    others = (one for one in survey.services if one.project and one.project == service.project)
    return next((one for one in others if _DATABASE.search(one.start)), None)


def _sketch(survey: Survey, service: Service) -> Sketch:
    folder = service.inside or survey.folders.get(service.directory)
    paths = dict.fromkeys([*service.env_files, *service.given, f"{service.directory}/.env"])
    files = tuple(survey.env_files[path] for path in paths if path in survey.env_files)
    port = _port(service)
    document = survey.documents.get(port or 0)
    keys = {key: told for file in files for key, told in file.keys.items()}
    code = folder.code if folder else {}
    asked = sketch_login.asked(document) if document else None
    made = Sketch(
        _name(service),
        service,
        folder,
        _venv(service, folder),
        port,
        files,
        None,
        asked,
        _secret(keys),
        _algorithm(code, keys),
        _code(keys, asked),
        _beside(survey, service),
    )
    return _with_table(made, survey)


def _venv(service: Service, folder: Folder | None) -> str:
    found = _PROGRAM.search(service.start)
    if found and not found[1].startswith(("/usr", "/bin")):
        return found[1]
    return folder.venvs[0] if folder and folder.venvs else ""


def _secret(keys: Mapping[str, tuple[str, str]]) -> str:
    """Give the key that seems to sign the tokens: one that says so first."""
    found = [
        key
        for key, (kind, _) in keys.items()
        if kind == "text" and _SECRET.search(key) and not _NO_SECRET.search(key)
    ]
    return min(found, key=lambda key: ("jwt" not in key.lower(), key != "SECRET_KEY"), default="")


def _algorithm(code: Mapping[str, int], keys: Mapping[str, tuple[str, str]]) -> str:
    for key, (kind, told) in keys.items():
        if kind == "word" and key.endswith("ALGORITHM"):
            return told
    known = {word: count for word, count in code.items() if re.fullmatch(r"[HREP]S\d{3}", word)}
    return max(known, key=lambda word: known[word], default="")


def _code(keys: Mapping[str, tuple[str, str]], asked: Asked | None) -> str:
    """Give the key that shares a word with a header that the login asks for."""
    for header in asked.headers if asked else ():
        words = {word.lower() for word in header.split("-")} - {"x", "api", "header"}
        for key, (kind, _) in keys.items():
            if kind == "text" and words & set(key.lower().split("_")):
                return key
    return ""


def _with_table(made: Sketch, survey: Survey) -> Sketch:
    import dataclasses

    database = _database(made)
    tables = [one for one in survey.tables if not database or one.database == database]
    table = min(tables, key=_unlikely, default=None) if database else None
    return dataclasses.replace(made, table=table)


def _database(made: Sketch) -> str:
    if key := made.url_key():
        return made.keys()[key][1].rpartition("/")[2]
    if key := made.parts().get("database", ""):
        return made.keys()[key][1]
    return ""


def _unlikely(table: UsersTable) -> tuple[bool, bool, int]:
    named = re.search(r"user|member|account|people|person", table.name)
    return not table.schemes, not named, -table.rows


def columns(table: UsersTable) -> dict[str, str | None]:
    """Give the fields of Columns that differ from its defaults."""
    kinds = {name: kind.removesuffix(" required") for name, kind in table.columns.items()}

    def first(pattern: str, kind: str = "") -> str | None:
        names = (name for name in kinds if re.fullmatch(pattern, name, re.IGNORECASE))
        return next((name for name in names if kind in kinds[name]), None)

    found = {
        "id": first("id") or first(r"\w+_id") or next(iter(kinds), "id"),
        "login": table.login,
        "email": first("e?_?mail(_address)?"),
        "password": table.password,
        "active": first("(is_)?(active|enabled)", "boolean"),
        "admin": first("(is_)?(admin|superuser)", "boolean") or first("(is_)?staff", "boolean"),
        "verified": first("(is_|email_)?(verified|confirmed)", "boolean"),
        "locked": first("(is_)?(locked|blocked|disabled|banned)", "boolean"),
    }
    if found["email"] == found["login"]:
        found["email"] = None
    usual: dict[str, Any] = {
        **{"id": "id", "login": "username", "email": "email", "password": "hashed_password"},
        **{"active": "is_active", "admin": "is_admin", "verified": None, "locked": None},
    }
    return {name: value for name, value in found.items() if value != usual[name]}


def required(table: UsersTable) -> Iterator[tuple[str, str]]:
    """Give the columns that a row has to give and that are none of the account's: name, type."""
    taken = {value for value in columns(table).values() if value}
    taken |= {"username", "email", "hashed_password", "is_active", "is_admin"}
    for name, kind in table.columns.items():
        plain = kind.removesuffix(" required")
        if kind != plain and (name not in taken or plain == "uuid"):
            yield name, plain
