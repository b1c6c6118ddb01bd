"""The document management on a host with containers: brought up where a test asks for it."""

from pathlib import Path

from tests.lab.compose.case import EDMS, PROJECTS, people
from tests.lab.compose.product import run
from tests.lab.host import Host
from tests.lab.product import Ran

STORE = "/var/lib/relogin/edms/backups"
UP = f"""set -e
{PROJECTS}
DOCKER_BUILDKIT=0 edms build -q backend
edms up -d --wait db
edms run --rm -T backend python manage.py migrate -v 0 </dev/null
edms exec -T db psql -qX -v ON_ERROR_STOP=1 -U edms -d edms </lab/edms.sql
edms up -d --wait
"""
DOWN = f"{PROJECTS}edms down -v -t 3; rm -rf /var/lib/relogin"
_PLAIN = "\\pset format unaligned\n\\pset tuples_only on\n"


def rows(host: Host, sql: str, database: str = "") -> str:
    """Give what a person's psql says, in the live database by default."""
    return host.root(people(EDMS, _PLAIN + sql, database)).strip()


def accounts(host: Host, database: str = "") -> str:
    """Give every account with its id, flags and hash, and how many documents each has."""
    return rows(
        host,
        "SELECT u.id, username, password, is_active, is_superuser, count(d.id) FROM users u"
        " LEFT JOIN documents d ON author_id = u.id GROUP BY u.id ORDER BY u.id",
        database,
    )


def databases(host: Host) -> list[str]:
    """Name what there is beside the live database."""
    listed = rows(host, "SELECT datname FROM pg_database WHERE datname ~ '^edms_' ORDER BY 1")
    return listed.split()


def back_up(folder: Path, host: Host) -> Ran:
    return run(folder, host, EDMS, "deploys/backup.py", "-y")


def restore(folder: Path, host: Host, *given: str) -> Ran:
    """Restore the newest backup; what is lost by it is confirmed."""
    data = [word for one in (f"confirm={host.name}/edms", *given) for word in ("--data", one)]
    return run(folder, host, EDMS, "deploys/restore_backup.py", "-y", *data)
