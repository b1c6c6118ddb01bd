"""The text of a first description: how one logs in, and what signs the tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relogin.sketch import Sketch

MARK = "  # ? "  # of a line whose guess may be wrong; the why comes behind it


def call(name: str, lines: Iterable[str]) -> Iterator[str]:
    """Give the lines of a call with these arguments, a line each."""
    yield f"{name}("
    yield from (f"    {line}" for line in lines)
    yield "),"


def login(made: Sketch) -> Iterator[str]:
    """Give the lines of the login."""
    base = f"http://127.0.0.1:{made.port or 8000}"
    asked = made.asked
    if asked is None:
        django = made.folder is not None and "manage.py" in made.folder.has
        yield from call("login=Login", _by_form(base) if django else _unknown(base))
        return
    mark = "" if asked.sure else f"{MARK}where one logs in"
    lines = [f'"{base}{asked.login}",{mark}', "account=_account,"]
    lines += ['body="json",'] if asked.body == "json" else []
    usual = asked.body == "form" and {name for name, _ in asked.fields} <= {"username", "password"}
    if asked.fields and not usual:
        lines.append(f"fields={dict(asked.fields)!r},")
    if made.code and asked.headers:
        lines.append(f'headers={{"{asked.headers[0]}": FromEnv("{made.code}")}},')
    if asked.token != "access_token":  # noqa: S105 # a path in an answer
        mark = f"{MARK}where its answer has the token"
        lines += [f"token={asked.token!r},"] if asked.token else []
        where = f"Cookie({asked.cookie!r})" if asked.cookie else '"access_token"'
        lines += [] if asked.token or asked.sure else [f"token={where},{mark}"]
    if asked.protected:
        lines.append(f'protected="{base}{asked.protected}",')
        lines += [f"identity={asked.identity!r},"] if asked.identity else []
    else:
        lines.append(f"{MARK}protected=, a GET route that needs the token")
    yield from call("login=Login", lines)


def _by_form(base: str) -> list[str]:
    return [
        f'"{base}/accounts/login/",{MARK}where one logs in',
        "account=_account,",
        "csrf=Csrf(),",
        'fields={"username": "{login}", "password": "{password}"},',
        "token=Cookie('sessionid'),",
        f'protected="{base}/accounts/profile/",{MARK}a page that needs the session',
        f"{MARK}host_header=, one of ALLOWED_HOSTS, where 127.0.0.1 is none",
    ]


def _unknown(base: str) -> list[str]:
    return [
        f'"{base}/token",{MARK}where one logs in: it publishes no openapi.json',
        "account=_account,",
        f"{MARK}token=Cookie(NAME), where it answers with a cookie",
        f'protected="{base}/users/me",{MARK}a GET route that needs the token',
    ]


def token(made: Sketch) -> Iterator[str]:
    """Give the lines of the tokens."""
    paths = {key: told for key, (kind, told) in made.keys().items() if kind == "path"}
    public = next((told for key, told in paths.items() if "PUBLIC" in key.upper()), "")
    private = next((told for key, told in paths.items() if "PRIVATE" in key.upper()), "")
    what = f"{MARK}subject=: which of username, email and id its claim `sub` holds"
    if made.algorithm[:2] in {"RS", "ES", "PS"} and public:
        rest = f", private={private!r}" if private else ""
        key = f"public_key=KeyFile({public!r}{rest})"
    elif made.secret and made.asked is not None:
        key = f'secret=FromEnv("{made.secret}")'
    else:
        return
    algorithm = made.algorithm or "HS256"
    yield from call("token=Jwt", [f"{key},", f"algorithm={algorithm!r},", f"subject=None,{what}"])
