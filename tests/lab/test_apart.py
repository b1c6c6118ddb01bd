"""What cannot be helped keeps nothing else from being mended: a host, a layer, a poor shell."""

import dataclasses
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from relogin import shell
from relogin.facts import observation
from relogin.remote import answer_in, unframed
from tests.operations.looks import HALEXT

from .cases.case import PSQL, UNINSTALL
from .host import Host
from .inventory import Way, block, by, run
from .product import restore

pytestmark = pytest.mark.lab

NOT_REACHED = "could not be reached; nothing is known"


@pytest.fixture
def pair(lab: list[Host]) -> Iterator[list[Host]]:
    yield lab
    for host in lab:
        host.heal()


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


def beyond_reach(host: Host, why: str) -> Way:
    nobody = re.sub(r"\.\d+\.\d+$", ".255.254", host.address)
    return {
        "closed port": by(host, ssh_port="2"),
        "no such address": by(dataclasses.replace(host, address=nobody)),
    }[why]


@pytest.mark.parametrize("why", ["closed port", "no such address"])
def test_the_host_that_can_be_reached_is_healed(pair, tmp_path, why):
    lost, reached = pair
    reached.root(f"systemctl stop halext-api\n{PSQL} -c 'ALTER ROLE halext_user NOLOGIN'")

    ran = run(tmp_path, [beyond_reach(lost, why), by(reached)])

    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output
    assert "people can log in again" in block(ran, reached), ran.output
    assert f"{lost.name}: {NOT_REACHED}" == block(ran, lost)
    assert reached.login().works


def test_where_no_host_can_be_reached_pyinfra_ends_with_1_and_runs_nothing_of_ours(lab, tmp_path):
    """It stops before any deploy is loaded, so there is no verdict: only its exit code tells."""
    ran = run(tmp_path, [beyond_reach(host, "closed port") for host in lab])
    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output
    assert "" == ran.verdict


def test_a_layer_that_cannot_be_mended_keeps_no_other_from_it(host):
    """pip finds no wheel; a login cannot work without python-multipart, but it is tried."""
    host.root(f"""mv /srv/wheels /srv/wheels.away
    {UNINSTALL} python-multipart 2>/dev/null
    {PSQL} -d halext_org -c 'UPDATE users SET is_active = false WHERE id = 1'
    {PSQL} -c 'ALTER ROLE halext_user NOLOGIN'
    systemctl restart halext-api; sleep 2""")

    ran = restore(host)

    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output
    found = ran.verdict
    assert "✗ python-multipart is not installed" in found, found
    assert "✓ account ops is not active" in found, found
    assert "✓ role halext_user may not log in" in found, found
    assert [line for line in ran.section("Proof") if line.startswith("✗ POST")], found
    active = "SELECT is_active FROM users WHERE id = 1"
    login = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'halext_user'"
    assert ["t\n", "t\n"] == [host.psql(active), host.psql(login)]


def test_the_whole_look_says_the_same_to_busybox_as_to_dash(host):
    """busybox's sh takes its own applets, its own `stat` and `head` among them, before others."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("there is no busybox on this machine")
    copied = ["docker", "cp", "--follow-link", busybox, f"{host.name}:/usr/local/bin/busybox"]
    subprocess.run(copied, check=True, capture_output=True)
    script = shell.framed(shell.side_by_side(observation.scripts(HALEXT)))

    said = {
        shown: parts(host.console([*words, "-s"], script.encode()).stdout)
        for shown, words in {"dash": ["dash"], "busybox": ["busybox", "sh"]}.items()
    }

    assert [] == [name for name, answer in said["busybox"].items() if answer != said["dash"][name]]
    assert {"machine", "env_0", "venv", "service", "postgres"} <= said["busybox"].keys()


# What differs from one moment to the next: clocks, room on disks, the nonce of the role's proof.
PASSING = re.compile(rb'\d{9,}\.\d+|\t\d+|"(?:nonce|proof|now)": "[^"]+"')


def parts(received: bytes) -> dict[str, tuple[bytes, int]]:
    found = dict(pair for line in unframed(received) if (pair := answer_in(line)))
    plain = {name: answer for name, answer in found.items() if name != "service"}
    nested = dict(pair for line in found["service"].lines if (pair := answer_in(line)))
    return {
        name: (PASSING.sub(b"", answer.text), answer.status)
        for name, answer in {
            **plain,
            **{f"service.{key}": it for key, it in nested.items()},
        }.items()
    } | {"service": (b"", found["service"].status)}
