"""Faults of the database server: how each is made, and what may differ once it is mended."""

from .case import Case
from .login_made import declared
from .words import PSQL, RESTART, UNDO, env, sql

IN_HALEXT = f"{PSQL} -d <database>"
CLUSTER = "postgresql@$(ls /var/lib/postgresql)-main"
CONFIGURATION = "$(echo /etc/postgresql/*/main)"
RELOAD = f"{PSQL} -c 'SELECT pg_reload_conf()' >/dev/null"
RESTARTED = f"systemctl restart {CLUSTER}\n{RESTART}"
# What the owner may do by default is written out once something was granted (PostgreSQL docs, 5.7).
PRIVILEGES = ("table:<rows>", "sequence:<numbers>")
OWNED_BY_POSTGRES = f"{IN_HALEXT} -c 'ALTER TABLE <users> OWNER TO postgres'"
# As on a host whose database an administrator has made; public is then not the role's.
DATABASE_OF_POSTGRES = f"{PSQL} -c 'ALTER DATABASE <database> OWNER TO postgres'"
STANDBY = f"""runuser -u postgres -- touch "$(echo /var/lib/postgresql/*/main)/standby.signal"
{RESTARTED}"""
ICU = f"""{IN_HALEXT} -c 'ALTER TABLE <users> ALTER <login> TYPE varchar COLLATE "de-x-icu"' \
 -c "UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'de-x-icu'"
{RESTART}"""
INVALID_INDEX = f"""{IN_HALEXT} -c "UPDATE pg_index SET indisvalid = false
 WHERE indexrelid = '<unique>'::regclass"
"""


def shielded(what: str) -> str:
    """Hide every row of the users table from the backend's role."""
    return f"""{OWNED_BY_POSTGRES} -c 'GRANT ALL ON {what} TO <role>' \
 -c 'ALTER TABLE <users> ENABLE ROW LEVEL SECURITY'
"""


SHIELDED = shielded("<users>, <sequence>")


NO_PATH = f"""{PSQL} -c "ALTER SYSTEM SET search_path = 'nothere'"
{RELOAD}
{RESTART}"""


def held(statements: str, *, user: str = "postgres", times: int = 1, seconds: int = 0) -> str:
    """Hold sessions open that have run these statements; they are there for so long at the end."""
    url = "<database>"
    if user != "postgres":
        url = f"host=127.0.0.1 user={user} dbname=<database>"
    return f"""
for n in $(seq {times}); do
  systemd-run -q --uid=postgres -E PGPASSFILE=/tmp/pgpass -E PGAPPNAME=batch psql -qX \\
    -d '{url}' -c "{statements}" -c 'SELECT pg_sleep(600)'
done
for n in $(seq 120); do
  there=$({PSQL} -At -d postgres -c "SELECT count(*) FROM pg_stat_activity WHERE
    query = 'SELECT pg_sleep(600)' AND xact_start <= now() - interval '{seconds} s'")
  [ "$there" -lt {times} ] || break; sleep 0.5
done
"""


PASSFILE = """cat >/tmp/pgpass <<'PASS'
*:*:*:*:<passfile>
PASS
chown postgres /tmp/pgpass; chmod 600 /tmp/pgpass
"""
LOCKED = held("BEGIN; LOCK TABLE <users>", seconds=4)

MENDED: tuple[Case, ...] = (
    Case("postgres.server-down", "systemctl stop 'postgresql@*-main.service'"),
    Case(
        "postgres.role-missing",
        f"{PSQL} -d <database> -c 'REASSIGN OWNED BY <role> TO postgres' "
        "-c 'DROP OWNED BY <role>'\n"
        f"{PSQL} -c 'DROP ROLE <role>'\n{RESTART}",
        (
            *("role-verifier:<role>", "database:<database>", "schema:<database>.<schema>"),
            *("table:<database>.", "sequence:<database>.", *UNDO),
        ),
        stays=(
            *("role:<role>", "role-verifier:<role>", "database:<database>"),
            *("schema:<database>.<schema>", "table:<database>.", "sequence:<database>."),
        ),
    ),
    Case(
        "postgres.verifier-unusable",
        f"""{PSQL} <<'SQL'
        SET password_encryption = md5;
        ALTER ROLE <role> PASSWORD '<password>'
SQL
        {RESTART}""",
        ("role-verifier:<role>", *UNDO),
    ),
    Case(
        "postgres.role-password-differs",
        f"{PSQL} -c \"ALTER ROLE <role> PASSWORD 'of-yesterday'\"\n{RESTART}",
        ("role-verifier:<role>", *UNDO),
    ),
    Case(
        "postgres.role-password-differs",
        f"{PSQL} -c 'ALTER ROLE <role> PASSWORD NULL'\n{RESTART}",
        ("role-verifier:<role>", *UNDO),
        name="postgres.role-password-differs, the role has none",
    ),
    Case(
        "postgres.role-expired",
        f"{PSQL} -c \"ALTER ROLE <role> VALID UNTIL '2020-01-01'\"\n{RESTART}",
        ("role:<role>", *UNDO),
    ),
    Case(
        "postgres.role-cannot-login",
        f"{PSQL} -c 'ALTER ROLE <role> NOLOGIN'\n{RESTART}",
        UNDO,
    ),
    Case(
        "postgres.role-connection-limit",
        f"{PSQL} -c 'ALTER ROLE <role> CONNECTION LIMIT 0'\n{RESTART}",
        UNDO,
    ),
    Case(
        "postgres.database-missing",
        f"<stop>\n{PSQL} -c 'DROP DATABASE <database>'\n{RESTART}",
        (
            "row:<database>.",
            "value:<database>.",
            "table:<database>.",
            "sequence:<database>.",
            *UNDO,
        ),
        stays=(
            *("database:<database>", "schema:<database>.<schema>", "table:<database>."),
            *("sequence:<database>.", "row:<database>.", "value:<database>."),
        ),
    ),
    Case(
        "postgres.database-closed",
        f"{PSQL} -c 'ALTER DATABASE <database> ALLOW_CONNECTIONS false'\n{RESTART}",
        UNDO,
    ),
    Case(
        "postgres.connect-revoked",
        f"{PSQL} -c 'REVOKE ALL ON DATABASE <database> FROM PUBLIC, <role>'\n{RESTART}",
        ("database:<database>", *UNDO),
    ),
    Case(
        "postgres.database-connection-limit",
        f"{PSQL} -c 'ALTER DATABASE <database> CONNECTION LIMIT 0'\n{RESTART}",
        UNDO,
    ),
    Case(
        "postgres.schema-usage-missing",
        f"{DATABASE_OF_POSTGRES}\n{IN_HALEXT} -c '<no-usage>'\n{RESTART}",
        ("database:<database>", "schema:<database>.<schema>", *UNDO),
        stays=("database:<database>", "schema:<database>.<schema>"),
    ),
    Case(
        "postgres.search-path-wrong",
        f"{PSQL} -c 'ALTER ROLE <role> SET search_path = nothere'\n{RESTART}",
        UNDO,
    ),
    Case(
        "postgres.search-path-wrong",
        f"{PSQL} -c \"ALTER DATABASE <database> SET search_path = 'public,x'\"\n{RESTART}",
        UNDO,
        name="postgres.search-path-wrong, of the database",
    ),
    Case(
        "postgres.table-privileges-missing",
        f"{OWNED_BY_POSTGRES}\n{RESTART}",
        (*PRIVILEGES, *UNDO),
        stays=PRIVILEGES,
    ),
    Case(
        "postgres.sequence-privileges-missing",
        f"{OWNED_BY_POSTGRES} -c 'GRANT ALL ON <users-with-sequence> TO <role>'\n{RESTART}",
        (*PRIVILEGES, *UNDO),
        stays=PRIVILEGES,
    ),
    Case(
        "postgres.timeout-too-short",
        f"{PSQL} -c \"ALTER ROLE <role> SET statement_timeout = '1ms'\"\n{RESTART}",
        UNDO,
    ),
    Case(
        "postgres.sequence-behind",
        sql("<row-ahead>"),
        ("row:<rows>:22", "value:<numbers>", *UNDO),
    ),
)
PERSONS: tuple[Case, ...] = (
    Case(
        "postgres.wrong-address",
        f"sed -i 's/^port = 5432/port = 5433/' {CONFIGURATION}/postgresql.conf\n{RESTARTED}",
        name="postgres.wrong-address, the server is on another port",
    ),
    Case(
        "postgres.wrong-address",
        f"echo \"listen_addresses = ''\" >>{CONFIGURATION}/postgresql.conf\n{RESTARTED}",
        name="postgres.wrong-address, the server has its socket alone",
    ),
    Case(
        "postgres.not-accepting",
        f"echo 'hot_standby = off' >>{CONFIGURATION}/postgresql.conf\n"
        f"{STANDBY.replace('restart postgres', '--no-block restart postgres')}",
        restless=("unit:postgresql@",),
    ),
    Case(
        "postgres.hba-unreadable",
        f"echo 'hots all all all trust' >>{CONFIGURATION}/pg_hba.conf\n{RELOAD}",
        works=True,
    ),
    Case(
        "postgres.hba-refuses",
        f"sed -i '1i host <database> all 127.0.0.0/8 reject' {CONFIGURATION}/pg_hba.conf\n"
        f"{RELOAD}\n{RESTART}",
        name="postgres.hba-refuses, a line rejects it",
    ),
    Case(
        "postgres.hba-refuses",
        f"sed -i '/^host/s/ all / postgres /' {CONFIGURATION}/pg_hba.conf\n{RELOAD}\n{RESTART}",
        name="postgres.hba-refuses, no line lets it in",
    ),
    Case(
        "postgres.peer-mismatch",
        env("sed -i 's#@127.0.0.1:5432/<database>#@/<database>?host=/var/run/postgresql#' .env"),
        profile="env_file=_keys("
        "DATABASE_URL=_replace(_env_file.keys['DATABASE_URL'], host='/var/run/postgresql'))",
    ),
    Case(
        "postgres.connections-exhausted",
        f"{PSQL} -c 'ALTER SYSTEM SET max_connections = 10'\n<stop>\n"
        f"systemctl restart {CLUSTER}\n{held('SELECT 1', times=7)}{RESTART}",
    ),
    Case(
        "postgres.role-expired",
        f"{PSQL} -c \"ALTER ROLE <role> VALID UNTIL '$(date -d '+3 days' +%F)'\"",
        works=True,
        name="postgres.role-expired, in three days",
    ),
    Case(
        "postgres.role-connection-limit",
        f"{PASSFILE}{PSQL} -c 'ALTER ROLE <role> CONNECTION LIMIT 1'\n"
        "<stop>\n"
        f"{held('SELECT 1', user='<role>')}{RESTART}",
        name="postgres.role-connection-limit, it is reached",
    ),
    Case(
        "postgres.database-missing",
        f"<stop>\n{PSQL} -c 'ALTER DATABASE <database> RENAME TO <database>_old'\n{RESTART}",
        name="postgres.database-missing, beside a look-alike",
    ),
    Case(
        "postgres.database-closed",
        f'<stop>\n{PSQL} -c "UPDATE pg_database SET datconnlimit = -2'
        f" WHERE datname = '<database>'\"\n{RESTART}",
        name="postgres.database-closed, an interrupted DROP DATABASE left it",
    ),
    Case(
        "postgres.url-refused",  # who is in that role is not in the file
        f"sed -i '1i host <database> +<role> 127.0.0.0/8 reject' {CONFIGURATION}/pg_hba.conf\n"
        f"{RELOAD}\n{RESTART}",
    ),
    Case("postgres.search-path-wrong", NO_PATH, name="postgres.search-path-wrong, of the system"),
    Case("postgres.row-security-hides-rows", SHIELDED),
    Case(
        "postgres.read-only",
        f"{PSQL} -c 'ALTER ROLE <role> SET default_transaction_read_only = on'\n{RESTART}",
        works=True,
    ),
    Case("postgres.in-recovery", STANDBY, works=True),
    Case(
        "postgres.users-table-locked",
        LOCKED,
        profile=declared(deadline="5"),
    ),
    Case("postgres.collation-changed", ICU, works=True),
    Case("postgres.index-invalid", INVALID_INDEX, works=True),
)
