"""Two hosts, one with Debian 12 and one with 13, get two backends each, in one run.

Only with RELOGIN_TEST_ALL=1: it takes minutes.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab.backends import canaries
from tests.lab.backends.product import logs_in
from tests.lab.base import BARE, BOOKWORM, PYTHON, TRIXIE
from tests.lab.host import Host
from tests.lab.image import APPS, download_wheels
from tests.lab.inventory import by
from tests.lab.product import REPOSITORY, Ran, pyinfra

pytestmark = pytest.mark.lab
NAMES = ("django_session", "fastapi_argon")
DATA = """
import dataclasses as _dataclasses
import runpy as _runpy

from relogin import Onboard as _Onboard
from relogin import Source as _Source


def _onboarded(name):
    known = _runpy.run_path(f"{EXAMPLES}/{name}.py")[name]
    wheels = ("--no-index", "--find-links=/var/lib/wheels")
    return _dataclasses.replace(
        known,
        onboard=_Onboard(),
        source=_Source(known.service.working_directory, checkout=f"{CODE}/{name}"),
        venv=_dataclasses.replace(known.venv, pip_args=wheels),
    )


django = _onboarded("django_session")
argon = _onboarded("fastapi_argon")
"""


def committed(folder: Path, name: str) -> None:
    """Make a repository of the control machine with an application's code."""
    made = folder / name
    subprocess.run(["cp", "-r", APPS / name, made], check=True)
    (made / ".gitignore").write_text("__pycache__/\n")
    own = ["git", "-C", made, "-c", "user.name=lab", "-c", "user.email=lab@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*own, *words], check=True)


def with_wheels(host: Host, folder: Path) -> None:
    suite = BOOKWORM if host.suite == BARE else TRIXIE
    for name in NAMES:
        download_wheels(folder / "wheels", PYTHON[suite], APPS / name / "requirements.txt")
    host.install(folder, ["wheels"], "tar -x -C /var/lib; chmod -R a+rX /var/lib/wheels")


def onboard(folder: Path, hosts: list[Host]) -> Ran:
    """Onboard both backends on all hosts in one run."""
    data = folder / "group_data"
    data.mkdir(exist_ok=True)
    examples = str(REPOSITORY / "inventories" / "group_data")
    text = DATA.replace("{EXAMPLES}", examples).replace("{CODE}", str(folder))
    (data / "several.py").write_text(text)
    inventory = folder / "hosts.py"
    inventory.write_text(f"several = [\n{''.join(by(host).line() for host in hosts)}]\n")
    words = ("--group-data", str(data), "deploys/onboard.py", "-y")
    secrets = {"OWNER_PASSWORD": canaries.OWNER_PASSWORD}
    return pyinfra([], *words, inventory=str(inventory), secrets=secrets, timeout=1800)


if os.environ.get("RELOGIN_TEST_ALL"):

    def test_two_hosts_get_two_backends_each(bare: Host, bare_trixie: Host, tmp_path: Path) -> None:
        hosts = [bare, bare_trixie]
        for name in NAMES:
            committed(tmp_path, name)
        for host in hosts:
            with_wheels(host, tmp_path / host.suite)
        ran = onboard(tmp_path, hosts)
        assert 0 == ran.code, ran.output
        for host in hosts:
            host.root("command -v curl || { apt-get update -qq; apt-get install -qqy curl; }")
            assert dict.fromkeys(NAMES, True) == {name: logs_in(host, name) for name in NAMES}
        again = onboard(tmp_path, hosts)
        assert 0 == again.code, again.output
        assert 4 == again.verdict.count("people can log in; nothing was changed")
