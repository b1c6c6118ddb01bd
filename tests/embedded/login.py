"""A login by another tool than the one that is tried: curl, else urllib."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping

NOTHING = 0  # what stands for the status where nothing answered


def login(base: str, code: str, user: str, password: str) -> tuple[int, int]:
    """Give the statuses of POST /token and, with its token, of GET /users/me; 0 for no answer."""
    form = {"grant_type": "password", "username": user, "password": password}
    status, body = request(f"{base}/token", {"X-Halext-Code": code}, form)
    token = json.loads(body)["access_token"] if status == 200 else "none"
    protected, _ = request(f"{base}/users/me", {"Authorization": f"Bearer {token}"})
    return status, protected


def request(
    url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Give the status and body of one request: a POST with a form, a GET without."""
    encoded = urllib.parse.urlencode(form) if form else None
    ask = _curl if shutil.which("curl") else _urllib
    return ask(url, headers, encoded)


def _curl(url: str, headers: Mapping[str, str], form: str | None) -> tuple[int, str]:
    """Ask curl, whose options come on stdin: they hold the password."""
    options = [f'url = "{url}"', *(f'header = "{name}: {v}"' for name, v in headers.items())]
    options += [f'data = "{form}"'] if form else []
    command = ["curl", "-q", "-s", "-m", "10", "--noproxy", "*", "-w", "\n%{http_code}", "-K", "-"]
    done = subprocess.run(
        command, input="\n".join(options), capture_output=True, text=True, check=False
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def _urllib(url: str, headers: Mapping[str, str], form: str | None) -> tuple[int, str]:
    data = form.encode() if form else None
    asked = urllib.request.Request(url, data, dict(headers))  # noqa: S310 # the world's own address
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(asked, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError:
        return NOTHING, ""
