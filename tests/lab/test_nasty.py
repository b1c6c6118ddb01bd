"""A backend whose names, paths and values are all nasty: broken, and healed by one run."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from .host import Host
from .inventory import by
from .product import Ran, pyinfra

pytestmark = pytest.mark.lab

ROOT = '/srv/it\'s a "nasty" $HOME %h `id` #[x]*? \\n ;& e\u0301 אב'
UNIT = "nasty:a\\x2db_"
USER = "o'nasty user"
ROLE = "it's a \"role\" $x %s \\'; -- :y \u202eאב"
DATABASE = "-Na.sty_DB"  # SQLAlchemy 2.0 does not decode it in a URL
TABLE, LOGIN_COLUMN, PASSWORD_COLUMN = "us'er\"s. :t %(x)", "Log'in", 'pass "word" \\x :y'
LOGIN = '-ops\' "$x" % \\ {x} 测试 e\u0301'
EMAIL = 'o\'ps+"x"%s@example.com'
SECRETS = {
    "NASTY_PASSWORD": "-p'w\"$HOME`id`%s\\#\n :x\u00df\u202eא  "[:60],
    "NASTY_CODE": "-c'o\"d$e`%s\\#x =ß{}\u202eא",
    "NASTY_DATABASE": "p@ss:/w'\"\\$x`%41#? ü\nz",
}
JWT_SECRET = "-j'w\"t$x`%s\\#\n \u00df" + "x y" * 3414

PROFILE = """\
from relogin import *

_root = {root!r}
nasty = Backend(
    "nasty",
    service=Systemd({unit!r}, working_directory=_root, environment_files=[_root + "/.env"]),
    venv=Venv(_root + "/env", requirements=_root + "/requirements.txt"),
    env_file=EnvFile(_root + "/.env", keys={{
        "MODE": "it's -$x #`\\\\ =%",
        "DATABASE_URL": DatabaseUrl(
            user={role!r}, database={database!r}, password=Secret.env("NASTY_DATABASE")
        ),
        "ACCESS_CODE": Secret.env("NASTY_CODE"),
        "SECRET_KEY": Secret.kept(),
    }}),
    database=Postgres(url=FromEnv("DATABASE_URL")),
    accounts=Accounts(
        table={table!r},
        columns=Columns(login={login_column!r}, password={password_column!r}),
        values={{"full_name": {login!r}}},
        scheme="bcrypt",
        present=[Account({login!r}, {email!r}, Secret.env("NASTY_PASSWORD"), admin=True)],
    ),
    login=Login(
        "http://127.0.0.1:8055/token", account={login!r},
        headers={{"X-Halext-Code": FromEnv("ACCESS_CODE")}},
        protected="http://127.0.0.1:8055/users/me", identity="username",
    ),
    token=Jwt(secret=FromEnv("SECRET_KEY")),
)
"""
MODELS = """
import json
text = open("models.py").read()
text = text.replace('"users"', json.dumps(TABLE))
for old, new in (("username", LOGIN), ("hashed_password", PASSWORD)):
    column = old + ": Mapped[str] = mapped_column("
    text = text.replace(column, column + json.dumps(new) + ", ")
open("models.py", "w").write(text)
text = open("main.py").read()
text = text.replace("if x_halext_code !=", 'if x_halext_code.encode("latin-1").decode() !=')
open("main.py", "w").write(text)
"""
MADE = """
set -e
echo {user}:x:4242:4242::/nonexistent:/bin/false >>/etc/passwd
echo {user}:x:4242: >>/etc/group
cp -a /srv/halext.org/halext-org/backend {root}
cd {root}
rm -r env .env
python3 -m venv env
env/bin/python -m pip install -q -r requirements.txt
python3 -I - <<'PYTHON'
TABLE, LOGIN, PASSWORD = {names}
{models}
open(".env", "w").write({dot_env!r})
PYTHON
chmod 600 .env; chown -R 4242:4242 .
printf '%s\\n' '#!/bin/sh' {start} >/usr/local/bin/nasty; chmod 755 /usr/local/bin/nasty
cat >{unit_file} <<'UNIT'
[Service]
User=4242
WorkingDirectory={root_in_unit}
EnvironmentFile={env_in_unit}
ExecStart=/usr/local/bin/nasty
Restart=on-failure
[Install]
WantedBy=multi-user.target
UNIT
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 <<'SQL'
{sql}
SQL
env/bin/python -c 'from database import engine; from models import Base
Base.metadata.create_all(engine())'
systemctl daemon-reload; systemctl enable -q --now {unit_word}; sleep 3
"""
BROKEN = """
cd {root}
systemctl disable -q --now {unit_word}
env/bin/python -m pip uninstall -qy python-multipart
sed -i -e s/^MODE=.*/MODE=other/ -e s/^ACCESS_CODE=.*/ACCESS_CODE=other/ .env
runuser -u postgres -- psql -qX <<'SQL'
ALTER ROLE {role} NOLOGIN PASSWORD 'other';
SQL
"""
# An independent login: nothing of relogin, and no quoting but Python's own.
LOGGED_IN = """
python3 -I - <<'PYTHON'
import json
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
login, password, code = json.loads({known!r})
form = urlencode(dict(username=login, password=password, grant_type="password")).encode()
url = "http://127.0.0.1:8055"
try:
    asked = Request(url + "/token", form, {{"X-Halext-Code": code.encode().decode("latin-1")}})
    token = json.load(urlopen(asked))["access_token"]
    me = Request(url + "/users/me", headers={{"Authorization": "Bearer " + token}})
    print(json.load(urlopen(me))["username"], end="")
except HTTPError as error:
    print(error.code, error.read(), end="")
PYTHON
"""


def name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def sql() -> str:
    password = SECRETS["NASTY_DATABASE"].replace("'", "''")
    return (
        f"CREATE ROLE {name(ROLE)} LOGIN PASSWORD '{password}';\n"
        f"CREATE DATABASE {name(DATABASE)} OWNER {name(ROLE)};"
    )


def dot_env() -> str:
    """Write the env file by hand: in double quotes, what means something there escaped."""
    url = [quote(text, safe="") for text in (ROLE, SECRETS["NASTY_DATABASE"], DATABASE)]
    values = {
        "MODE": "it's -$x #`\\ =%",
        "DATABASE_URL": "postgresql://{}:{}@127.0.0.1:5432/{}".format(*url),
        "ACCESS_CODE": SECRETS["NASTY_CODE"],
        "SECRET_KEY": JWT_SECRET,
    }
    quoted = {key: value.replace("\\", "\\\\").replace('"', '\\"') for key, value in values.items()}
    return '# it\'s \\ a "note"\n' + "".join(f'{key}="{value}"\n' for key, value in quoted.items())


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    host = lab[0]
    start = f"exec {shlex.quote(ROOT)}/env/bin/python -m uvicorn main:app --port 8055"
    host.root(
        MADE.format(
            user=shlex.quote(USER),
            root=shlex.quote(ROOT),
            names=repr((TABLE, LOGIN_COLUMN, PASSWORD_COLUMN)),
            models=MODELS,
            dot_env=dot_env(),
            start=shlex.quote(start),
            unit_file=shlex.quote(f"/etc/systemd/system/{UNIT}.service"),
            unit_word=shlex.quote(UNIT),
            root_in_unit=ROOT.replace("%", "%%"),
            env_in_unit=f"{ROOT}/.env".replace("\\", "\\\\")
            .replace("%", "%%")
            .replace("*", "\\*")
            .replace("?", "\\?")
            .replace("[", "\\["),
            sql=sql(),
        )
    )
    yield host
    host.root(
        f"systemctl stop {shlex.quote(UNIT)}; rm -rf /usr/local/bin/nasty {shlex.quote(ROOT)}"
    )
    host.heal()


def logged_in(host: Host) -> str:
    known = json.dumps([LOGIN, SECRETS["NASTY_PASSWORD"], SECRETS["NASTY_CODE"]])
    return host.root(LOGGED_IN.format(known=known))


def restored(host: Host, folder: Path) -> Ran:
    (folder / "group_data").mkdir(exist_ok=True)
    (folder / "group_data/nasty.py").write_text(
        PROFILE.format(
            root=ROOT,
            unit=UNIT,
            role=ROLE,
            database=DATABASE,
            table=TABLE,
            login=LOGIN,
            email=EMAIL,
            login_column=LOGIN_COLUMN,
            password_column=PASSWORD_COLUMN,
        )
    )
    (folder / "hosts.py").write_text(f"nasty = [\n{by(host).line()}]\n")
    inventory = str(folder / "hosts.py")
    return pyinfra([], "deploys/restore_access.py", "-y", inventory=inventory, secrets=SECRETS)


def test_a_backend_whose_every_name_and_value_is_nasty_is_healed(
    host: Host, tmp_path: Path
) -> None:
    made = restored(host, tmp_path)
    assert 0 == made.code, made.output
    assert LOGIN == logged_in(host), made.output

    host.root(BROKEN.format(root=shlex.quote(ROOT), unit_word=shlex.quote(UNIT), role=name(ROLE)))
    healed = restored(host, tmp_path)

    assert 0 == healed.code, healed.output
    assert LOGIN == logged_in(host), healed.output
    for secret in (*SECRETS.values(), JWT_SECRET):
        assert secret not in healed.output
    again = restored(host, tmp_path)
    assert (0, []) == (again.code, again.changed()), again.output
