"""Record how FastAPI and Django answer logins: `python -m tests.apps.answers.record PYTHON`.

PYTHON is one that has fastapi, python-multipart, pydantic[email], uvicorn, django,
djangorestframework and djangorestframework-simplejwt. The answers go where the tests of the login's
faults read them, byte for byte but for what changes with every run.
"""

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from tests.lab import canaries

HERE = Path(__file__).parent
RECORDED = HERE.parents[1] / "operations" / "recorded" / "answers"
FIELDS = {"username": "ops", "password": canaries.OPS_PASSWORD, "grant_type": "password"}
BY_EMAIL = {"email": "ops@localhost", "password": canaries.OPS_PASSWORD}
PREFLIGHT = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
AS = "Access-Control-Request-Headers"
FAST, REDIRECTING, DJANGO, PLAIN = 8171, 8172, 8173, 8174

Asked = tuple[int, str, str, dict[str, str], str]


def form(port: int, path: str, fields: dict[str, str] = FIELDS, **headers: str) -> Asked:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return port, "POST", path, kind | headers, urlencode(fields)


def as_json(port: int, path: str, fields: dict[str, str] = FIELDS) -> Asked:
    return port, "POST", path, {"Content-Type": "application/json"}, json.dumps(fields)


def get(path: str, **headers: str) -> Asked:
    return FAST, "GET", path, headers, ""


def preflight(path: str = "/token", **headers: str) -> Asked:
    return FAST, "OPTIONS", path, PREFLIGHT | headers, ""


ASKED: dict[str, Asked] = {
    "fastapi-form-gets-json": as_json(FAST, "/token"),
    "fastapi-json-gets-form": form(FAST, "/json"),
    "fastapi-field-missing": form(FAST, "/token", BY_EMAIL),
    "fastapi-not-an-email": as_json(FAST, "/email", BY_EMAIL),
    "fastapi-header-missing": form(FAST, "/header"),
    "fastapi-code-missing": form(FAST, "/code"),
    "fastapi-invite-missing": form(FAST, "/invited"),
    "fastapi-no-route": form(FAST, "/tokens"),
    "fastapi-get-only": form(FAST, "/users/me"),
    "fastapi-slash": form(FAST, "/slash"),
    "fastapi-to-https": form(REDIRECTING, "/token"),
    "fastapi-error": form(FAST, "/error"),
    "fastapi-host": form(FAST, "/token", Host="org.halext.org"),
    "fastapi-wrong-password": form(FAST, "/token"),
    "fastapi-forgot": form(FAST, "/forgot"),
    "fastapi-mfa": form(FAST, "/mfa"),
    "fastapi-otp": form(FAST, "/otp"),
    "fastapi-expired": form(FAST, "/expired"),
    "fastapi-428": form(FAST, "/428"),
    "fastapi-nested-token": as_json(FAST, "/json"),
    "fastapi-empty": form(FAST, "/empty"),
    "fastapi-openapi": get("/openapi.json"),
    "fastapi-me-without-token": get("/users/me"),
    "fastapi-me-bad-token": get("/users/me", Authorization="Bearer x"),
    "fastapi-bearer-without-token": get("/bearer/me"),
    "fastapi-preflight": preflight(**{AS: "x-code"}),
    "fastapi-preflight-origin": preflight(Origin="https://other.example.com"),
    "fastapi-preflight-header": preflight(**{AS: "x-other"}),
    "fastapi-preflight-none": (PLAIN, "OPTIONS", "/token", PREFLIGHT, ""),
    "django-host": form(DJANGO, "/token/", Host="org.halext.org"),
    "django-csrf": form(DJANGO, "/login/"),
    "django-slash": form(DJANGO, "/token"),
    "django-field-missing": as_json(DJANGO, "/token/", BY_EMAIL),
    "django-throttled": form(DJANGO, "/throttled/"),
    "django-no-route": form(DJANGO, "/tokens/"),
    "django-text": (DJANGO, "POST", "/token/", {"Content-Type": "text/plain"}, "x"),
}


@contextmanager
def running(python: str) -> Iterator[None]:
    """Run the sample backends until the block ends."""
    uvicorn = [python, "-m", "uvicorn", "--log-level", "critical", "--port"]
    commands = (
        [*uvicorn, str(FAST), "fast:app"],
        [*uvicorn, str(REDIRECTING), "fast:to_https"],
        [*uvicorn, str(PLAIN), "fast:plain"],
        [python, "dj.py", str(DJANGO)],
    )
    processes = [subprocess.Popen(one, cwd=HERE, stderr=subprocess.DEVNULL) for one in commands]
    try:
        for port in (FAST, REDIRECTING, DJANGO, PLAIN):
            wait(port)
        yield
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def wait(port: int) -> None:
    for _ in range(100):
        try:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nobody listens on {port}")


def answer(asked: Asked) -> str:
    """Ask, and give the answer: status line, headers, an empty line, the body."""
    port, method, path, headers, body = asked
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    text = response.read().decode()
    pairs = [f"{name}: {value}" for name, value in response.getheaders()]
    kept = [pair for pair in pairs if not re.match("(?i)date:|content-length:|server:", pair)]
    return "\n".join([f"{response.status} {response.reason}", *kept, "", text])


def main(python: str) -> None:
    RECORDED.mkdir(parents=True, exist_ok=True)
    with running(python):
        answer(ASKED["django-throttled"])  # the first one is let through
        for name, asked in ASKED.items():
            (RECORDED / f"{name}.http").write_text(answer(asked))


if __name__ == "__main__":
    main(sys.argv[1])
