"""Where each of the backends stands on the host, how it is kept, and how it is put back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.lab.backends import canaries
from tests.lab.cases.case import PSQL

NAMES = ("argon", "parts", "crew", "rs256", "es256", "shop", "desk", "hub")
# Once for each host, while it is healthy: what puts one backend back without the others, and the
# administrators of a database that is elsewhere.
KEEP = rf"""
{PSQL} -At <<'SQL' | {PSQL}
SELECT 'CREATE ROLE dba SUPERUSER LOGIN PASSWORD ''{canaries.ADMIN_PASSWORD}''; '
  'CREATE ROLE manager CREATEROLE LOGIN PASSWORD ''{canaries.MANAGER_PASSWORD}'' IN ROLE parts'
  WHERE to_regrole('dba') IS NULL;
SQL
if [ ! -e /root/kept ]; then
mkdir -p /root/kept
for name in {" ".join(NAMES)}; do
  runuser -u postgres -- pg_dump -Fc "$name" >"/root/kept/$name.dump"
  {PSQL} -At -c "SELECT format('ALTER ROLE %1\$I LOGIN CONNECTION LIMIT -1 PASSWORD %2\$L;
    ALTER ROLE %1\$I RESET ALL;
    UPDATE pg_authid SET rolvaliduntil = NULL WHERE rolname = %1\$L;', rolname, rolpassword)
    FROM pg_authid WHERE rolname = '$name'" >"/root/kept/$name.sql"
done
fi
"""
# Takes away what made the machine sick: small file systems, and another clock.
_MACHINE = """
on=$(awk '$2 ~ "^/(srv|var/lib/postgresql)(/|$)" { print $2 }' /proc/mounts)
[ -z "$on" ] || systemctl stop 'postgresql@*'
[ -z "$on" ] || umount -l $on
rm -f /usr/local/bin/date /usr/local/lib/faketime.so
"""
# Puts the server's own configuration back, where it was changed.
_CLUSTER = """
cluster=postgresql@$(ls /var/lib/postgresql)-main data=$(echo /var/lib/postgresql/*/main)
changed=$(rsync -ai --delete /root/pristine/etc/postgresql/ /etc/postgresql/)
grep -qv '^#' "$data/postgresql.auto.conf" && changed="$changed settings"
if [ -n "$changed" ] || [ -e "$data/standby.signal" ] || ! systemctl -q is-active "$cluster"; then
  rm -f "$data/standby.signal"
  sed -i '/^[^#]/d' "$data/postgresql.auto.conf"
  systemctl reset-failed "$cluster"; systemctl restart "$cluster"
fi
"""


@dataclass(frozen=True)
class Users:
    """A users table as SQL has it: the columns of the name and the hash, and what keeps people out.

    `out` is the fault, and the assignment that makes it.
    """

    table: str
    login: str
    password: str
    out: tuple[str, str]


@dataclass(frozen=True)
class Place:
    """A profile and what it describes: user, folder, unit and database all have the `name`.

    `distribution` is one that the backend imports; `edit` a fault of the env file, and how sed
    makes it; `behind` what an earlier code would have left in the database; `signs` a fault of what
    signs the tokens, and the script that makes it. `writes` are beginnings of snapshot keys that
    every login changes. `supervised` says that supervisord runs it, not systemd.
    `words` are those of the shared cases that its profile does not tell.
    """

    backend: str
    name: str
    port: int
    venv: str
    distribution: str
    edit: tuple[str, str]
    users: Users
    behind: tuple[str, ...] = ()
    signs: tuple[str, str] | None = None
    writes: tuple[str, ...] = ()
    supervised: bool = False
    words: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def env(self) -> str:
        return f"/srv/{self.name}/.env"

    @property
    def only(self) -> tuple[str, ...]:
        """What a snapshot is narrowed to."""
        folders = (f"/srv/{self.name}", self.venv, "/etc", "/var/lib/relogin")
        return (*dict.fromkeys(folders), self.name)

    @property
    def waiting(self) -> str:
        at = f"http://127.0.0.1:{self.port}/"
        return f"for _ in $(seq 60); do curl -s -o /dev/null {at} && break; sleep 0.2; done\n"

    def control(self, verb: str) -> str:
        """Give the command by which a person starts, stops or restarts it."""
        if self.supervised:
            return f"supervisorctl {verb} {self.name} >/dev/null"
        return f"systemctl {verb} {self.name}-api"

    @property
    def restart(self) -> str:
        return f"{self.control('restart')}; {self.waiting}"

    def sql(self, *statements: str) -> str:
        lines = "\n".join(f"{one};" for one in statements)
        return f"{PSQL} -d {self.name} <<'SQL'\n{lines}\nSQL\n"

    @property
    def heal(self) -> str:
        """Give the script that puts this backend back, and nothing else."""
        name, unit = self.name, f"/etc/systemd/system/{self.name}-api.service"
        ready = f"systemctl daemon-reload; systemctl reset-failed {name}-api 2>/dev/null"
        ready = f"{ready}\nsystemctl enable -q {name}-api"
        if self.supervised:
            unit = f"/etc/supervisor/conf.d/{name}.conf"
            ready = "systemctl start supervisor; supervisorctl update >/dev/null"
        return f"""
{self.control("stop")} 2>/dev/null
pkill -KILL -u {name}; pkill -KILL -u postgres -x psql
journalctl -q --rotate --vacuum-time=1s 2>/dev/null
systemctl stop other-api 2>/dev/null
{_MACHINE}{_CLUSTER}
rm -rf {unit} {unit}.d /usr/lib/systemd/system/{name}-api.service {self.venv}.* /srv/elsewhere
cp -p /root/pristine{unit} {unit}
rsync -a --delete /root/pristine/srv/{name}/ /srv/{name}/
rsync -a --delete /root/pristine{self.venv}/ {self.venv}/
rsync -a --delete /root/pristine/srv/wheels/ /srv/wheels/
[ -z "$(rsync -ai --delete /root/pristine/etc/nginx/ /etc/nginx/)" ] || systemctl restart nginx
rm -rf /var/lib/relogin /etc/halext.env /tmp/pgpass
{ready}
{PSQL} -c 'DROP DATABASE IF EXISTS {name} WITH (FORCE)' \\
  -c 'DROP DATABASE IF EXISTS {name}_old WITH (FORCE)' \\
  -c 'DROP DATABASE IF EXISTS {name}_dev WITH (FORCE)'
{PSQL} -At -c "SELECT 'CREATE ROLE {name}' WHERE to_regrole('{name}') IS NULL" | {PSQL}
{PSQL} -f - </root/kept/{name}.sql
{PSQL} -c 'CREATE DATABASE {name} OWNER {name}'
runuser -u postgres -- pg_restore -d {name} </root/kept/{name}.dump
{self.control("start")}
{self.waiting}"""


_MEMBERS = Users(
    "crm.members", "email_address", "pw_hash", ("accounts.inactive", "enabled = false")
)
_ACTIVE = ("accounts.inactive", "is_active = false")
_AUTH_USER = Users("auth_user", "username", "password", _ACTIVE)
_KEYED = Users("users", "username", "password_hash", _ACTIVE)
_DESK = Users('"user"', "name", "password", ("accounts.locked", "blocked = true"))
_NO_JOINED_AT = (
    "ALTER TABLE crm.members DROP joined_at",
    "UPDATE alembic_version SET version_num = '3f1c'",
)
_NOT_PAID = (
    "ALTER TABLE orders_order DROP paid",
    "DELETE FROM django_migrations WHERE name = '0002_order_paid'",
)
_OTHER_HOSTS = (
    "env_file.key-not-declared-value",
    "s/^ALLOWED_HOSTS=.*/ALLOWED_HOSTS=shop.example.com/",
)
# django.contrib.auth notes the last login, and a session is a row.
_OF_A_LOGIN = (
    *("row:shop.public.django_session:", "row:shop.public.auth_user:"),
    "value:shop.public.django_session",
)
# A session is a row, and so is each of its refresh tokens.
_OF_A_SESSION = (
    *("row:hub.public.sessions", "row:hub.public.refresh_tokens", "row:hub.public.login_attempts"),
    *("value:hub.public.refresh_tokens", "value:hub.public.login_attempts"),
)
_NO_SECOND_FACTOR = (
    "ALTER TABLE users DROP mfa_required",
    "UPDATE alembic_version SET version_num = '74a0'",
)
_NO_URL = ("env_file.key-missing", "/^DATABASE_URL=/d")


def _lost(name: str, key: str) -> tuple[str, str]:
    return "jwt.secret-missing", f"sed -i /^{key}=/d /srv/{name}/.env"


def _no_public_key(name: str) -> tuple[str, str]:
    lost = f"rm /srv/{name}/keys/public.pem; systemctl restart {name}-api; sleep 2"
    return "jwt.public-key-missing", lost


PLACES = (
    Place(
        "fastapi_argon", "argon", 8101, "/srv/argon/env", "argon2-cffi", _NO_URL, _MEMBERS,
        _NO_JOINED_AT, _lost("argon", "JWT_SECRET"),
    ),
    Place(
        "fastapi_parts", "parts", 8102, "/srv/argon/env", "asyncpg",
        ("env_file.key-not-declared-value", "s/^POSTGRES_DB=.*/POSTGRES_DB=part/"), _MEMBERS,
        _NO_JOINED_AT, _lost("parts", "JWT_SECRET"),
    ),
    Place(
        "fastapi_supervisor", "crew", 8107, "/srv/argon/env", "argon2-cffi", _NO_URL, _MEMBERS,
        _NO_JOINED_AT, _lost("crew", "JWT_SECRET"), supervised=True,
    ),
    Place(
        "fastapi_rs256", "rs256", 8103, "/srv/rs256/env", "argon2-cffi", _NO_URL, _KEYED,
        signs=_no_public_key("rs256"),
    ),
    Place(
        "fastapi_es256", "es256", 8104, "/srv/rs256/env", "argon2-cffi", _NO_URL, _KEYED,
        signs=_no_public_key("es256"),
    ),
    Place(
        "django_session", "shop", 8105, "/srv/shop/env", "djangorestframework", _OTHER_HOSTS,
        _AUTH_USER, _NOT_PAID,
        writes=_OF_A_LOGIN,
    ),
    Place(
        "django_simplejwt", "shop", 8105, "/srv/shop/env", "djangorestframework-simplejwt",
        _OTHER_HOSTS, _AUTH_USER, _NOT_PAID, _lost("shop", "SECRET_KEY"),
    ),
    Place(
        "flask_werkzeug", "desk", 8106, "/srv/desk/env", "Flask-SQLAlchemy",
        ("env_file.key-missing", "/^SECRET_KEY=/d"), _DESK,
    ),
    Place(
        "task_074", "hub", 8108, "/srv/argon/env", "asyncpg", _NO_URL,
        Users("users", "username", "hashed_password", _ACTIVE), _NO_SECOND_FACTOR,
        _lost("hub", "JWT_SECRET_KEY"),
        writes=_OF_A_SESSION,
    ),
)  # fmt: skip
# The database of `parts`, as one that is elsewhere.
ELSEWHERE = Place(
    "fastapi_elsewhere", "parts", 8102, "/srv/argon/env", "asyncpg",
    ("env_file.key-not-declared-value", "s/^POSTGRES_USER=.*/POSTGRES_USER=part/"), _MEMBERS,
    _NO_JOINED_AT, ("jwt.secret-missing", "sed -i /^JWT_SECRET=/d /srv/parts/.env"),
)  # fmt: skip
EVERY = (*PLACES, ELSEWHERE)
