"""Secrets are rotated on a real host, while a client logs in every 100 ms; some runs are killed.

All keys and all moments are tried with RELOGIN_TEST_ALL=1; the embedded tests have each key.
"""

import http.client
import json
import os
import signal
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from . import canaries, windows
from .cases.case import BACKEND
from .host import Host
from .product import SECRETS, Ran, pyinfra
from .releases import ask
from .steps import sample, stepping

pytestmark = pytest.mark.lab

NEW_CODE = "canary-7d20-new-code"
KEYS = ("SECRET_KEY", "DATABASE_URL", "ACCESS_CODE")
MOST = 10  # a rotation has no more remote commands
POINTS = [
    (key, how, number)
    for key in KEYS
    for number in range(3, MOST + 1)
    for how in ("begin", "sent", "done")
]


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


def rotate(host: Host, key: str, confirm: str = "", program: Sequence[str] = ()) -> Ran:
    """Run the deploy; the code's source has a new one."""
    words = ["--data", f"confirm={confirm}"] if confirm else []
    given = {**SECRETS, "HALEXT_ACCESS_CODE": NEW_CODE if key == "ACCESS_CODE" else OLD_CODE}
    command = ("deploys/rotate_secret.py", "-y", "--data", f"key={key}", *words)
    return pyinfra([host], *command, secrets=given, program=program, timeout=600)


OLD_CODE = canaries.ACCESS_CODE


def value(host: Host, key: str) -> str:
    return host.root(f"sed -n 's/^{key}=//p' {BACKEND}/.env").strip()


def others(host: Host, key: str) -> str:
    return host.root(f"grep -v '^{key}=' {BACKEND}/.env; stat -c '%a %U' {BACKEND}/.env")


def log_in(host: Host, code: str) -> str:
    """Give a token; nothing where the code, or the login, is refused."""
    fields = {"username": "ops", "password": canaries.OPS_PASSWORD}
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Halext-Code": code}
    said = ask(host.address, "POST", "/token", form, urllib.parse.urlencode(fields))
    return str(json.loads(said)["access_token"]) if said else ""


def opens(host: Host, token: str, code: str) -> bool:
    headers = {"X-Halext-Code": code, "Authorization": f"Bearer {token}"}
    return bool(ask(host.address, "GET", "/users/me", headers))


def anybody(host: Host) -> bool:
    """Tell whether somebody who has the code in force can log in."""
    try:
        for code in (OLD_CODE, NEW_CODE):
            if (token := log_in(host, code)) and opens(host, token, code):
                return True
    except (OSError, http.client.HTTPException, ValueError):
        pass
    return False


@contextmanager
def under_load(host: Host) -> Iterator[None]:
    """Have a client log in every 100 ms; for how long nobody could is printed at the end."""
    stopped, seen = threading.Event(), list[tuple[float, bool]]()

    def attempts() -> None:
        while not stopped.wait(0.1):
            begun = time.monotonic()
            seen.append((begun, anybody(host)))

    client = threading.Thread(target=attempts)
    client.start()
    try:
        yield
    finally:
        stopped.set()
        client.join()
        longest, down = 0.0, None
        for moment, works in seen:
            down = None if works else moment if down is None else down
            longest = max(longest, 0.0 if down is None else moment - down + 0.1)
        windows.note(longest)


def assert_rotated(host: Host, key: str, former: str, rest: str, token: str) -> None:
    assert former != value(host, key)
    assert rest == others(host, key)
    code = NEW_CODE if key == "ACCESS_CODE" else OLD_CODE
    fresh = log_in(host, code)
    assert opens(host, fresh, code)
    assert (key != "SECRET_KEY") == opens(host, token, code)
    if key == "ACCESS_CODE":
        assert "" == log_in(host, OLD_CODE)
    store = f"/var/lib/relogin/halext/rotate/{key}"
    assert "700 root\n" == host.root(f"stat -c '%a %U' {store}; ls -d {store}/under-way; true")


@pytest.mark.parametrize("key", sample(KEYS, 1))
def test_a_secret_is_rotated_while_people_log_in_and_once_only(host: Host, key: str) -> None:
    former, rest, token = value(host, key), others(host, key), log_in(host, OLD_CODE)
    told = rotate(host, key)
    assert 1 == told.code, told.output
    assert f"--data confirm={host.name}/{key}" in told.verdict
    assert former == value(host, key)
    with under_load(host):
        ran = rotate(host, key, f"{host.name}/{key}")
    assert 0 == ran.code, ran.output
    assert f"{key} is rotated, and people can log in" in ran.verdict
    assert_rotated(host, key, former, rest, token)
    after = host.root(f"sha256sum {BACKEND}/.env; systemctl show -P MainPID halext-api")
    again = rotate(host, key, f"{host.name}/{key}")
    assert 0 == again.code, again.output
    assert "nothing was changed" in again.verdict
    assert after == host.root(f"sha256sum {BACKEND}/.env; systemctl show -P MainPID halext-api")


@pytest.mark.parametrize(("key", "moment", "at"), sample(POINTS, 1))
def test_a_rotation_that_is_killed_leaves_people_in_and_is_finished(host, key, moment, at) -> None:
    former, rest, token = value(host, key), others(host, key), log_in(host, OLD_CODE)

    def act(name: str, number: int, what: str, pid: int) -> None:
        if (number, what) == (at, moment):
            os.kill(pid, signal.SIGKILL)

    with under_load(host):
        with stepping(act) as steps:
            killed = rotate(host, key, f"{host.name}/{key}", program=steps.program)
        assert killed.code in {-signal.SIGKILL, 0}, killed.output  # 0: it has fewer commands
        ran = rotate(host, key, f"{host.name}/{key}")
        if "still running there" in ran.verdict:
            ran = rotate(host, key, f"{host.name}/{key}")
    assert 0 == ran.code, ran.output
    assert_rotated(host, key, former, rest, token)
    again = rotate(host, key, f"{host.name}/{key}")
    assert "nothing was changed" in again.verdict, again.output
