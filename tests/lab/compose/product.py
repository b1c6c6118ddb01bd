"""Run the product on a host with containers, with the examples' own data."""

from pathlib import Path

from tests.lab.compose import canaries
from tests.lab.host import Host
from tests.lab.inventory import GROUP_DATA, RESTORE, by
from tests.lab.product import Ran, pyinfra

SECRETS = {
    "RECEPTIONIST_OPENAI_API_KEY": canaries.OPENAI_API_KEY,
    "RECEPTIONIST_OWNER_PASSWORD": canaries.OWNER_PASSWORD,
    "AGENTCALLER_ADMIN_PASSWORD": canaries.ADMIN_PASSWORD,
}


def run(folder: Path, host: Host, backend: str, *words: str) -> Ran:
    """Run pyinfra on one of the host's backends: the restore by default, without a prompt."""
    path = folder / "hosts.py"
    path.write_text(f"{backend} = [\n{by(host).line()}]\n")
    return pyinfra([], *GROUP_DATA, *(words or RESTORE), inventory=str(path), secrets=SECRETS)


def diagnose(folder: Path, host: Host, backend: str) -> Ran:
    return run(folder, host, backend, "deploys/diagnose.py", "--dry")


def logs_in(host: Host, backend: str) -> bool:
    """Tell whether curl on the host gets a token, and the protected route opens with it."""
    return host.root(_LOGIN[backend]).strip() == "200"


def what_holds_data(host: Host, rows_of: str = "") -> str:
    """Give what no repair may change: volumes and since when, database containers, rows.

    The rows are those of both backends, or of one.
    """
    wanted = [rows for name, rows in _ROWS.items() if not rows_of or name == rows_of]
    return host.root("\n".join([_DATA, *wanted]))


_LOGIN = {
    "receptionist": f"""\
token=$(printf '{{"email":"owner@example.com","password":"{canaries.OWNER_PASSWORD}"}}' |
  curl -s -H 'Content-Type: application/json' -d @- http://127.0.0.1:8002/api/auth/login |
  sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
curl -s -o /dev/null -w '%{{http_code}}' -H "Authorization: Bearer $token" \\
  http://127.0.0.1:8002/api/auth/me""",
    "agentcaller": f"""\
token=$(printf 'username=admin@example.com&password={canaries.ADMIN_PASSWORD}' |
  curl -s -d @- http://127.0.0.1:8000/v1/auth/login |
  sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
curl -s -o /dev/null -w '%{{http_code}}' -H "Authorization: Bearer $token" \\
  http://127.0.0.1:8000/v1/auth/me""",
}
_DATA = """\
docker volume ls -q | sort | xargs docker volume inspect --format '{{.Name}} {{.CreatedAt}}'
docker ps -a --no-trunc --format '{{.ID}} {{.Names}}' | grep -e -postgres- -e -db- | sort
"""
_QUERY = "'select id, email, created_at from users order by id'"
_ROWS = {
    "receptionist": "docker exec -i ai-receptionist-postgres-1"
    f" psql -XAtU receptionist -d receptionist -c {_QUERY}",
    "agentcaller": f"docker exec -i infra-db-1 psql -XAtU postgres -d agentcaller -c {_QUERY}",
}
