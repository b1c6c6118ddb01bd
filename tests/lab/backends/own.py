"""Faults below the login that are made otherwise than on the example's host."""

from tests.lab.cases.case import Case
from tests.lab.cases.migrations import IN_HALEXT as IN_DATABASE
from tests.lab.cases.migrations import MADE
from tests.lab.cases.postgres import shielded
from tests.lab.cases.words import (
    ANY_COMMAND,
    ENV,
    LOST_PASSWORD,
    PSQL,
    RESTART,
    UNDO,
    code,
    env,
    overridden,
)

FILES = ("file:<root>/<django-migrations>",)


def migration(name: str, needs: str, operations: str = "") -> str:
    """Add a migration of Django, as a deployment of newer code would."""
    return f"""cat >'<root>/<django-migrations>/{name}.py' <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("<django-app>", "{needs}")]
    operations = [{operations}]
PYTHON
chown <user>: '<root>/<django-migrations>/{name}.py'
"""


NOTE = "migrations.CreateModel(name='Note', fields=[('id', models.BigAutoField(primary_key=True))])"
MENDED: tuple[Case, ...] = (
    Case(
        "env_file.unparsable-line",
        env("sed -i 's/^<given>=\\(.*\\)/<given>=\"\\1\"x/' .env"),
        (*ENV, *UNDO),
        name="env_file.unparsable-line, text behind a declared key's quotes",
    ),
    Case(
        "env_file.placeholder",
        env("sed -i 's/^<password-key>=.*/<password-key>=changeme/' .env"),
        (*ENV, *LOST_PASSWORD, *UNDO),
        name="env_file.placeholder, a password in a key of its own",
    ),
    Case(
        "postgres.schema-create-missing",
        f"{PSQL} -c 'ALTER DATABASE <database> OWNER TO postgres'\n"
        + migration("0003_note", "<django-head>", NOTE),
        (*FILES, *MADE, "database:<database>", "schema:<database>.<schema>", *UNDO),
        stays=MADE,
        name="postgres.schema-create-missing, for Django",
    ),
    Case(
        "migrations.never-run",
        f"<stop>\n{IN_DATABASE} -c 'DROP OWNED BY <role>'\n{RESTART}<drops-all>",
        (*MADE, "database:<database>", *UNDO),
        stays=MADE,
        name="migrations.never-run, in an empty database",
    ),
)
OTHER = "another-secret-than-the-files-7c2-of-64-bytes-and-of-more-than-that"
OTHER_FILE = f"""cd <root>; mkdir settings
sed 's/^<secret>=.*/<secret>={OTHER}/' .env >settings/.env
chown -R <user>: settings; chmod 600 settings/.env
"""
PERSONS: tuple[Case, ...] = (
    Case(
        "env_file.unparsable-line",
        env("sed -i 's/^<url>=\\(.*\\)/<url>=\"\\1\"x/' .env"),
        restless=("unit:<service>",),
        name="env_file.unparsable-line, text behind the quotes of the database's URL",
    ),
    Case(
        "env_file.other-file-used",
        OTHER_FILE + code("<reads-file>", "<reads-other-file>", file="<reads-file-in>"),
        name="env_file.other-file-used, its settings read another one",
    ),
    Case(
        "env_file.other-file-used",
        overridden("<switched>", "<switched-to>"),
        profile=ANY_COMMAND,
        works=True,
        name="env_file.other-file-used, a value that does not hurt",
    ),
    Case(
        "postgres.row-security-hides-rows",
        shielded("<users>") + "<no-sequence>",
        name="postgres.row-security-hides-rows, of a table without a sequence",
    ),
    Case(
        "migrations.broken-tree",
        migration("0003_note", "0002_of_another_branch"),
        works=True,
        name="migrations.broken-tree, of Django",
    ),
    Case(
        "migrations.unknown-revision",
        f'{IN_DATABASE} -c "INSERT INTO django_migrations (app, name, applied)'
        " VALUES ('<django-app>', '0042_newer', now())\"",
        works=True,
        name="migrations.unknown-revision, of Django",
    ),
    Case(
        "migrations.several-heads",
        migration("0003_note", "<django-head>") + migration("0003_other", "<django-head>"),
        works=True,
        name="migrations.several-heads, of Django",
    ),
    Case(
        "migrations.not-stamped",
        f"cd <root>/<django-migrations>\n{IN_DATABASE} -c 'DROP TABLE django_migrations'",
        works=True,
        name="migrations.not-stamped, of Django",
    ),
)
