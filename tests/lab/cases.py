"""How each fault is made on a lab host, and what may differ once it has been mended."""

from dataclasses import dataclass

BACKEND = "/srv/halext.org/halext-org/backend"
ENV = (f"file:{BACKEND}/.env", f"env-text:{BACKEND}/.env")
UNIT = "/etc/systemd/system/halext-api.service"
UNDO = ("file:/var/lib/relogin",)
DROP_IN = (f"file:{UNIT}.d", "unit:halext-api", *UNDO)
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


def drop_in(name: str, text: str, *, reload: bool = True) -> str:
    """Add a drop-in, as a person would."""
    load = "systemctl daemon-reload" if reload else ""
    return f"\nmkdir -p {UNIT}.d; printf '{text}\\n' >{UNIT}.d/{name}.conf; {load}\n"


UNINSTALL = f"cd {BACKEND}; runuser -u halext -- env/bin/python -m pip uninstall -qy"

CRASHING = "systemctl restart halext-api; sleep 2"
OTHER_PYTHON = f"""cd {BACKEND}; mv env/lib/python3.11 env/lib/python3.9
sed -i 's/^version = .*/version = 3.9.2/' env/pyvenv.cfg"""
# what is not declared cannot be made anew
LOST = tuple(f"env:{key}" for key in ("SMTP_", "QUOTED", "INDENTED", "EMPTY", "LOG_LEVEL"))

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
    Case(
        "venv.missing",
        f"cd {BACKEND}; mv env env.away; systemctl restart halext-api; sleep 2",
        ("file:",),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.interpreter-gone",
        f"ln -sfn /usr/bin/python3.9 {BACKEND}/env/bin/python3\n{CRASHING}",
        (f"file:{BACKEND}/env/bin/python", f"file:{BACKEND}/env/pyvenv.cfg", *UNDO),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.interpreter-gone",
        f"{OTHER_PYTHON}\nln -sfn /usr/bin/python3.9 env/bin/python3\n{CRASHING}",
        ("file:",),
        restless=("unit:halext-api",),
        name="venv.interpreter-gone, and no other of its version",
    ),
    Case(
        "venv.minor-version-changed",
        f"{OTHER_PYTHON}\n{CRASHING}",
        ("file:",),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.moved",
        f"cd {BACKEND}; for each in env/bin/*; do [ -L $each ] ||"
        f" sed -i '1s#^\\#!{BACKEND}/env/#\\#!{BACKEND}/env-of-old/#' $each; done\n{CRASHING}",
        UNDO,
        restless=("unit:halext-api",),
    ),
    Case(
        "env_file.missing",
        f"mv {BACKEND}/.env {BACKEND}/.env.away",
        (*ENV, *LOST, *UNDO, f"file:{BACKEND}/.env.away"),
        name="env_file.missing, its values still in the running process",
    ),
    Case(
        "env_file.missing",
        f"mv {BACKEND}/.env {BACKEND}/.env.away; systemctl restart halext-api; sleep 2",
        (
            *(*ENV, *LOST, *UNDO, f"file:{BACKEND}/.env.away"),
            *("env:SECRET_KEY", "env:DATABASE_URL", "role-verifier:halext_user"),
        ),
        restless=("unit:halext-api",),
        name="env_file.missing, its values nowhere any more",
    ),
    Case(
        "env_file.missing",
        f"cd {BACKEND}; mkdir shared; mv .env shared/.env.away; ln -s shared/.env .env\n"
        "systemctl restart halext-api; sleep 2",
        (
            *(*ENV, *LOST, *UNDO, f"file:{BACKEND}/shared"),
            *("env:SECRET_KEY", "env:DATABASE_URL", "role-verifier:halext_user"),
        ),
        restless=("unit:halext-api",),
        name="env_file.missing, a link that leads nowhere",
    ),
    Case(
        "env_file.wrong-owner",
        f"chown root:root {BACKEND}/.env; systemctl restart halext-api; sleep 2",
        UNDO,
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
    Case(
        "env_file.key-not-declared-value",
        env("sed -i 's/^DEV_MODE=.*/DEV_MODE=true/' .env"),
        (*ENV, *UNDO),
        name="env_file.key-not-declared-value, DEV_MODE",
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
    Case("service.disabled", "systemctl disable halext-api", UNDO),
    Case(
        "service.masked",
        f"mv {UNIT} /usr/lib/systemd/system/\nsystemctl mask --now halext-api",
        (f"file:{UNIT}", "file:/etc/systemd/system/multi-user.target.wants/", *DROP_IN[1:]),
    ),
    Case(
        "service.start-limit-hit",
        drop_in("limit", "[Unit]\\nStartLimitBurst=2\\nStartLimitIntervalSec=600")
        + "for n in 1 2 3; do systemctl restart halext-api; done; true",
        (f"file:{UNIT}.d", "unit:halext-api"),
    ),
    Case(
        "service.wrong-working-directory",
        "mkdir -p /srv/elsewhere"
        + drop_in("override", "[Service]\\nWorkingDirectory=/srv/elsewhere")
        + "systemctl restart halext-api; sleep 3",
        DROP_IN,
        restless=("unit:halext-api",),
    ),
    Case(
        "service.wrong-environment-file",
        f"sed 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' {BACKEND}/.env >/etc/halext.env"
        + drop_in("override", "[Service]\\nEnvironmentFile=/etc/halext.env")
        + RESTART,
        (*DROP_IN, "file:/etc/halext.env"),
    ),
    Case(
        "service.needs-daemon-reload",
        f"cp -p {UNIT} /root/unit.right\n"
        f"sed 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' {BACKEND}/.env >/etc/halext.env\n"
        f"sed -i 's#^EnvironmentFile=.*#EnvironmentFile=/etc/halext.env#' {UNIT}\n"
        f"touch -d '-1 hour' /root/unit.right\nsystemctl daemon-reload\n{RESTART}\n"
        f"cp -p /root/unit.right {UNIT}; rm /root/unit.right",
        ("file:/etc/halext.env",),
        name="service.needs-daemon-reload, put back with its old time",
    ),
    Case(
        "service.needs-daemon-reload",
        drop_in("new", "[Service]\\nEnvironment=ADDED=1", reload=False),
        (f"file:{UNIT}.d", "unit:halext-api"),
        name="service.needs-daemon-reload, the first drop-in of a unit",
    ),
    Case("service.needed-unit-down", "systemctl stop nginx"),
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
        "venv.missing",
        f"rm {BACKEND}/env/pyvenv.cfg; systemctl restart halext-api; sleep 12",
        name="venv.missing, a folder that is none",
    ),
    Case(
        "service.port-held",
        "systemctl stop halext-api\n"
        "systemd-run -q --unit=other-api"
        " python3 -m http.server 8000 --bind 127.0.0.1\n"
        "sleep 1; systemctl start halext-api; sleep 4",
        restless=("unit:halext-api",),
    ),
    Case(
        "service.crash-looping",
        code(
            "app = FastAPI(",
            "__import__('time').sleep(2)\nraise RuntimeError('no licence')\napp = FastAPI(",
        ),
        restless=("unit:halext-api",),
    ),
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
