"""Faults of the code of any backend: its application answers otherwise, or is described so."""

from tests.lab.cases.case import Case
from tests.lab.cases.login_made import declared, self_signed
from tests.lab.cases.words import NOTHING, PSQL, RESTART, code

JSON, HTML, TEXT = "application/json", "text/html", "text/plain"
NO_EMAIL = (
    '{"detail": [{"type": "value_error", "loc": ["body", "email"],'
    ' "msg": "value is not a valid email address", "input": "owner"}]}'
)


def changed(
    path: str, status: int = 0, body: str = "", *, media: str = JSON, delay: int = 0,
    replaced: tuple[str, str] = ("", ""),
) -> str:  # fmt: skip
    """Have the application answer a path so, or its own answer otherwise."""
    before, after = (text.encode() for text in replaced)
    rule = f"{delay}, {status}, {media.encode()!r}, {body.encode()!r}, {before!r}, {after!r}"
    return f"""cd <root>
cat >>'<app-code>' <<'PYTHON'
RULES = {{"{path}": ({rule})}}
<changed-app>
PYTHON
{RESTART}"""


def at_login(status: int, body: str, *, media: str = JSON) -> str:
    return changed("<login-path>", status, body, media=media)


# The first worker takes the tokens and sessions of all, the other does not.
SOME_WORKERS = """cd <root>
cat >>'<app-code>' <<'PYTHON'
import os
try:
    os.mkdir(f"/tmp/first-{os.getppid()}")
except OSError:<spoiled>
PYTHON
<restart>"""


def nginx(script: str) -> str:
    """Change the proxy, as a person would, and have it read that."""
    return (
        f"cd /etc/nginx/sites-available\n{script}\nnginx -qt && systemctl reload nginx; sleep 0.5"
    )


AT_PROXY = (
    Case(
        "login.certificate-refused",
        nginx(f"cd ..; {self_signed('DNS:desk.example.org').replace('own.', '<site>.')}"),
    ),
    Case("login.proxy-up-backend-down", nginx("sed -i s/<upstream>/127.0.0.1:8999/ <site>")),
    Case(
        "login.redirected",
        nginx(
            "sed -i 's#location / {#location = <login-path> { return 301 /sign-in; }\\n&#' <site>"
        ),
    ),
    Case(
        "login.redirected-to-https",
        NOTHING,
        profile=declared(url="'<login-by-http>'", ca="None"),
    ),
)
BY_PAGES = (
    Case(
        "login.wrong-method",
        at_login(405, "Method Not Allowed", media=TEXT) + "<pages>",
        name="login.wrong-method, of a page",
    ),
    Case(
        "login.wrong-content-type",
        NOTHING + "<pages>",
        profile=declared(body="'json'"),
        name="login.wrong-content-type, of a page",
    ),
    Case(
        "login.wrong-field-name",
        NOTHING + "<pages>",
        profile=declared(fields="{'mail': '{login}', 'password': '{password}'}"),
        name="login.wrong-field-name, of a page",
    ),
    Case(
        "login.token-not-found",
        NOTHING + "<pages>",
        profile=declared(token="_Cookie('nothing')"),
        name="login.token-not-found, another cookie",
    ),
    Case(
        "login.unexpected-answer",
        at_login(204, "") + "<pages>",
        name="login.unexpected-answer, no page",
    ),
)
DESCRIBED = (
    Case("login.not-reached", NOTHING, profile=declared(url="'<login-elsewhere>'")),
    Case("login.redirected", NOTHING, profile=declared(url="'<login-redirected>'")),
    Case("login.wrong-path", NOTHING, profile=declared(url="'<login-wrong-path>'")),
    Case("login.wrong-method", NOTHING, profile=declared(url="'<login-wrong-method>'")),
    Case("login.wrong-content-type", NOTHING, profile=declared(body="'<login-other-body>'")),
    Case(
        "login.wrong-field-name",
        NOTHING,
        profile=declared(fields="{'<login-wrong-field>': '{login}', 'password': '{password}'}"),
    ),
    Case("login.token-not-found", NOTHING, profile=declared(token="'<login-other-token>'")),
    Case("login.cors-refused", NOTHING, profile=declared(origin="'<other-origin>'")),
    Case(
        "login.probe-failed",
        NOTHING,
        profile="probes=[_replace(_example.probes[0], url='<wrong-probe>')]",
    ),
)
ANSWERED = (
    Case("login.rate-limited", at_login(429, "Too many requests", media=TEXT)),
    Case("login.host-refused", at_login(400, "Invalid host header", media=TEXT)),
    Case("login.csrf-refused", at_login(403, "CSRF verification failed.", media=HTML)),
    Case("login.not-an-email", at_login(422, NO_EMAIL) + "<by-email>"),
    Case("login.challenge", at_login(200, '{"status": "otp_required", "session": "1"}')),
    Case("login.server-error", at_login(500, "Internal Server Error", media=TEXT)),
    Case("login.refused", at_login(401, '{"detail": "not today"}')),
    Case("login.unexpected-answer", at_login(200, "<html>welcome</html>", media=HTML) + "<bearer>"),
    Case("login.slow", changed("<login-path>", delay=4), profile=declared(deadline="1.5")),
    Case("login.token-not-a-jwt", at_login(200, "<opaque>")),
    Case("login.refresh-refused", changed("<refresh-path>", 401, '{"detail": "not today"}')),
    Case("login.works-by-some-workers", SOME_WORKERS),
    Case("login.protected-refused", changed("<protected-path>", 401, '{"detail": "not today"}')),
    Case("login.identity-wrong", changed("<protected-path>", replaced=("owner", "adaxx"))),
    Case("login.open-without-token", changed("<protected-path>", 200, "<identified>")),
)
CODED = (
    Case("login.algorithm-wrong", code("<signs>", "<signs-otherwise>", file="<security>")),
    Case("login.signature-wrong", code("<signs>", "<signs-with-other>", file="<security>")),
    Case("login.subject-wrong", code("<subject>", "<other-subject>", file="<security>")),
    Case("login.expiry-wrong", code("<lifetime>", "<no-lifetime>", file="<security>")),
    Case(
        "login.forged-token-accepted",
        code("<checks-token>", "<checks-no-token>", file="<security>"),
    ),
    Case(
        "login.wrong-password-accepted",
        code("<checks-password>", "<checks-none>", file="<security>"),
    ),
)
FORBIDS = code('extra="ignore"', 'extra="forbid"', file="<settings>")
IN_DEV = """<stop>
{psql} -c 'CREATE DATABASE <database>_dev TEMPLATE <database> OWNER <role>'
{psql} -d <database>_dev -c "DELETE FROM <users> WHERE <who>"
""".replace("{psql}", PSQL)
OF_CODE: tuple[Case, ...] = (
    *DESCRIBED,
    *ANSWERED,
    *CODED,
    *BY_PAGES,
    *AT_PROXY,
    Case(
        "login.other-database",
        IN_DEV + code("<reads-database>", '<reads-database> + "_dev"', file="<reads-database-in>"),
    ),
    Case(
        "env_file.extra-key-forbidden",
        f"cd <root>; echo REPORTS_TO=ada@example.com >>.env\n{FORBIDS}",
        restless=("unit:<service>",),
    ),
)
