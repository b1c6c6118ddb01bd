"""Run the product on the host of many backends, with the examples' own data; and log in by curl."""

import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from tests.lab.backends import canaries
from tests.lab.host import Host
from tests.lab.inventory import RESTORE, by
from tests.lab.product import REPOSITORY, Ran, changed, pyinfra


def by_url(user: str, password: str) -> str:
    """Give the URL of an administrator."""
    return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:5432/postgres"


SECRETS = {
    "OWNER_PASSWORD": canaries.OWNER_PASSWORD,
    "MEMBER_PASSWORD": canaries.OTHERS_PASSWORD,
    "MEMBER_TOTP": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",  # tests/apps/task_074/hub/seed.py
    "PARTS_DATABASE_PASSWORD": canaries.PARTS_DATABASE,
    "PARTS_JWT_SECRET": canaries.PARTS_JWT,
    "DATABASE_ADMIN_URL": by_url("dba", canaries.ADMIN_PASSWORD),
    "DATABASE_MANAGER_URL": by_url("manager", canaries.MANAGER_PASSWORD),
}


def run(
    folder: Path, host: Host, backend: str, *words: str, described: str = "", profile: str = ""
) -> Ran:
    """Run pyinfra on one of the host's backends: the restore by default, without a prompt.

    The example's data is copied, with what is `described` beside it: the certificate that it names
    lies beside the inventory. `profile` changes it as arguments of dataclasses.replace.
    """
    if profile:
        described = changed(profile, backend)
    return run_each(folder, host, [backend], *(words or RESTORE), described=described)


def run_each(
    folder: Path, host: Host, backends: Iterable[str], *words: str, described: str = ""
) -> Ran:
    """Run pyinfra once, on several of the host's backends."""
    data = folder / "group_data"
    data.mkdir(exist_ok=True)
    for backend in backends:
        shutil.copy(REPOSITORY / "inventories" / "group_data" / f"{backend}.py", data)
        with (data / f"{backend}.py").open("a") as copied:
            copied.write(described)
    (folder / "desk.pem").write_text(host.root("cat /root/pristine/etc/nginx/desk.crt"))
    inventory = folder / "hosts.py"
    groups = [f"{backend} = [\n{by(host).line()}]\n" for backend in backends]
    inventory.write_text("".join(groups))
    where = ("--group-data", str(data))
    return pyinfra([], *where, *words, inventory=str(inventory), secrets=SECRETS)


def diagnose(
    folder: Path, host: Host, backend: str, described: str = "", *, profile: str = ""
) -> Ran:
    words = ("deploys/diagnose.py", "--dry")
    return run(folder, host, backend, *words, described=described, profile=profile)


def logs_in(host: Host, backend: str) -> bool:
    """Tell whether curl on the host logs the owner in, and the protected route opens then."""
    return "200" == host.root(_LOGIN[backend], check=False).strip()


def session(host: Host) -> str:
    """Log the owner in to Django by curl, and give the session's id."""
    return host.root(f"{_SESSION}\necho $sid").strip()


def opened(host: Host, sid: str) -> str:
    """Give the status with which Django answers to a session."""
    at, name = "http://127.0.0.1:8105/accounts/profile/", "Host: shop.example.org"
    return host.root(f"curl {_STATUS} -H '{name}' -H 'Cookie: sessionid={sid}' {at}").strip()


_PASSWORD = shlex.quote(canaries.OWNER_PASSWORD)
_STATUS = "-s -o /dev/null -w '%{http_code}'"
_TOKEN = 'sed \'s/.*"access\\(_token\\)\\?" *: *"\\([^"]*\\)".*/\\2/\''


def _by_json(login: str, name: str, account: str, me: str) -> str:
    return f"""\
password={_PASSWORD}
token=$(printf '{{"{name}": "{account}", "password": "%s"}}' "$password" |
  curl -s -H 'Content-Type: application/json' -H 'Host: shop.example.org' -d @- {login} | {_TOKEN})
curl {_STATUS} -H 'Host: shop.example.org' -H "Authorization: Bearer $token" {me}"""


_SESSION = f"""\
jar=$(mktemp); at=http://127.0.0.1:8105/accounts; host='Host: shop.example.org'
curl -s -o /dev/null -c $jar -H "$host" $at/login/
sed -i 's/^\\(#HttpOnly_\\)\\{{0,1\\}}shop.example.org/\\1127.0.0.1/' $jar
token=$(awk '$6 == "csrftoken" {{ print $7 }}' $jar)
sid=$(printf %s {_PASSWORD} | curl -s -o /dev/null -D - -H "$host" -H "Cookie: csrftoken=$token" \\
  -d username=owner -d csrfmiddlewaretoken="$token" --data-urlencode password@- $at/login/ |
  sed -n 's/^Set-Cookie: sessionid=\\([^;]*\\).*/\\1/p')
rm $jar"""
_LOGIN = {
    "fastapi_argon": _by_json(
        "http://127.0.0.1:8101/api/v1/auth/sign-in",
        "email",
        "owner@example.com",
        "http://127.0.0.1:8101/api/v1/me",
    ),
    "fastapi_parts": _by_json(
        "http://127.0.0.1:8102/api/v1/auth/sign-in",
        "email",
        "owner@example.com",
        "http://127.0.0.1:8102/api/v1/me",
    ),
    "fastapi_elsewhere": _by_json(
        "http://127.0.0.1:8102/api/v1/auth/sign-in",
        "email",
        "owner@example.com",
        "http://127.0.0.1:8102/api/v1/me",
    ),
    "fastapi_supervisor": _by_json(
        "http://127.0.0.1:8107/api/v1/auth/sign-in",
        "email",
        "owner@example.com",
        "http://127.0.0.1:8107/api/v1/me",
    ),
    "django_simplejwt": _by_json(
        "http://127.0.0.1:8105/api/token/", "username", "owner", "http://127.0.0.1:8105/api/me/"
    ),
    "task_074": _by_json(
        "http://127.0.0.1:8108/api/v1/auth/login",
        "username",
        "owner",
        "http://127.0.0.1:8108/api/v1/users/me",
    ),
    "fastapi_rs256": f"""\
access=$(printf %s {_PASSWORD} |
  curl -s -d username=owner --data-urlencode password@- http://127.0.0.1:8103/login | {_TOKEN})
curl {_STATUS} -H "Authorization: Bearer $access" http://127.0.0.1:8103/me""",
    "fastapi_es256": f"""\
cookie=$(printf %s {_PASSWORD} | curl -s -o /dev/null -D - -d username=owner \\
  --data-urlencode password@- http://127.0.0.1:8104/login |
  sed -n 's/^set-cookie: \\(session_token=[^;]*\\).*/\\1/p')
curl {_STATUS} -H "Cookie: $cookie" http://127.0.0.1:8104/me""",
    "django_session": f"""{_SESSION}
curl {_STATUS} -H "$host" -H "Cookie: sessionid=$sid" $at/profile/""",
    "flask_werkzeug": f"""\
at=https://127.0.0.1:8443; host='Host: desk.example.org'; ca=/etc/nginx/desk.crt
session=$(printf %s {_PASSWORD} | curl -s -o /dev/null -D - --cacert $ca -H "$host" \\
  -d name=owner --data-urlencode password@- $at/login |
  tr -d '\\r' | sed -n 's/^[Ss]et-[Cc]ookie: session=\\([^;]*\\).*/\\1/p')
curl {_STATUS} --cacert $ca -H "$host" -H "Cookie: session=$session" $at/me""",
}
BACKENDS = tuple(_LOGIN)
