"""Faults of the login at its public URL: how each is made."""

from .case import BACKEND, NOTHING, Case, code
from .login_made import APP, certified, declared, self_signed


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
