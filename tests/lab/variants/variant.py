"""What every variant has: a script that makes it, a profile made from the shipped one, faults."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.cases.case import BACKEND, ENV, PSQL, UNDO
from tests.lab.inventory import RESTORE, Way
from tests.lab.product import SECRETS, Ran, pyinfra

_PROFILE = '''\
import runpy
from dataclasses import replace

from relogin import *

halext = runpy.run_path("inventories/group_data/halext.py")["halext"]
env = halext.env_files[0]


def with_url(**changes):
    """Give the example with another DATABASE_URL."""
    url = replace(env.keys["DATABASE_URL"], **changes)
    return replace(halext, env_file=replace(env, keys={**env.keys, "DATABASE_URL": url}))


'''


# What needs root, the database's administrator, the service manager and the backend's own commands.
FAULTS_BESIDE_ENV = f"""
{PSQL} -d halext_org -c "DELETE FROM users WHERE username = 'ops'"
{PSQL} -c "ALTER ROLE halext_user PASSWORD 'of-yesterday'"
systemctl stop halext-api 'postgresql@*-main.service'
"""
FAULTS = f"""
sed -i -e /^SECRET_KEY=/d -e 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' {BACKEND}/.env
{FAULTS_BESIDE_ENV}"""


@dataclass(frozen=True)
class Variant:
    """A host of some kind: `prepare` makes an ordinary one that; `profile` gives its backends.

    `prepare` and `inject` are scripts of root; `profile` is Python that binds what pyinfra finds as
    group data, beginning with `halext`, the shipped example, and `env`, its env file. `differs` are
    beginnings of snapshot keys that may differ once the faults are mended; what `apart` prints may
    not. `exported` says that the backend has its secrets from its environment, and so its own
    commands, too.
    """

    name: str
    prepare: str = ""
    profile: str = ""
    inject: str = FAULTS
    differs: tuple[str, ...] = ()
    apart: str = "true"
    user: str = "deploy"
    exported: bool = False

    def __str__(self) -> str:
        return self.name


def run(folder: Path, profiles: list[tuple[Way, str]], *words: str) -> Ran:
    """Run pyinfra on ways to hosts, each in a group with this profile: the restore by default."""
    data = folder / "group_data"
    data.mkdir(exist_ok=True)
    lines = ""
    for number, (way, profile) in enumerate(profiles):
        lines += f"variant_{number} = [\n{way.line()}]\n"
        (data / f"variant_{number}.py").write_text(_PROFILE + profile)
    inventory = folder / "hosts.py"
    inventory.write_text(f"from relogin import Secret\n\n{lines}")
    groups = ("--group-data", "inventories/group_data", "--group-data", str(data))
    return pyinfra([], *groups, *(words or RESTORE), inventory=str(inventory), secrets=SECRETS)


MAY_DIFFER = (
    *(*ENV, *UNDO, "file:/srv/", "distribution:", "env:SECRET_KEY"),
    *("role-verifier:halext_user", "row:halext_org.public.users:"),
    "value:halext_org.public.users_id_seq",
)
