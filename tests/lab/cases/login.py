"""Faults of the login: how each is made, and what may differ once it is mended."""

from .case import BACKEND, NOTHING, PSQL, Case, code, drop_in

TOKEN = "    user = find(database, form.username)\n"
APP = 'app = FastAPI(title="Halext", debug=DEV_MODE)'


def nginx(before: str, after: str) -> str:
    """Change the proxy's configuration, as a person would, and have it read."""
    return f"""sed -i 's#{before}#{after}#' /etc/nginx/sites-available/halext
    nginx -qt && systemctl reload nginx; sleep 0.5"""


def location(rule: str) -> str:
    """Have the proxy itself answer the login."""
    return nginx("location / {", f"location = /token {{ {rule} }}\\n    location / {{")


def declared(**fields: str) -> str:
    """Describe the login otherwise; the fields are Python expressions."""
    return f"login=_login({', '.join(f'{name}={text}' for name, text in fields.items())})"


def asked_at(path: str) -> str:
    return declared(url=f"'http://127.0.0.1{path}'")


def certified(certificate: str, port: int = 8443) -> str:
    """Serve the same by TLS on a port, with a certificate that openssl makes."""
    listen = f"listen {port} ssl; ssl_certificate own.crt; ssl_certificate_key own.key;"
    return f"""cd /etc/nginx
    {certificate}
    sed 's#listen 80 default_server;#{listen}#' sites-available/halext >sites-enabled/tls
    nginx -qt && systemctl reload nginx; sleep 0.5"""


def self_signed(name: str) -> str:
    return f"""openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=halext -addext subjectAltName={name} -keyout own.key -out own.crt 2>/dev/null"""


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
    Case("login.subject-wrong", code('"sub": active(user).username', '"sub": str(user.id)')),
    Case("login.expiry-wrong", code("timedelta(minutes=30)", "timedelta(minutes=-5)")),
    Case(
        "login.works-by-some-workers",
        TWO_WORKERS
        + code("def current_user(", f"{ONE_OF_TWO}\n\ndef current_user(")
        + code("jwt.decode(bearer, SECRET_KEY,", "jwt.decode(bearer, CHECKING,"),
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


def at_public(address: str) -> str:
    return declared(public_url=f"'{address}/token'")


# Good for one day, which is over or still to come.
OF_ANOTHER_DAY = """
touch index.txt
cat >ca.cnf <<'CNF'
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
CNF
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=halext \
    -addext subjectAltName=IP:$(hostname -I | cut -d " " -f 1) -keyout own.key -out own.csr 2>&1
openssl ca -batch -config ca.cnf -selfsign -in own.csr -keyfile own.key -out own.crt -notext \
    -startdate DAY000000Z -enddate DAY235959Z 2>/dev/null
"""
# A backend of the same code with a secret of its own, as an old server may still have.
OTHER_SERVER = f"""
systemd-run -q --unit=other-api -p User=halext -p WorkingDirectory={BACKEND} -E SECRET_KEY=another \
    {BACKEND}/env/bin/uvicorn main:app --host 0.0.0.0 --port 8011
for i in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:8011/ && break; sleep 0.1; done
"""
# A queue of connections that is full answers nobody, as a firewall that drops does not.
FULL = """
cat >/run/full.py <<'PYTHON'
import socket, time
full = socket.socket()
full.bind(("0.0.0.0", 8010))
full.listen(0)
held = [socket.socket() for _ in range(3)]
for one in held:
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", 8010))
time.sleep(900)
PYTHON
systemd-run -q --unit=other-api python3 /run/full.py; sleep 1
"""
PAGE = declared(origin="'https://app.example.com'")
PUBLIC = (
    Case("login.cors-refused", NOTHING, profile=PAGE),
    Case(
        "login.cors-refused",
        code(
            APP,
            f"{APP}\nfrom starlette.middleware.cors import CORSMiddleware\n"
            'app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com/"],'
            ' allow_methods=["*"], allow_headers=["*"])',
        ),
        profile=PAGE,
        name="login.cors-refused, an origin with a slash",
    ),
    Case("login.public-dns-missing", NOTHING, profile=at_public("http://nowhere.invalid")),
    Case("login.public-dns-elsewhere", OTHER_SERVER, profile=at_public("http://ADDRESS:8011")),
    Case("login.public-not-listening", NOTHING, profile=at_public("http://ADDRESS:8009")),
    Case("login.public-filtered", FULL, profile=at_public("http://ADDRESS:8010")),
    *(
        Case(
            f"login.{fault}",
            certified(OF_ANOTHER_DAY.replace("DAY", day)),
            profile=declared(public_url="'https://ADDRESS:8443/token'", ca="'CERTIFICATE'"),
        )
        for fault, day in (("tls-expired", "20240101"), ("tls-not-yet-valid", "20990101"))
    ),
    Case(
        "login.tls-wrong-name",
        certified(self_signed("DNS:other.example.org")),
        profile=declared(public_url="'https://ADDRESS:8443/token'", ca="'CERTIFICATE'"),
    ),
    Case(
        "login.tls-untrusted",
        certified(self_signed("IP:127.0.0.1")),
        profile=at_public("https://ADDRESS:8443"),
    ),
    Case(
        "login.public-proxy-down",
        """sed 's#listen 80 default_server#listen 8080#; s#127.0.0.1:8000#127.0.0.1:8009#' \
        /etc/nginx/sites-available/halext >/etc/nginx/sites-enabled/outside
        nginx -qt && systemctl reload nginx; sleep 0.5""",
        profile=at_public("http://ADDRESS:8080"),
    ),
    Case(
        "login.public-url",
        NOTHING,
        profile=declared(public_url="'http://ADDRESS/api/token'"),
        name="login.public-url, another path than inside",
    ),
)
MENDED: tuple[Case, ...] = ()
PERSONS: tuple[Case, ...] = (*REQUEST, *DATABASE, *TOKENS, *PUBLIC)
