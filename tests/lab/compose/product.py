"""Run the product on a host with containers, with the examples' own data."""

from pathlib import Path

from tests.lab.compose import canaries
from tests.lab.compose.asked import OPENED, TOKEN
from tests.lab.compose.case import people
from tests.lab.compose.watched import watched
from tests.lab.host import Host
from tests.lab.inventory import GROUP_DATA, RESTORE, by
from tests.lab.product import Ran, pyinfra

SECRETS = {
    "RECEPTIONIST_OPENAI_API_KEY": canaries.OPENAI_API_KEY,
    "RECEPTIONIST_OWNER_PASSWORD": canaries.OWNER_PASSWORD,
    "AGENTCALLER_ADMIN_PASSWORD": canaries.ADMIN_PASSWORD,
    "EDMS_ADMIN_PASSWORD": canaries.EDMS_ADMIN_PASSWORD,
    "EDMS_AUTHOR_PASSWORD": canaries.EDMS_AUTHOR_PASSWORD,
}


def run(folder: Path, host: Host, backend: str, *words: str) -> Ran:
    """Run pyinfra on one of the host's backends: the restore by default, without a prompt.

    No volume and no container of a database is made or removed by it: see watched.py.
    """
    path = folder / "hosts.py"
    path.write_text(f"{backend} = [\n{by(host).line()}]\n")
    wanted = (*GROUP_DATA, *(words or RESTORE))
    with watched(host):
        return pyinfra([], *wanted, inventory=str(path), secrets=SECRETS, timeout=900)


def diagnose(folder: Path, host: Host, backend: str) -> Ran:
    return run(folder, host, backend, "deploys/diagnose.py", "--dry")


def logs_in(host: Host, backend: str) -> bool:
    """Tell whether curl on the host gets a token, and the protected route opens with it."""
    asked = host.root(f"{TOKEN[backend]}\n{OPENED[backend]}", check=False)
    return asked.strip() == "200"


def token(host: Host, backend: str) -> str:
    """Give a token, as curl on the host gets it."""
    return host.root(f'{TOKEN[backend]}\nprintf %s "$token"')


def opens(host: Host, backend: str, given: str) -> bool:
    """Tell whether a token opens the protected route."""
    return host.root(f"token={given}\n{OPENED[backend]}", check=False).strip() == "200"


def what_holds_data(host: Host, rows_of: str = "") -> str:
    """Give what no repair may change: volumes and since when, database containers, rows.

    The rows are those of both backends, or of one: accounts, and how many each table has.
    """
    wanted = [rows for name, rows in _ROWS.items() if not rows_of or name == rows_of]
    return host.root("\n".join([_DATA, *wanted]))


def what_there_is(host: Host) -> str:
    """Give all volumes and containers by what tells two of one name apart; none without an engine.

    Of both it is known since when they are there (docker-ps(1): CreatedAt). And rows, as
    `what_holds_data` does, of databases that answer.
    """
    return host.root(
        "\n".join(f"{{ {each}\n}} 2>/dev/null" for each in (_THERE, *_ROWS.values(), ":"))
    )


def state(host: Host, backend: str) -> list[str]:
    """Give what undo brings back: the env files, the rows and the roles' passwords, a line each.

    What cannot be asked for (a database that is down, a table that is not there) is left out.
    """
    roles = "SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin"
    asked = (f"{_PLAIN}{query}" for query in (_ACCOUNTS[backend], roles))
    queries = [f"{{ {people(backend, query)}\n}} 2>/dev/null" for query in asked]
    return host.root("\n".join([_ENV, *queries, "true"])).splitlines()


_ENV_FILES = "/opt/ai-receptionist/.env /opt/agentcaller/.env /opt/agentcaller/infra/.env"
_ENV = f"sha256sum {_ENV_FILES}; stat -c '%n %a %U:%G %Y' {_ENV_FILES}"
_ACCOUNTS = {
    "receptionist": "SELECT id, email, password_hash, is_active FROM users ORDER BY id",
    "agentcaller": "SELECT id, email, hashed_password, is_active FROM users ORDER BY id",
}
_PLAIN = "\\pset format unaligned\n\\pset tuples_only on\n"
_THERE = """\
docker volume ls -q | sort | xargs docker volume inspect --format '{{.Name}} {{.CreatedAt}}'
docker ps -a --no-trunc --format '{{.ID}} {{.Names}}' | sort
"""
_DATA = """\
docker volume ls -q | sort | xargs docker volume inspect --format '{{.Name}} {{.CreatedAt}}'
docker ps -a --no-trunc --format '{{.ID}} {{.Names}}' | grep -e -postgres- -e -db- | sort
"""
# Every table of a database, and its number of rows, in one statement.
_QUERIES = """\
select id, email, created_at from users order by id;
select table_schema, table_name, (xpath('/row/n/text()', query_to_xml(format(
  'select count(*) as n from %I.%I', table_schema, table_name), false, true, '')))[1]
from information_schema.tables
where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')
order by 1, 2;
"""
_PSQL = "docker exec -i {} psql -XAt -v ON_ERROR_STOP=1 -U {} -d {} <<'SQL'\n" + _QUERIES + "SQL"
_ROWS = {
    "receptionist": _PSQL.format("ai-receptionist-postgres-1", "receptionist", "receptionist"),
    "agentcaller": _PSQL.format("infra-db-1", "postgres", "agentcaller"),
}
