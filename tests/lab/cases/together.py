"""Two faults at once, of which the one forbids what would mend the other."""

from dataclasses import dataclass

from . import migrations, postgres
from .case import BACKEND, PSQL, RESTART, on_halext
from .machine import on_tmpfs

NICKNAME = on_halext(migrations.NICKNAME)
ICU, IN_HALEXT, INVALID_INDEX, LOCKED, NO_PATH, SHIELDED, STANDBY = map(
    on_halext,
    (
        *(postgres.ICU, postgres.IN_HALEXT, postgres.INVALID_INDEX, postgres.LOCKED),
        *(postgres.NO_PATH, postgres.SHIELDED, postgres.STANDBY),
    ),
)

NO_OPS = f"{IN_HALEXT} -c \"DELETE FROM users WHERE username = 'ops'\"\n"
INACTIVE = f"{IN_HALEXT} -c 'UPDATE users SET is_active = false WHERE id = 1'\n"
# the verifier of another password, as the server stores it
OTHER_VERIFIER = (
    "SCRAM-SHA-256$4096:b2YgdGhlIGxhYidzIG93bg==$"
    "bvpW0DCd8Zs8eHO5GLP7AO2QZW37qfuPvpaSvYehDi0=:AQZ6tgnSWiwW2Js0KKt7XQevZCcj7kZ0iA6CgPPdGZU="
)
OTHER_PASSWORD = f"""{PSQL} <<'SQL'
ALTER ROLE halext_user PASSWORD '{OTHER_VERIFIER}';
SQL
"""
RENAMED = f"""systemctl stop halext-api
{PSQL} -c 'ALTER DATABASE halext_org RENAME TO halext_org_old'
{RESTART}"""
DISK_FULL = on_tmpfs("/srv/halext.org", "size=512m", "") + (
    f"{RESTART}cat /dev/zero >{BACKEND}/uploads 2>/dev/null || true\n"
)


@dataclass(frozen=True)
class Pair:
    """A fault that could be mended beside one while which that would do harm.

    `says` is what the verdict has to say; `asked` is a query whose one value is true while the harm
    is not done, in a database of that name. `works` says that people can log in all the same.
    """

    mendable: str
    beside: str
    inject: str
    asked: str
    database: str = "halext_org"
    says: str = ""
    works: bool = False

    def __str__(self) -> str:
        return f"{self.mendable} beside {self.beside}"

    @property
    def said(self) -> str:
        return self.says or f"not tried while there is {self.beside}"


NONE = "SELECT count(*) = 0 FROM public.users WHERE username = 'ops'"
FEW = "SELECT count(*) = 8 FROM information_schema.columns WHERE table_name = 'users'"
NEVER_TOGETHER: tuple[Pair, ...] = (
    Pair("accounts.missing", "postgres.collation-changed", NO_OPS + ICU, NONE),
    Pair("accounts.missing", "postgres.index-invalid", NO_OPS + INVALID_INDEX, NONE),
    Pair("accounts.missing", "postgres.row-security-hides-rows", NO_OPS + SHIELDED, NONE),
    Pair("accounts.missing", "postgres.search-path-wrong", NO_OPS + NO_PATH, NONE),
    Pair("migrations.behind", "postgres.search-path-wrong", NICKNAME + NO_PATH, FEW),
    Pair("migrations.behind", "postgres.users-table-locked", NICKNAME + LOCKED, FEW),
    Pair("migrations.behind", "machine.disk-full", NICKNAME + DISK_FULL, FEW, works=True),
    Pair(
        "postgres.database-missing",
        "a look-alike",
        RENAMED,
        "SELECT count(*) = 0 FROM pg_database WHERE datname = 'halext_org'",
        "postgres",
        says="decide whether halext_org_old is the one",
    ),
    Pair(
        "accounts.inactive",
        "postgres.in-recovery",
        INACTIVE + STANDBY,
        "SELECT NOT is_active FROM users WHERE id = 1",
    ),
    Pair(
        "postgres.role-password-differs",
        "postgres.in-recovery",
        OTHER_PASSWORD + STANDBY,
        f"SELECT pg_is_in_recovery() AND rolpassword = '{OTHER_VERIFIER}'"
        " FROM pg_authid WHERE rolname = 'halext_user'",
    ),
)
