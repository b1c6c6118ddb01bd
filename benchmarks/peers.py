"""What stock pyinfra and Ansible do for the same checks, with their own operations and modules.

All of it is made anew in the benchmark's folder; Ansible and Mitogen get an environment of their
own there (pip, from PyPI) and are no dependency of anything else.
"""

import json
import shlex
import subprocess
import sys
from pathlib import Path

from tests.lab import canaries
from tests.lab.base import run
from tests.lab.host import Host
from tests.lab.image import dot_env

from . import floor
from .measure import Command

ROOT = "/srv/halext.org/halext-org/backend"
ANSIBLE = ("ansible-core", "mitogen")
STRATEGIES = "lib/python3*/site-packages/ansible_mitogen/plugins/strategy"
ROLE = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'halext_user'"
USER = f"SELECT is_active FROM users WHERE username = '{floor.ACCOUNT}'"
# On the host, and again until the backend answers, for it may have been started just now.
LOGIN = """\
for _ in $(seq 600); do
    token=$(curl -sf -H {header} -d {data} http://127.0.0.1/token) && break
    sleep 0.05
done
token=${{token#*access_token\\":\\"}}
curl -sf -H "Authorization: Bearer ${{token%%\\"*}}" http://127.0.0.1/users/me
"""
STOCK = """\
import json
import os

from pyinfra.operations import files, pip, server, systemd

given = json.load(open(os.environ["BENCHMARK_GIVEN"]))
root = given["root"]
pip.packages(
    name="Packages", requirements=f"{root}/requirements.txt", virtualenv=f"{root}/env",
    extra_install_args="--no-index", _sudo=True,
)
for number, line in enumerate(given["lines"]):
    files.line(
        name=f"Key {number}", path=f"{root}/.env", line=line, escape_regex_characters=True,
        _sudo=True,
    )
for name, database, query in given["queries"]:
    server.shell(
        name=name, _sudo=True, _sudo_user="postgres",
        commands=f'psql -XAtq {database} -c "{query}" | grep -qx t',
    )
systemd.service(name="Unit", service="halext-api.service", running=True, enabled=True, _sudo=True)
server.shell(name="Login", commands=given["login"])
"""
INVENTORY = """\
import json
import os

hosts = json.load(open(os.environ["BENCHMARK_GIVEN"]))["hosts"]
hosts = [(name, data) for name, data in hosts]
"""


def prepare(folder: Path) -> str:
    """Install Ansible in the folder, and write what peers read; give the versions of Ansible's."""
    run([sys.executable, "-m", "venv", str(folder / "ansible")])
    run([str(folder / "ansible/bin/pip"), "install", "--quiet", *ANSIBLE])
    (folder / "stock.py").write_text(STOCK)
    (folder / "stock_inventory.py").write_text(INVENTORY)
    (folder / "ansible.cfg").write_text("")
    (folder / "modules.yml").write_text(json.dumps(_play(_modules())))
    (folder / "shell.yml").write_text(json.dumps(_play([_shell(folder)])))
    listed = subprocess.run(
        [folder / "ansible/bin/pip", "list", "--format=freeze"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = [line for line in listed.splitlines() if line.partition("==")[0] in ANSIBLE]
    return ", ".join(found)


def stock(folder: Path, pyinfra: Path, host: Host, addresses: list[str]) -> Command:
    """Give pyinfra's command with its own operations."""
    given = folder / "stock.json"
    named = [(address, _ssh(folder, host, address)) for address in addresses]
    queries = [("Role", "halext_org", ROLE), ("User", "halext_org", USER)]
    about = {"root": ROOT, "lines": _lines(), "queries": queries, "login": _login()}
    given.write_text(json.dumps({**about, "hosts": named}))
    words = [str(pyinfra), "-y", str(folder / "stock_inventory.py"), str(folder / "stock.py")]
    return Command(words, {"BENCHMARK_GIVEN": str(given), "HOME": str(folder)})


def ansible(folder: Path, host: Host, addresses: list[str], *, how: str) -> Command:
    """Give Ansible's command: `pipelined`, `mitogen` (modules) or `shell` (one task)."""
    inventory = folder / "ansible-hosts"
    inventory.write_text("".join(_ansible_host(host, address) for address in addresses))
    environment = {
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "ANSIBLE_NOCOWS": "1",
        "ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": str(len(addresses)),
        "ANSIBLE_SSH_COMMON_ARGS": f"-F {folder}/ssh_config",
        # a path of a socket may have 108 bytes; each run opens its own connections
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=1",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"), "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    if how == "mitogen":
        (plugins,) = (folder / "ansible").glob(STRATEGIES)
        environment |= {
            "ANSIBLE_STRATEGY_PLUGINS": str(plugins), "ANSIBLE_STRATEGY": "mitogen_linear",
            "ANSIBLE_HOST_KEY_CHECKING": "0",  # its own ssh command line has no known_hosts of ours
        }  # fmt: skip
    play = folder / ("shell.yml" if how == "shell" else "modules.yml")
    words = [str(folder / "ansible/bin/ansible-playbook"), "-i", str(inventory), str(play)]
    return Command(words, environment)


def _ansible_host(host: Host, address: str) -> str:
    name, _, port = address.partition(":")
    return (
        f"host-{address.replace(':', '-')} ansible_host={name} ansible_port={port}"
        f" ansible_user=deploy ansible_ssh_private_key_file={host.key}"
        " ansible_python_interpreter=/usr/bin/python3\n"
    )


def _ssh(folder: Path, host: Host, address: str) -> dict[str, object]:
    name, _, port = address.partition(":")
    known = {"ssh_known_hosts_file": f"{folder}/known_hosts", "ssh_config_file": "/dev/null"}
    return {
        "ssh_hostname": name, "ssh_port": int(port), "ssh_user": "deploy",
        "ssh_key": str(host.key), "ssh_strict_host_key_checking": "yes", **known,
    }  # fmt: skip


def _lines() -> list[str]:
    return [line for line in dot_env().splitlines() if line.partition("=")[0] in floor.KEYS]


def _login() -> str:
    header = shlex.quote(f"X-Halext-Code: {canaries.ACCESS_CODE}")
    data = f"grant_type=password&username={floor.ACCOUNT}&password={floor.PASSWORD}"
    return LOGIN.format(header=header, data=shlex.quote(data))


def _play(tasks: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{"hosts": "all", "gather_facts": False, "tasks": tasks}]


def _shell(folder: Path) -> dict[str, object]:
    """Give the least that Ansible can do: the floor's checks and the login as one task."""
    script = (folder / "mending/checks.sh").read_text() + _login()
    (folder / "shell.sh").write_text(script)
    return {
        "become": True, "changed_when": False, "register": "seen",
        "ansible.builtin.shell": {"cmd": f"{{{{ lookup('file', '{folder}/shell.sh') }}}}"},
        "failed_when": f"'\"username\":\"{floor.ACCOUNT}\"' not in seen.stdout"
        " or 'venv ok' not in seen.stdout or 'env ok' not in seen.stdout",
    }  # fmt: skip


def _modules() -> list[dict[str, object]]:
    """Give a task for each check. A command stands for pip: its module needs packages there."""
    pip = f"{ROOT}/env/bin/python -m pip install --quiet --no-index -r {ROOT}/requirements.txt"
    lines = [
        {
            "become": True, "no_log": True,
            "ansible.builtin.lineinfile": {
                "path": f"{ROOT}/.env", "regexp": f"^{line.partition('=')[0]}=", "line": line},
        }
        for line in _lines()
    ]  # fmt: skip
    queries = [
        {
            "become": True, "become_user": "postgres", "changed_when": False, "register": "seen",
            "ansible.builtin.command": {"argv": ["psql", "-XAtq", "halext_org", "-c", query]},
            "failed_when": "seen.stdout != 't'",
        }
        for query in (ROLE, USER)
    ]  # fmt: skip
    unit = {"name": "halext-api.service", "state": "started", "enabled": True}
    token = {
        "url": "http://127.0.0.1/token", "method": "POST", "body_format": "form-urlencoded",
        "body": {"username": floor.ACCOUNT, "password": floor.PASSWORD},
        "headers": {"X-Halext-Code": canaries.ACCESS_CODE},
    }  # fmt: skip
    me = {
        "url": "http://127.0.0.1/users/me",
        "headers": {"Authorization": "Bearer {{ token.json.access_token }}"},
    }
    again = {"until": "token is succeeded", "retries": 100, "delay": 0.05}
    return [
        {"become": True, "changed_when": False, "ansible.builtin.command": pip},
        *lines,
        *queries,
        {"become": True, "ansible.builtin.systemd_service": unit},
        {"ansible.builtin.uri": token, "register": "token", "no_log": True, **again},
        {"ansible.builtin.uri": me, "no_log": True},
    ]
