"""relogin on the backend's own host: installed there from wheels, and run on `@local`."""

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .cases import EVERYTHING
from .host import Host
from .product import REPOSITORY, SECRETS, Ran, keeping_secrets
from .steps import sample
from .test_hosts import HEALED, PROVEN, findings
from .test_restore import differences, unexpected
from .wheel import HOME, install

pytestmark = pytest.mark.lab

# Of each run, on the machine that it is run from: here that is the host.
HISTORY = tuple(f"file:{home}/.local/state/relogin/history" for home in ("/root", "/home/deploy"))
RESTORE = "relogin.deploys.restore_access.restore_access -y"
DIAGNOSE = "relogin.deploys.diagnose.diagnose --dry"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an inventory, and the example as the data of every host."""
    folder = tmp_path_factory.mktemp("local")
    (folder / "hosts.py").write_text('halext = ["@local"]\n')
    (folder / "group_data").mkdir()
    shutil.copy(REPOSITORY / "inventories/group_data/halext.py", folder / "group_data")
    (folder / "literal/group_data").mkdir(parents=True)
    shutil.copy(
        REPOSITORY / "inventories/group_data/halext.py", folder / "literal/group_data/all.py"
    )
    return folder


@pytest.fixture(scope="module")
def installed(lab: list[Host], house: Path) -> Iterator[Host]:
    install(lab[0])
    lab[0].install(house, ["hosts.py", "group_data", "literal"], f"tar -x -C {HOME}")
    yield lab[0]
    lab[0].root(f"rm -r {HOME} /root/.local")


@pytest.fixture
def host(installed: Host) -> Iterator[Host]:
    yield installed
    installed.heal()


@pytest.mark.parametrize(
    ("user", "folder", "inventory"),
    sample([("root", HOME, "hosts.py"), ("deploy", f"{HOME}/literal", "@local")], 1),
)
def test_a_host_heals_itself(host, user, folder, inventory):
    def pyinfra(deploy):
        return local(host, f"cd {folder} && {HOME}/env/bin/pyinfra {inventory} {deploy}", user)

    looked = pyinfra(DIAGNOSE)

    assert (0, []) == (looked.code, findings(looked)), looked.output
    assert PROVEN in looked.verdict, looked.output

    host.root(EVERYTHING)
    assert not host.login().works
    ran = pyinfra(RESTORE)

    assert 0 == ran.code, ran.output
    assert f"@local · halext: {HEALED}" in ran.verdict, ran.output
    assert "✗" not in ran.verdict, ran.output
    assert host.login().works
    mended = host.snapshot()
    again = pyinfra(RESTORE)
    assert (0, []) == (again.code, again.changed()), again.output
    assert {} == unexpected(differences(mended, host.snapshot()), HISTORY)


def local(host: Host, command: str, user: str) -> Ran:
    """Run a command as a user of the host, with the secrets in its environment; all by stdin."""
    exports = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in SECRETS.items())
    script = f"{exports}export NO_COLOR=1; HOME=$(echo ~{user}); {command} 2>&1\n"
    done = host.console(["runuser", "-u", user, "--", "sh", "-s"], script.encode())
    return keeping_secrets(Ran(done.returncode, done.stdout.decode()))
