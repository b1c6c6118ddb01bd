"""The backend's own commands in containers, and accounts that it makes by a request."""

import dataclasses
import shlex
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

import pytest

from relogin import Accounts, Login, ProfileError, Register
from relogin.fault import Change
from relogin.operations import accounts, accounts_made
from relogin.operations.own_command import as_owner
from relogin.tunnel import Tunnel
from tests.core.certificates import serving
from tests.operations.composed import BACKEND, OWNER, healthy, observed, of_container, of_project
from tests.operations.logins import HOST


def words(state, directory="/app", **environment):
    """Give the words that follow `docker compose` and its options in the script's last line."""
    script = as_owner(BACKEND, observed(state), directory, ["alembic", "heads"], **environment)
    assert "docker compose -f docker-compose.prod.yml" in script
    return shlex.split(script.splitlines()[-1])


def test_a_command_runs_in_the_container_that_is_as_it_would_be_made_today():
    assert words(healthy(), PGOPTIONS="-c x=1") == [
        *("compose", "exec", "-T", "-w", "/app", "-e", "PGOPTIONS=-c x=1"),
        *("app", "alembic", "heads", "</dev/null"),
    ]


@pytest.mark.parametrize(
    "state",
    [
        of_container(state="exited"),
        of_container(state="restarting"),
        of_container(image="sha256:0123"),
        of_project(containers=()),
        dataclasses.replace(healthy(), environ={**healthy().environ, "POSTGRES_PASSWORD": "old"}),
    ],
    ids=["stopped", "crash loop", "older image", "no container", "older values"],
)
def test_else_it_runs_in_one_of_its_own_that_starts_nothing_else(state):
    assert words(state) == [
        *("compose", "run", "--rm", "--no-deps", "-T", "-w", "/app", "--entrypoint", "alembic"),
        *("app", "heads", "</dev/null"),
    ]


def test_a_command_that_names_no_folder_runs_where_the_image_says():
    assert "-w" not in words(healthy(), "/opt/ai-receptionist")


def test_a_command_that_makes_an_account_gets_a_password_that_nobody_keeps():
    [change] = accounts_made.by_the_backend(BACKEND, observed(healthy()), OWNER)

    assert "compose exec -T app python /app/seed_user.py owner@example.com Aa1" in change.script
    assert OWNER.password.reveal() not in change.script


class Registering(BaseHTTPRequestHandler):
    """Answers 201, and 400 to whoever is not the owner; keeps what was asked."""

    asked: ClassVar[list[str]] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append(f"{self.path} {self.headers['Content-Type']} {body}")
        self.send_response(201 if "owner@example.com" in body else 400)
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture
def asked(monkeypatch):
    """Let the tunnel lead to this machine, as that of @local does."""
    monkeypatch.setattr(Tunnel, "to", lambda host, backend: Tunnel(None))
    Registering.asked = []
    return Registering.asked


def registering(url, account=OWNER):
    login = Login(f"{url}/login", account=account.login, deadline=1)
    made = Accounts(
        columns=BACKEND.accounts.columns,
        create=Register(f"{url}/register"),
        present=[account],
    )
    return dataclasses.replace(BACKEND, accounts=made, login=login)


def test_an_account_is_registered_by_one_request_once_the_service_runs(asked):
    with serving(Registering) as url:
        backend = registering(url)
        request, adopt = accounts_made.by_the_backend(backend, observed(healthy()), OWNER)
        answer = request.request(HOST)

    assert ("service",) == request.unless
    assert 0 == answer.status
    [line] = asked
    assert line.startswith(
        '/register application/json {"email":"owner@example.com","password":"Aa1'
    )
    assert OWNER.password.reveal() not in line
    assert isinstance(adopt, Change)


def test_a_refused_registration_is_said_without_what_was_sent(asked):
    other = dataclasses.replace(OWNER, login="someone@example.com")
    with serving(Registering) as url:
        backend = registering(url, other)
        request, *_ = accounts_made.by_the_backend(backend, observed(healthy()), other)
        answer = request.request(HOST)

    assert 1 == answer.status
    assert f"POST {url}/register: answered 400" == answer.text.decode()


def test_a_backend_that_answers_nobody_makes_no_account_and_is_no_mystery(asked):
    backend = registering("http://127.0.0.1:1")
    request, *_ = accounts_made.by_the_backend(backend, observed(healthy()), OWNER)

    assert 1 == request.request(HOST).status


def test_only_what_is_made_by_a_request_is_looked_at_again_once_the_service_runs():
    assert accounts.need_the_service(registering("http://127.0.0.1:1"))
    assert not accounts.need_the_service(BACKEND)


def test_a_request_needs_a_login_that_says_how_to_ask():
    with pytest.raises(ProfileError, match="Register needs a login"):
        dataclasses.replace(registering("http://127.0.0.1:1"), login=None)
