"""A first description is guessed from what a server has, and says where it is not sure."""

import runpy
import subprocess
from pathlib import Path
from typing import Any

from relogin import Alembic, Backend, Compose, Cookie, DatabaseUrl, FromEnv, FromParts, KeyFile
from relogin.facts.survey import EnvKeys, Folder, Service, Survey, UsersTable
from relogin.facts.survey_script import ENV_FILES
from relogin.sketch import sketches
from relogin.sketch_login import asked
from relogin.sketch_text import text

ROOT = "/srv/shop"
COLUMNS = {
    "id": "uuid required",
    "mail": "text required",
    "password_hash": "text required",
    "joined": "timestamp with time zone required",
    "blocked": "boolean",
}
OBJECT = {"type": "object"}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/api/login": {
            "post": {
                "parameters": [{"in": "header", "name": "X-Shop-Code"}],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}
                },
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Out"}}
                        }
                    }
                },
            }
        },
        "/api/items/{id}": {"get": {"security": [{"bearer": []}]}},
        "/api/items": {"get": {"security": [{"bearer": []}]}},
        "/api/me": {"get": {"security": [{"bearer": []}]}},
        "/health": {"get": {}},
    },
    "components": {
        "schemas": {
            "In": {**OBJECT, "required": ["email", "password"]},
            "Out": {**OBJECT, "properties": {"data": {**OBJECT, "properties": {"access": {}}}}},
        }
    },
}


def survey(**more: Any) -> Survey:
    start = f"{ROOT}/env/bin/uvicorn main:app --port 8000"
    keys = {
        "DATABASE_URL": ("url", "postgresql+asyncpg shop 127.0.0.1:5433/shop"),
        "JWT_SECRET": ("text", ""),
        "SHOP_CODE": ("text", ""),
        "MODE": ("text", ""),
    }
    known: dict[str, Any] = {
        "services": (Service("unit", "shop-api.service", start, ROOT, "shop"),),
        "folders": {
            ROOT: Folder(ROOT, ("alembic.ini", "requirements.txt"), (), {"HS512": 2, "HS256": 1})
        },
        "env_files": {f"{ROOT}/.env": EnvKeys(f"{ROOT}/.env", "shop", "600", keys)},
        "documents": {8000: DOCUMENT},
        "tables": (
            UsersTable("other", "public", "users", COLUMNS, "password_hash", "mail", ("bcrypt",)),
            UsersTable("shop", "public", "people", COLUMNS, "password_hash", "mail", ("argon2",)),
        ),
    }
    return Survey(**{**known, **more})


def described(folder: Path, seen: Survey) -> Backend:
    """Give the one backend that the description makes, once it is loaded as pyinfra does."""
    (made,) = sketches(seen)
    path = folder / "shop.py"
    path.write_text(text(made, "web1", "2026-11-22"))
    (found,) = (one for one in runpy.run_path(str(path)).values() if isinstance(one, Backend))
    return found


def test_what_is_written_is_a_description_of_what_is_there(tmp_path: Path) -> None:
    backend = described(tmp_path, survey())
    assert backend.login is not None
    assert backend.accounts is not None
    assert backend.token is not None
    url = backend.declared("DATABASE_URL")
    assert isinstance(url, DatabaseUrl)
    assert ("shop", "shop", 5433, "postgresql+asyncpg") == (
        url.user, url.database, url.port, url.driver,
    )  # fmt: skip
    assert ("people", "argon2") == (backend.accounts.table, backend.accounts.scheme)
    columns = backend.accounts.columns
    assert ("mail", None, "blocked") == (columns.login, columns.email, columns.locked)
    assert {"id", "joined"} == set(backend.accounts.values)
    assert ("http://127.0.0.1:8000/api/login", "json", "data.access") == (
        backend.login.url, backend.login.body, backend.login.token,
    )  # fmt: skip
    assert "http://127.0.0.1:8000/api/me" == backend.login.protected
    assert {"X-Shop-Code": FromEnv("SHOP_CODE")} == backend.login.headers
    assert (FromEnv("JWT_SECRET"), "HS512") == (backend.token.secret, backend.token.algorithm)


def test_where_it_is_not_sure_it_says_so_and_what_is_left_alone(tmp_path: Path) -> None:
    described(tmp_path, survey())
    written = (tmp_path / "shop.py").read_text()
    assert "# ? where one logs in\n" in written
    assert "# ? an account that you may log in with; SHOP_PASSWORD has its password\n" in written
    assert "# left alone: MODE\n" in written


def test_without_openapi_json_the_login_is_left_to_a_person(tmp_path: Path) -> None:
    backend = described(tmp_path, survey(documents={}))
    assert backend.token is None
    assert "it publishes no openapi.json" in (tmp_path / "shop.py").read_text()


def test_a_key_pair_is_that_of_the_files_that_the_env_file_names(tmp_path: Path) -> None:
    keys = {
        "JWT_PUBLIC_KEY_FILE": ("path", f"{ROOT}/public.pem"),
        "JWT_PRIVATE_KEY_FILE": ("path", f"{ROOT}/private.pem"),
        "JWT_ALGORITHM": ("word", "ES256"),
    }
    files = {f"{ROOT}/.env": EnvKeys(f"{ROOT}/.env", "shop", "600", keys)}
    backend = described(tmp_path, survey(env_files=files, tables=()))
    assert backend.token is not None
    expected = KeyFile(f"{ROOT}/public.pem", private=f"{ROOT}/private.pem")
    assert (expected, "ES256") == (backend.token.public_key, backend.token.algorithm)


def test_a_projects_form_of_django_is_described_with_its_cookie(tmp_path: Path) -> None:
    folders = {ROOT: Folder(ROOT, ("manage.py", "requirements.txt"))}
    backend = described(tmp_path, survey(documents={}, folders=folders))
    assert backend.login is not None
    assert (Cookie("sessionid"), "csrftoken") == (
        backend.login.token, backend.login.csrf and backend.login.csrf.cookie,
    )  # fmt: skip


def test_an_argument_that_may_be_a_secret_is_left_out(tmp_path: Path) -> None:
    start = f"{ROOT}/env/bin/uvicorn main:app --port 8000 --secret=canary-3d"
    services = (Service("unit", "shop-api.service", start, ROOT, "shop"),)
    described(tmp_path, survey(services=services))
    assert "canary" not in (tmp_path / "shop.py").read_text()


def test_a_database_in_a_container_is_no_backend() -> None:
    services = (
        Service("container", "db", "postgres:16 5432/tcp", ROOT, project="shop"),
        Service("container", "web", "shop-web 0.0.0.0:8000->8000/tcp", ROOT, project="shop"),
    )
    (made,) = sketches(survey(services=services))
    assert ("web", 8000) == (made.service.name, made.port)


def test_a_document_without_a_login_gives_none() -> None:
    assert asked({"paths": {"/items": {"get": {}}}}) is None


def test_the_documents_own_token_url_is_where_one_logs_in() -> None:
    flows = {"password": {"tokenUrl": "auth/token"}}
    document = {
        "paths": {"/auth/token": {"post": {}}, "/login": {"post": {}}},
        "components": {"securitySchemes": {"it": {"type": "oauth2", "flows": flows}}},
    }
    found = asked(document)
    assert found is not None
    assert ("/auth/token", True) == (found.login, found.sure)


PROJECT = "/opt/shop/infra"
WEB = Service(
    "container",
    "web",
    "shop-web 127.0.0.1:8000->8000/tcp",
    PROJECT,
    env_files=("/opt/shop/.env",),
    project="infra",
    files=(f"{PROJECT}/prod.yml",),
    given=(f"{PROJECT}/prod.env",),
    inside=Folder("/app", ("alembic.ini",), (), {"HS512": 1}),
)
DATABASE = Service(
    "container", "store", "postgres:16 5432/tcp", PROJECT, project="infra",
    volumes=("infra_data", "0123abcd"), inside=Folder("/"),
)  # fmt: skip
PAGES = Service(
    "container", "pages", "caddy-pages 0.0.0.0:80->80/tcp", PROJECT, project="infra",
    inside=Folder("/srv"),
)  # fmt: skip
IN_ENV = {
    "/opt/shop/.env": EnvKeys("/opt/shop/.env", "root", "600", {"JWT_SECRET": ("text", "")}),
    f"{PROJECT}/prod.env": EnvKeys(
        f"{PROJECT}/prod.env",
        "root",
        "600",
        {
            "POSTGRES_USER": ("word", "shop"),
            "POSTGRES_PASSWORD": ("text", ""),
            "POSTGRES_DB": ("word", "shop"),
        },
    ),
}


def test_a_compose_project_is_described_with_its_database_and_nothing_else_of_it(tmp_path: Path):
    """It is named by the folder that its files lie in the `infra` of."""
    seen = survey(services=(PAGES, WEB, DATABASE), folders={}, env_files=IN_ENV)
    backend = described(tmp_path, seen)
    assert "shop" == backend.name
    assert backend.service == Compose(
        PROJECT,
        "web",
        files=["prod.yml"],
        env_files=["prod.env"],
        database_service="store",
        volumes=["data"],
    )
    assert ["/opt/shop/.env", f"{PROJECT}/prod.env"] == [file.path for file in backend.env_files]
    assert backend.migrations == Alembic("/app", command="alembic upgrade head")
    assert backend.database is not None
    assert FromParts(default_host="store") == backend.database.url
    assert backend.accounts is not None
    assert "people" == backend.accounts.table
    assert backend.token is not None
    assert (FromEnv("JWT_SECRET"), "HS512") == (backend.token.secret, backend.token.algorithm)


FILES = """\
services:
  web:
    env_file: .env   # the shop's
  mails:
    env_file: ["a.env", '../b.env']
  worker:
    env_file:
      - c.env
      - path: "./d.env"
        required: false
    environment:
      - not.env
"""


def test_the_env_files_are_those_that_the_project_s_files_name() -> None:
    told = subprocess.run(
        ["awk", ENV_FILES], input=FILES, capture_output=True, text=True, check=True
    )
    assert [".env", "a.env", "../b.env", "c.env", "./d.env"] == told.stdout.split()
