"""Run the product on a host with containers, with the examples' own data."""

import re
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
    wanted = (*GROUP_DATA, *(words or RESTORE))
    return pyinfra([], *wanted, inventory=str(path), secrets=SECRETS, timeout=900)


def diagnose(folder: Path, host: Host, backend: str) -> Ran:
    return run(folder, host, backend, "deploys/diagnose.py", "--dry")


def logs_in(host: Host, backend: str) -> bool:
    """Tell whether curl on the host gets a token, and the protected route opens with it."""
    asked = host.root(f"{_TOKEN[backend]}\n{_OPENED[backend]}", check=False)
    return asked.strip() == "200"


def token(host: Host, backend: str) -> str:
    """Give a token, as curl on the host gets it."""
    return host.root(f'{_TOKEN[backend]}\nprintf %s "$token"')


def opens(host: Host, backend: str, given: str) -> bool:
    """Tell whether a token opens the protected route."""
    return host.root(f"token={given}\n{_OPENED[backend]}", check=False).strip() == "200"


def destroyed(host: Host, since: int) -> list[str]:
    """List what no run may do, of the engine's own events: volumes gone, databases made anew."""
    told = host.root(f"docker events --since {since} --until \"$(date +%s)\" --format '{_EVENT}'")
    return [line for line in told.splitlines() if _FORBIDDEN.match(line)]


_EVENT = (
    "{{.Type}} {{.Action}} {{with index .Actor.Attributes"
    ' "com.docker.compose.service"}}{{.}}{{else}}{{$.Actor.ID}}{{end}}'
)
_FORBIDDEN = re.compile(r"volume destroy |container (create|destroy) (postgres|db)$")


def what_holds_data(host: Host, rows_of: str = "") -> str:
    """Give what no repair may change: volumes and since when, database containers, rows.

    The rows are those of both backends, or of one.
    """
    wanted = [rows for name, rows in _ROWS.items() if not rows_of or name == rows_of]
    return host.root("\n".join([_DATA, *wanted]))


_TOKEN = {
    "receptionist": f"""\
token=$(printf '{{"email":"owner@example.com","password":"{canaries.OWNER_PASSWORD}"}}' |
  curl -s -H 'Content-Type: application/json' -d @- http://127.0.0.1:8002/api/auth/login |
  sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')""",
    "agentcaller": f"""\
token=$(printf 'username=admin@example.com&password={canaries.ADMIN_PASSWORD}' |
  curl -s -d @- http://127.0.0.1:8000/v1/auth/login |
  sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')""",
}
_PROTECTED = {
    "receptionist": "http://127.0.0.1:8002/api/auth/me",
    "agentcaller": "http://127.0.0.1:8000/v1/auth/me",
}
_OPENED = {
    name: f"curl -s -o /dev/null -w '%{{http_code}}' -H \"Authorization: Bearer $token\" {url}"
    for name, url in _PROTECTED.items()
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
