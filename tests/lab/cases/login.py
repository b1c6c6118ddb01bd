"""Faults of the login: how each is made, and what may differ once it is mended."""

from .case import ANY_COMMAND, BACKEND, NOTHING, PSQL, Case, code, drop_in
from .login_made import APP, certified, declared, location, nginx, self_signed
from .login_public import PUBLIC

TOKEN = "    user = find(database, form.username)\n"


def asked_at(path: str) -> str:
    return declared(url=f"'http://127.0.0.1{path}'")


LIMITED = """
printf 'limit_req_zone $server_name zone=l:1m rate=1r/m;\\nlimit_req_status 429;\\n' \
    >/etc/nginx/conf.d/limit.conf
"""
REQUEST = (
    Case(
        "login.not-reached",
        NOTHING,
        profile=declared(url="'http://127.0.0.1:8001/token'"),
        name="login.not-reached, another port than declared",
    ),
    Case(
        "login.certificate-refused",
        certified(self_signed("IP:127.0.0.1"), 443),
        profile=declared(url="'https://127.0.0.1/token'"),
    ),
    Case(
        "login.proxy-up-backend-down",
        nginx("127.0.0.1:8000", "127.0.0.1:8009"),
        name="login.proxy-up-backend-down, another port than the backend's",
    ),
    Case(
        "login.proxy-up-backend-down",
        nginx("proxy_set_header Host", "proxy_read_timeout 1s;\\n        &")
        + "\nkill -STOP $(systemctl show -P MainPID halext-api)",
        name="login.proxy-up-backend-down, a backend that hangs",
    ),
    Case(
        "login.rate-limited",
        LIMITED
        + location("limit_req zone=l; proxy_pass http://127.0.0.1:8000;")
        + "\ncurl -s -o /dev/null -X POST http://127.0.0.1/token",
    ),
    Case("login.redirected-to-https", location("return 301 https://$host$request_uri;")),
    Case("login.redirected", NOTHING, profile=asked_at("/token/")),
    Case(
        "login.host-refused",
        code(
            APP,
            f"{APP}\nfrom starlette.middleware.trustedhost import TrustedHostMiddleware\n"
            'app.add_middleware(TrustedHostMiddleware, allowed_hosts=["org.halext.org"])',
        ),
    ),
    Case("login.csrf-refused", location('return 403 "CSRF verification failed.";')),
    Case("login.wrong-path", NOTHING, profile=asked_at("/login")),
    Case("login.wrong-method", NOTHING, profile=asked_at("/users/me")),
    Case("login.header-missing", NOTHING, profile=declared(headers="{}")),
    Case("login.wrong-content-type", NOTHING, profile=declared(body="'json'")),
    Case(
        "login.wrong-field-name",
        NOTHING,
        profile=declared(fields="{'login': '{login}', 'password': '{password}'}"),
    ),
    Case(
        "login.not-an-email",
        code(
            TOKEN,
            "    from fastapi.exceptions import RequestValidationError\n"
            '    raise RequestValidationError([{"type": "value_error", "loc": ("body", "email"),'
            ' "msg": "value is not a valid email address", "input": form.username}])\n',
        ),
    ),
    Case(
        "login.challenge",
        code(TOKEN, '    return {"status": "otp_required", "session": form.username}\n'),
    ),
    Case("login.token-not-found", NOTHING, profile=declared(token="'token'")),
    Case(
        "login.slow",
        code(TOKEN, f"    __import__('time').sleep(4)\n{TOKEN}"),
        profile=declared(deadline="1.5"),
    ),
    Case("login.server-error", code(TOKEN, '    raise RuntimeError("no licence")\n')),
    Case(
        "login.refused",
        code('"password differs"\n    return None', '"password differs"\n    return "not today"'),
    ),
    Case("login.unexpected-answer", location('return 200 "<html>welcome</html>";')),
)
ENGINE = 'os.getenv("DATABASE_URL", "")'
DATABASE = (
    Case(
        "login.other-database",
        f"""systemctl stop halext-api
        {PSQL} -c 'CREATE DATABASE halext_dev TEMPLATE halext_org OWNER halext_user'
        {PSQL} -d halext_dev -c "DELETE FROM users WHERE username = 'ops'"
        """
        + code(ENGINE, f'{ENGINE}.replace("halext_org", "halext_dev")', file="database.py"),
    ),
    Case(
        "login.other-database",
        code(
            ENGINE, '"sqlite:////srv/halext.org/halext-org/backend/fallback.db"', file="database.py"
        )
        + f"""
        runuser -u halext -- {BACKEND}/env/bin/python -c \
            'import models, database; models.Base.metadata.create_all(database.engine())'""",
        name="login.other-database, an SQLite file",
    ),
)
TWO_WORKERS = drop_in(
    "workers",
    "[Service]\\nExecStart=\\nExecStart=/srv/halext.org/halext-org/backend/env/bin/uvicorn"
    " main:app --host 127.0.0.1 --port 8000 --workers 2",
)
# The one that comes first checks tokens with the right secret, the other with another.
ONE_OF_TWO = """
def checking() -> str:
    try:
        os.mkdir(f"/tmp/first-{os.getppid()}")
    except OSError:
        return "a" * 40
    return SECRET_KEY


CHECKING = checking()
"""
TOKENS = (
    Case(
        "login.token-not-a-jwt",
        code("jwt.encode(claims, SECRET_KEY, algorithm=ALGORITHM)", '"opaque"'),
    ),
    Case("login.algorithm-wrong", code('ALGORITHM = "HS256"', 'ALGORITHM = "HS512"')),
    Case(
        "login.signature-wrong",
        code('SECRET_KEY = os.getenv("SECRET_KEY")', 'SECRET_KEY = "a" * 40'),
    ),
    Case(
        "login.signature-wrong",
        code(
            'SECRET_KEY = os.getenv("SECRET_KEY")', 'SECRET_KEY = __import__("secrets").token_hex()'
        ),
        name="login.signature-wrong, another secret with each start",
    ),
    Case("login.subject-wrong", code('"sub": active(user).username', '"sub": str(user.id)')),
    Case("login.expiry-wrong", code("timedelta(minutes=30)", "timedelta(minutes=-5)")),
    Case(
        "login.works-by-some-workers",
        TWO_WORKERS
        + code("def current_user(", f"{ONE_OF_TWO}\n\ndef current_user(")
        + code("jwt.decode(bearer, SECRET_KEY,", "jwt.decode(bearer, CHECKING,"),
        profile=ANY_COMMAND,
    ),
    Case(
        "login.authorization-stripped",
        nginx("proxy_set_header Host", 'proxy_set_header Authorization "";\\n        &'),
    ),
    Case(
        "login.protected-refused",
        code("jwt.decode(bearer, SECRET_KEY,", 'jwt.decode(bearer, "a" * 40,'),
    ),
    Case("login.identity-wrong", code('{"username": user.username', '{"username": "ada"')),
    Case(
        "login.open-without-token",
        code(
            "def me(user: Annotated[User, Depends(current_user)])",
            "def me(user: Annotated[User, Depends(lambda: User(username='ops', email='', "
            "is_admin=True))])",
        ),
    ),
    Case(
        "login.forged-token-accepted",
        code("algorithms=[ALGORITHM])", 'options={"verify_signature": False})'),
    ),
    Case(
        "login.wrong-password-accepted",
        code("if not bcrypt.checkpw(", "if False and not bcrypt.checkpw("),
    ),
    Case(
        "login.probe-failed",
        NOTHING,
        profile="probes=[_replace(_example.probes[0], url='http://127.0.0.1/api/healthz')]",
    ),
)


MENDED: tuple[Case, ...] = ()
PERSONS: tuple[Case, ...] = (*REQUEST, *DATABASE, *TOKENS, *PUBLIC)
