"""Where each of the backends stands, and how each of its layers is broken."""

from dataclasses import dataclass

from tests.lab.cases.case import PSQL, UNDO, Case


@dataclass(frozen=True)
class Place:
    """A backend on the host: its folder, unit and database have the name, but for its `venv`'s.

    `edits` are sed's commands that break its env file, and what that makes; `table` is the users
    table, `inactive` what keeps its owner out, `behind` what an earlier code would have left.
    """

    backend: str
    name: str
    port: int
    venv: str
    distribution: str
    key: str
    edit: tuple[str, str]
    table: str
    inactive: tuple[str, str]
    behind: tuple[str, str] = ("", "")
    token: bool = True

    @property
    def env(self) -> str:
        return f"/srv/{self.name}/.env"

    def sql(self, *statements: str) -> str:
        words = " ".join(f'-c "{one}"' for one in statements)
        return f"{PSQL} -d {self.name} {words}\n"

    @property
    def restart(self) -> str:
        return f"systemctl restart {self.name}-api; {self.waiting}"

    @property
    def waiting(self) -> str:
        return f"""
for _ in $(seq 150); do curl -s -o /dev/null http://127.0.0.1:{self.port}/ && break; sleep 0.2; done
"""


def cases(place: Place) -> dict[str, list[Case]]:
    """Give the faults of each layer that the lab makes on a backend."""
    in_env = (f"file:{place.env}", f"env-text:{place.env}", *UNDO)
    in_database = (f"row:{place.name}.", f"table:{place.name}.", *UNDO)
    role = (f"role:{place.name}", f"role-verifier:{place.name}", *UNDO)
    uninstalled = f"""cd /srv/{place.name}
owner=$(stat -c %U {place.venv})
runuser -u $owner -- {place.venv}/bin/python -m pip uninstall -qy {place.distribution}
{place.restart}sleep 2"""
    fault, edit = place.edit
    found = {
        "venv": [
            Case(
                "venv.requirement-missing",
                uninstalled,
                (f"file:{place.venv}", f"file:/srv/{place.name}/", *UNDO),
                restless=(f"unit:{place.name}-api",),
            )
        ],
        "env_file": [
            Case(fault, f"sed -i '{edit}' {place.env}\n{place.restart}", (*in_env, *role))
        ],
        "jwt": [Case("jwt.secret-missing", f"sed -i /^{place.key}=/d {place.env}\n", in_env)],
        "postgres": [
            Case(
                "postgres.role-cannot-login", f'{PSQL} -c "ALTER ROLE {place.name} NOLOGIN"', role
            ),
            Case(
                "postgres.role-password-differs",
                f"{PSQL} -c \"ALTER ROLE {place.name} PASSWORD 'of-yesterday'\"\n{place.restart}",
                role,
            ),
        ],
        "accounts": [
            Case(place.inactive[0], place.sql(place.inactive[1]), in_database),
            Case(
                "accounts.missing",
                place.sql(_without_owner(place)),
                (f"value:{place.name}.", *in_database),
            ),
            Case(
                "accounts.hash-unusable",
                place.sql(f"UPDATE {place.table} SET {_HASH[place.backend]} = 'plaintext'"),
                in_database,
            ),
        ],
        "service": [
            Case("service.stopped", f"systemctl stop {place.name}-api", UNDO),
            Case(
                "service.masked",
                f"""systemctl stop {place.name}-api
mv /etc/systemd/system/{place.name}-api.service /etc/systemd/system/{place.name}-api.bak
systemctl mask -q {place.name}-api; systemctl daemon-reload""",
                UNDO,
            ),
        ][:1],
    }
    if place.behind[0]:
        found["migrations"] = [
            Case(
                "migrations.behind",
                place.sql(*place.behind),
                (f"value:{place.name}.", f"sequence:{place.name}.", *in_database),
            )
        ]
    return found if place.token else {name: found[name] for name in found if name != "jwt"}


def _without_owner(place: Place) -> str:
    return f"DELETE FROM {place.table} WHERE {_LOGIN[place.backend]} LIKE 'owner%'"


def everything(place: Place) -> str:
    """Break every layer at once."""
    broken = cases(place)
    order = ("accounts", "migrations", "env_file", "postgres", "venv", "service")
    last = [broken[layer][-1].inject for layer in order if layer in broken]
    return "\n".join(f"(\n{one}\n)" for one in last)


_LOGIN = {
    **dict.fromkeys(("fastapi_argon", "fastapi_parts"), "email_address"),
    **dict.fromkeys(("django_session", "django_simplejwt"), "username"),
    "flask_werkzeug": "name",
}
_HASH = {
    **dict.fromkeys(("fastapi_argon", "fastapi_parts"), "pw_hash"),
    **dict.fromkeys(("django_session", "django_simplejwt", "flask_werkzeug"), "password"),
}
_NO_JOINED_AT = (
    "ALTER TABLE crm.members DROP joined_at",
    "UPDATE alembic_version SET version_num = '3f1c'",
)
_NOT_PAID = (
    "ALTER TABLE orders_order DROP paid",
    "DELETE FROM django_migrations WHERE name = '0002_order_paid'",
)
_NOT_ENABLED = ("accounts.inactive", "UPDATE crm.members SET enabled = false")
_NOT_ACTIVE = ("accounts.inactive", "UPDATE auth_user SET is_active = false")
_HOSTS = (
    "env_file.key-not-declared-value",
    "s/^ALLOWED_HOSTS=.*/ALLOWED_HOSTS=shop.example.com/",
)
PLACES = (
    Place(
        "fastapi_argon",
        "argon",
        8101,
        "/srv/argon/env",
        "argon2-cffi",
        "JWT_SECRET",
        ("env_file.key-missing", "/^DATABASE_URL=/d"),
        "crm.members",
        _NOT_ENABLED,
        _NO_JOINED_AT,
    ),
    Place(
        "fastapi_parts",
        "parts",
        8102,
        "/srv/argon/env",
        "argon2-cffi",
        "JWT_SECRET",
        ("env_file.key-not-declared-value", "s/^POSTGRES_DB=.*/POSTGRES_DB=part/"),
        "crm.members",
        _NOT_ENABLED,
        _NO_JOINED_AT,
    ),
    Place(
        "django_session",
        "shop",
        8105,
        "/srv/shop/env",
        "djangorestframework",
        "SECRET_KEY",
        _HOSTS,
        "auth_user",
        _NOT_ACTIVE,
        _NOT_PAID,
        token=False,
    ),
    Place(
        "django_simplejwt",
        "shop",
        8105,
        "/srv/shop/env",
        "djangorestframework-simplejwt",
        "SECRET_KEY",
        _HOSTS,
        "auth_user",
        _NOT_ACTIVE,
        _NOT_PAID,
    ),
    Place(
        "flask_werkzeug",
        "desk",
        8106,
        "/srv/desk/env",
        "Flask-SQLAlchemy",
        "SECRET_KEY",
        ("env_file.key-missing", "/^SECRET_KEY=/d"),
        '\\"user\\"',
        ("accounts.locked", 'UPDATE \\"user\\" SET blocked = true'),
        token=False,
    ),
)
