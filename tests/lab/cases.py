"""How each fault is made on a lab host, and what may differ once it has been mended."""

from dataclasses import dataclass

BACKEND = "/srv/halext.org/halext-org/backend"
ENV = (f"file:{BACKEND}/.env", f"env-text:{BACKEND}/.env")
UNDO = ("file:/var/lib/relogin",)
PSQL = "runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1"
RESTART = """
systemctl restart halext-api
for i in $(seq 100); do curl -sf -o /dev/null http://127.0.0.1/api/health && break; sleep 0.1; done
"""


@dataclass(frozen=True)
class Case:
    """A fault: the root script that makes it, what its verdict says first, what may differ after.

    `differs` are beginnings of snapshot keys; `restless` those of what never comes to rest while
    the fault is there (a crash loop).
    """

    fault: str
    inject: str
    differs: tuple[str, ...] = ()
    restless: tuple[str, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.fault


def env(script: str) -> str:
    """Edit the env file in place, as a person with sed would, and restart on it."""
    return f"cd {BACKEND}\n{script}\n{RESTART}"


UNINSTALL = f"cd {BACKEND}; runuser -u halext -- env/bin/python -m pip uninstall -qy"

MENDED = (
    Case(
        "venv.requirement-missing",
        f"{UNINSTALL} python-multipart\nsystemctl restart halext-api; sleep 2",
        ("file:", "distribution:"),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.requirement-wrong-version",
        f"""{UNINSTALL} bcrypt
        folder=$(echo env/lib/python3*/site-packages)/bcrypt-3.0.dist-info
        mkdir $folder
        printf 'bcrypt-3.0.dist-info/METADATA,,\\nbcrypt-3.0.dist-info/RECORD,,\\n' >$folder/RECORD
        printf 'Metadata-Version: 2.1\\nName: bcrypt\\nVersion: 3.0\\n' >$folder/METADATA
        chown -R halext: $folder; systemctl restart halext-api; sleep 2""",
        ("file:",),
        restless=("unit:halext-api",),
    ),
    Case("env_file.key-missing", env("sed -i /^ACCESS_CODE=/d .env"), (*ENV, *UNDO)),
    Case("env_file.key-empty", env("sed -i 's/^ACCESS_CODE=.*/ACCESS_CODE=/' .env"), (*ENV, *UNDO)),
    Case(
        "env_file.key-not-declared-value",
        env("sed -i 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' .env"),
        (*ENV, *UNDO),
    ),
    Case(
        "env_file.key-not-declared-value",
        env("sed -i 's#/halext_org#/halext_dev#' .env"),
        (*ENV, *UNDO),
        name="env_file.key-not-declared-value, another database in DATABASE_URL",
    ),
    Case("env_file.readable-by-others", f"chmod 644 {BACKEND}/.env", (ENV[0], *UNDO)),
    Case(
        "jwt.secret-missing",
        f"sed -i /^SECRET_KEY=/d {BACKEND}/.env",
        (*ENV, *UNDO),
        name="jwt.secret-missing, still in the running process",
    ),
    Case(
        "jwt.secret-missing",
        env("sed -i /^SECRET_KEY=/d .env"),
        (*ENV, *UNDO, "env:SECRET_KEY"),
        name="jwt.secret-missing, nowhere any more",
    ),
    Case("postgres.server-down", "systemctl stop postgresql@15-main"),
    Case(
        "postgres.role-missing",
        f"{PSQL} -d halext_org -c 'REASSIGN OWNED BY halext_user TO postgres' "
        "-c 'DROP OWNED BY halext_user'\n"
        f"{PSQL} -c 'DROP ROLE halext_user'\n{RESTART}",
        (
            *("role-verifier:halext_user", "database:halext_org", "schema:halext_org."),
            *("table:halext_org.", "sequence:halext_org."),
        ),
    ),
    Case(
        "postgres.role-password-differs",
        f"{PSQL} -c \"ALTER ROLE halext_user PASSWORD 'of-yesterday'\"\n{RESTART}",
        ("role-verifier:halext_user", *UNDO),
    ),
    Case(
        "postgres.role-password-differs",
        f"{PSQL} -c 'ALTER ROLE halext_user PASSWORD NULL'\n{RESTART}",
        ("role-verifier:halext_user", *UNDO),
        name="postgres.role-password-differs, the role has none",
    ),
    Case(
        "postgres.database-missing",
        f"systemctl stop halext-api\n{PSQL} -c 'DROP DATABASE halext_org'\n{RESTART}",
        ("row:halext_org.", "value:halext_org.", "table:halext_org.", "sequence:halext_org."),
    ),
    Case(
        "accounts.missing",
        f"{PSQL} -d halext_org -c \"DELETE FROM users WHERE username = 'ops'\"",
        ("row:halext_org.public.users:", "value:halext_org.public.users_id_seq"),
    ),
    Case(
        "accounts.inactive",
        f'{PSQL} -d halext_org -c "UPDATE users SET is_active = false WHERE id = 1"',
        UNDO,
    ),
    Case(
        "accounts.password-differs",
        f"""{PSQL} -d halext_org <<'SQL'
        UPDATE users SET hashed_password = (SELECT hashed_password FROM users
          WHERE username <> 'ops' ORDER BY id LIMIT 1) WHERE username = 'ops'
SQL""",
        ("row:halext_org.public.users:1", *UNDO),
    ),
    Case(
        "accounts.hash-unusable",
        f"{PSQL} -d halext_org -c \"UPDATE users SET hashed_password = 'plaintext' WHERE id = 1\"",
        ("row:halext_org.public.users:1", *UNDO),
    ),
    Case(
        "accounts.admin-lost",
        f"{PSQL} -d halext_org -c 'UPDATE users SET is_admin = false WHERE id = 1'",
        UNDO,
    ),
    Case(
        "postgres.role-cannot-login",
        f"{PSQL} -c 'ALTER ROLE halext_user NOLOGIN'\n{RESTART}",
        UNDO,
    ),
    Case("service.stopped", "systemctl stop halext-api"),
    Case(
        "service.failed",
        "systemctl kill -s KILL halext-api; sleep 0.2; systemctl stop halext-api\n"
        "mkdir -p /run/systemd/system/halext-api.service.d\n"
        "printf '[Service]\\nRestart=no\\n' >/run/systemd/system/halext-api.service.d/once.conf\n"
        "systemctl daemon-reload; systemctl start halext-api; sleep 1\n"
        "systemctl kill -s KILL halext-api; sleep 0.5\n"
        "rm -r /run/systemd/system/halext-api.service.d; systemctl daemon-reload",
    ),
    Case(
        "service.older-than-env-file",
        f"cd {BACKEND}; cp -p .env /root/env.right\n"
        f"sed -i 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' .env\n{RESTART}\n"
        "sleep 1.1; cp -p /root/env.right .env.new; mv .env.new .env; rm /root/env.right",
        ENV[:1],
    ),
)


def code(before: str, after: str) -> str:
    """Change a line of the backend's own code: what no machine may mend."""
    return f"""cd {BACKEND}
    python3 - <<'PYTHON'
text = open("main.py").read()
assert {before!r} in text
open("main.py", "w").write(text.replace({before!r}, {after!r}))
PYTHON
    {RESTART}"""


PERSONS = (
    Case(
        "login.signature-wrong",
        code('SECRET_KEY = os.getenv("SECRET_KEY")', 'SECRET_KEY = "a" * 40'),
    ),
    Case(
        "login.protected-refused",
        code("jwt.decode(bearer, SECRET_KEY,", 'jwt.decode(bearer, "a" * 40,'),
    ),
    Case(
        "login.forged-token-accepted",
        code("algorithms=[ALGORITHM])", 'options={"verify_signature": False})'),
    ),
    Case(
        "login.wrong-password-accepted",
        code("if not bcrypt.checkpw(", "if False and not bcrypt.checkpw("),
    ),
)

EVERYTHING = "\n".join(
    (
        f"{UNINSTALL} python-multipart 2>/dev/null",
        "sed -i -e /^SECRET_KEY=/d -e 's/^DEV_MODE=.*/DEV_MODE=true/' -e /^ACCESS_CODE=/d .env",
        f"{PSQL} -d halext_org -c \"DELETE FROM users WHERE username = 'ops'\"",
        f"{PSQL} -c \"ALTER ROLE halext_user PASSWORD 'of-yesterday'\"",
        "chmod 644 .env; systemctl stop postgresql@15-main; systemctl restart halext-api; sleep 3",
    )
)
