"""Faults of the env file: how each is made, and what may differ once it is mended."""

from .case import Case
from .words import (
    ANY_COMMAND,
    BACKEND,
    ENV,
    LOST_PASSWORD,
    LOST_WITH_KEY,
    PSQL,
    RESTART,
    UNDO,
    code,
    env,
    overridden,
)

# what is not declared cannot be made anew
LOST = tuple(f"env:{key}" for key in ("SMTP_", "QUOTED", "INDENTED", "EMPTY", "LOG_LEVEL"))

MENDED: tuple[Case, ...] = (
    Case(
        "env_file.missing",
        "mv <environment-file> <environment-file>.away",
        (*ENV, *LOST, *UNDO, f"file:{BACKEND}/.env.away"),
        name="env_file.missing, its values still in the running process",
    ),
    Case(
        "env_file.missing",
        f"mv {BACKEND}/.env {BACKEND}/.env.away; <bounce>; sleep 2",
        (
            *(*ENV, *LOST, *UNDO, f"file:{BACKEND}/.env.away"),
            *("env:SECRET_KEY", "env:DATABASE_URL", *LOST_PASSWORD),
        ),
        restless=("unit:<service>",),
        name="env_file.missing, its values nowhere any more",
    ),
    Case(
        "env_file.missing",
        f"cd {BACKEND}; mkdir shared; mv .env shared/.env.away; ln -s shared/.env .env\n"
        "<bounce>; sleep 2",
        (
            *(*ENV, *LOST, *UNDO, f"file:{BACKEND}/shared"),
            *("env:SECRET_KEY", "env:DATABASE_URL", *LOST_PASSWORD),
        ),
        restless=("unit:<service>",),
        name="env_file.missing, a link that leads nowhere",
    ),
    Case(
        "env_file.wrong-owner",
        f"chown root:root {BACKEND}/.env; <bounce>; sleep 2",
        UNDO,
        restless=("unit:<service>",),
    ),
    Case("env_file.key-missing", env("sed -i /^<key>=/d .env"), (*ENV, *LOST_WITH_KEY, *UNDO)),
    Case(
        "env_file.key-empty",
        env("sed -i 's/^<key>=.*/<key>=/' .env"),
        (*ENV, *LOST_WITH_KEY, *UNDO),
    ),
    Case(
        "env_file.key-not-declared-value",
        env("sed -i 's/^<given>=.*/<given>=of-last-year/' .env"),
        (*ENV, *UNDO),
    ),
    Case(
        "env_file.key-not-declared-value",
        env("sed -i '/^<url>=/s#5432/<database>#5432/<database>_dev#' .env"),
        (*ENV, *UNDO),
        name="env_file.key-not-declared-value, another database in DATABASE_URL",
    ),
    Case(
        "env_file.key-not-declared-value",
        env("sed -i 's/^<switch>=.*/<switch>=true/' .env"),
        (*ENV, *UNDO),
        name="env_file.key-not-declared-value, DEV_MODE",
    ),
    Case(
        "env_file.bom",
        env("sed -i '/^#/d' .env; sed -i '1s/^/\\xEF\\xBB\\xBF/' .env"),
        (*ENV, *UNDO),
    ),
    Case("env_file.unparsable-line", env("sed -i 's/^<quoted>=.*/&x/' .env"), (*ENV, *UNDO)),
    Case(
        "env_file.readers-disagree",
        env("sed -i 's/^<given>=.*/& # for sign-ups/' .env"),
        (*ENV, *UNDO),
    ),
    Case(
        "env_file.placeholder",
        env("sed -i '/^<url>=/s#//<role>:[^@]*@#//<role>:changeme@#' .env"),
        (*ENV, *UNDO, "env:DATABASE_URL", *LOST_PASSWORD),
        name="env_file.placeholder, a database password that PostgreSQL does not take",
    ),
    Case(
        "env_file.database-url-unparsable",
        env("""python3 - <<'PYTHON'
text = open(".env").read()
open(".env", "w").write(text.replace(<encoded>, <not-encoded>))
PYTHON"""),
        (*ENV, *UNDO),
        name="env_file.database-url-unparsable, a password that is not encoded",
    ),
    Case(
        "env_file.database-url-unparsable",
        env("sed -i 's#=<driver>://#=postgres://#' .env"),
        (*ENV, *UNDO),
        restless=("unit:<service>",),
        name="env_file.database-url-unparsable, a scheme that SQLAlchemy does not know",
    ),
    Case("env_file.crlf", env("sed -i 's/$/\\r/' .env"), (*ENV, *UNDO)),
    Case("env_file.readable-by-others", f"chmod 644 {BACKEND}/.env", (ENV[0], *UNDO)),
)
# What a Settings of pydantic-settings does with its env file.
SETTINGS = """ALGORITHM = "HS256"
import dotenv
import pydantic

given = {key.lower(): value for key, value in dotenv.dotenv_values(".env").items()}
known = {key: (str, ...) for key in given if key != "reports_to"}
forbids = pydantic.ConfigDict(extra="forbid")
pydantic.create_model("Settings", __config__=forbids, **known)(**given)
"""
PERSONS: tuple[Case, ...] = (
    Case(
        "env_file.key-missing",
        env("sed -i /^<given>=/d .env"),
        profile="env_file=_keys(<given>=_Secret.kept())",
        name="env_file.key-missing, that has to be kept and is kept nowhere",
    ),
    Case(
        "env_file.extra-key-forbidden",
        env("echo REPORTS_TO=ada@example.com >>.env") + code('ALGORITHM = "HS256"\n', SETTINGS),
        restless=("unit:<service>",),
    ),
    Case(
        "env_file.not-utf8",
        f"printf 'CITY=K\\366ln\\n' >>{BACKEND}/.env; <bounce>; sleep 2",
        restless=("unit:<service>",),
    ),
    Case(
        "env_file.unparsable-line",
        env("sed -i 's/^<quoted>=.*/&\\nOTHER=\"/' .env"),
        name="env_file.unparsable-line, another key's quote that hides the JWT secret",
    ),
    Case(
        "env_file.placeholder",
        f"{PSQL} -c \"ALTER ROLE <role> PASSWORD 'changeme'\"\n"
        + env("sed -i '/^<url>=/s#//<role>:[^@]*@#//<role>:changeme@#' .env"),
        name="env_file.placeholder, and PostgreSQL takes it",
        works=True,
    ),
    Case(
        "env_file.other-file-used",
        overridden("<given>", "of-last-year"),
        profile=ANY_COMMAND,
        name="env_file.other-file-used, the unit's command sets a key",
    ),
    Case(
        "env_file.other-file-used",
        f"""cd {BACKEND}; mkdir settings
        sed 's/^SECRET_KEY=.*/SECRET_KEY=another-secret-than-the-files-7c2/' .env >settings/.env
        chown -R <user>: settings; chmod 600 settings/.env
        other='Path(__file__).parent / "settings/.env"'
        sed -i "s#^load_dotenv(.*#load_dotenv($other, override=True)#" <engine-code>
        {RESTART}""",
        name="env_file.other-file-used, the code reads another one",
    ),
    Case(
        "env_file.tracked-by-git",
        f"cd {BACKEND}; git='runuser -u <user> -- git'; $git init -q; $git add .env",
        works=True,
    ),
    Case("env_file.key-twice", env("sed -i '1i <key>=of-last-year' .env"), works=True),
)
