"""deploys/probe_api.py as a person runs it, on the backend of 38 tables: FastAPI as it answers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.embedded.hub import ORIGIN, Hub
from tests.embedded.programs import owner
from tests.embedded.wheelhouse import REPOSITORY

pytestmark = pytest.mark.embedded
FACTOR = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
INVENTORY = """\
from relogin import *

_fields = {{"username": "{{login}}", "password": "{{password}}"}}
_people = [Account("owner", password=Secret.env("OWNER"))]
_people += [Account(name, password=Secret.env("OTHERS")) for name in ("ada", "grace")]
hosts = [("@local", {{"_sudo": False, "hub": Backend(
    "hub",
    env_file=EnvFile({env!r}, keys={{"DATABASE_URL": DatabaseUrl(
        driver="postgresql+asyncpg", user="hub", database="hub", port={port})}}),
    database=Postgres(url=FromEnv("DATABASE_URL"), admin=Peer(
        os_user={user!r}, socket={socket!r}, port={port}, psql={psql!r})),
    accounts=Accounts(columns=Columns(admin=None), present=_people),
    login=Login(
        "{url}/api/v1/{login}", "owner", body="json", fields=_fields, origin={origin!r},
        protected="{url}/api/v1/users/me",
        refresh=Refresh("{url}/api/v1/auth/refresh", body="json",
                        fields={{"refresh_token": "{{refresh}}"}})),
    {api}
)}})]
"""
DECLARED = """api=Api(
    endpoints=[
        Endpoint("GET", "/health"),
        Endpoint("GET", "/api/v1/users/me", account="owner"),
        Endpoint("GET", "/api/v1/users", account="owner", forbidden=["ada"]),
        Endpoint("POST", "/api/v1/auth/login", fields={{}}, status=422, safe=True, timed=False),
        Endpoint("PATCH", "/api/v1/users/me/profile", account="owner"),
    ],
    journeys=[Journey("chat", "ada", [
        Step("POST", "/api/v1/auth/login", _fields, safe=True, keep={{"token": "access_token"}}),
        Step("GET", "/api/v1/chat/conversations", keep={{"chat": "0.id"}}),
        Step("GET", "/api/v1/chat/conversations/{{chat}}/messages"),
        Step("POST", "/api/v1/auth/logout", safe=True, status=204),
    ]), Journey("second factor", "grace", [
        Step("POST", "/api/v1/auth/login", _fields, safe=True, keep={{"asked": "challenge"}}),
        Step("POST", "/api/v1/auth/mfa", {{"challenge": "{{asked}}", "code": "{{totp}}"}},
             safe=True, keep={{"token": "access_token"}}),
        Step("GET", "/api/v1/users/me"),
    ], totp=Secret.env("FACTOR"))],
    challenges=Challenge("grace", schema={{"required": ["challenge"]}}),
    logout=Logout("/api/v1/auth/logout"),
    limits=RateLimit("POST", "/api/v1/auth/login", 5, fields={{"username": "x", "password": "x"}}),
    error={{"required": ["detail"]}},
    load=Load(requests=20, rate=500, p95=5),
)"""
QUICK = "api=Api(load=Load(requests=5, rate=500, p95=5))"
TITLES = ["Database health", "Authentication", "API", "Integration", "Performance"]


class Probed:
    """A folder with an inventory of the running hub, and deploys run in it."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub, self.folder = hub, folder

    def describe(self, api: str, login: str = "auth/login") -> None:
        server = self.hub.server
        at = {"socket": str(server.socket), "psql": str(server.bin / "psql"), "port": server.port}
        described = {"env": str(self.hub.backend / ".env"), "user": owner().pw_name, **at}
        text = INVENTORY.replace("{api}", api)
        text = text.format(url=self.hub.url, origin=ORIGIN, login=login, **described)
        (self.folder / "inventory.py").write_text(text)

    def run(self, *words: str) -> tuple[int, str]:
        """Give the exit code of a command of the environment, and all that it said."""
        secrets = {"OWNER": self.hub.owner, "OTHERS": self.hub.others, "FACTOR": FACTOR}
        state = {"XDG_STATE_HOME": str(self.folder / "state"), "NO_COLOR": "1"}
        done = subprocess.run(
            [Path(sys.executable).parent / words[0], *words[1:]], cwd=self.folder,
            env={**os.environ, **state, **secrets}, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert "Traceback" not in said
        for hidden in (*secrets.values(), "eyJ"):
            assert hidden not in said
        return done.returncode, said

    def probe(self, *more: str, deploys: tuple[str, ...] = ("probe_api",)) -> tuple[int, str]:
        files = [str(REPOSITORY / f"deploys/{name}.py") for name in deploys]
        return self.run("pyinfra", "-y", "inventory.py", *files, *more)

    def document(self) -> Any:
        """Give the last run as the history has it."""
        code = (
            "import json; from relogin.ledger import whole;"
            " print(json.dumps(whole.document(whole.runs()[0])))"
        )
        return json.loads(self.run("python", "-c", code)[1])


@pytest.fixture
def probed(hub: Hub, tmp_path: Path) -> Probed:
    return Probed(hub, tmp_path)


def test_what_openapi_json_names_is_asked_and_is_as_it_says(probed):
    probed.describe(QUICK)
    code, said = probed.probe()
    assert 0 == code, said
    assert "@local · hub: the API answers as declared" in said
    assert "GET /api/v1/users/me as owner: the body is as its schema says" in said
    assert "GET /api/v1/sms/routes without a token: answered 401" in said
    assert "POST /api/v1/auth/login (it can change something)" in said
    assert "GET /api/v1/chat/conversations/{conversation}/messages (it needs conversation)" in said


@contextmanager
def administrators(hub: Hub) -> Iterator[list[str]]:
    """Give the databases that its administrator enters meanwhile, as the server's own log says."""
    entered: list[str] = []
    before = len(hub.server.log.read_text())
    yield entered
    said = hub.server.log.read_text()[before:]
    of = re.findall(r"connection authorized: user=(\S+) database=(\S+)", said)
    assert {user for user, _ in of} <= {"hub", hub.server.superuser}
    entered += [database for user, database in of if user == hub.server.superuser]


def test_a_check_and_a_probe_in_one_run_write_the_runbooks_five_documents_on_one_page(probed, hub):
    probed.describe(DECLARED)
    with administrators(hub) as sessions:
        code, said = probed.probe("--data", "limits=true", deploys=("check_database", "probe_api"))
    assert 0 == code, said
    assert ["postgres", "hub"] == sessions  # one psql, for both deploys
    assert "hub: the database is sound; the API answers as declared" in said
    assert "limit of POST /api/v1/auth/login: the" in said
    told = probed.document()
    [backend] = told["hosts"][0]["backends"]
    assert ("probe", "healthy", None) == (told["purpose"], backend["outcome"], backend["proof"])
    assert TITLES == [one["title"] for one in backend["reports"]]
    schema = json.loads((REPOSITORY / "src/relogin/report/run.schema.json").read_text())
    jsonschema.validate(told, schema)
    code, said = probed.run("relogin", "report", "@local", "--html", "page.html")
    assert 0 == code, said
    page = (probed.folder / "page.html").read_text()
    places = [page.index(f"<h3>{title}</h3>") for title in TITLES]
    assert sorted(places) == places
    assert "38 tables" in page


def test_a_login_that_answers_405_and_a_route_that_is_gone_fail_the_run_and_prove_nothing(probed):
    probed.describe(DECLARED.replace('"/health"', '"/healthz"'), login="users/me")
    code, said = probed.probe()
    assert 1 == code
    assert "the route of POST /api/v1/users/me as owner does not take this method" in said
    assert "answered 405 (it allows GET)" in said
    assert "there is no route for GET /healthz" in said
    [backend] = probed.document()["hosts"][0]["backends"]
    assert ("findings", None) == (backend["outcome"], backend["proof"])
    assert {True} == {one["by_person"] for one in backend["findings"]}
