"""`relogin init` on servers that nobody has described: what it writes is nearly right at once."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from . import canaries
from .backends import canaries as others
from .host import Host
from .inventory import by
from .leaks import SIGNS, leaks
from .steps import sample

pytestmark = pytest.mark.lab

RELOGIN = str(Path(sys.executable).with_name("relogin"))
# What a person corrects, each below a mark; most backends need nothing.
EDITS: dict[str, list[tuple[str, str]]] = {
    **{name: [] for name in ("argon", "parts", "crew", "es256", "hub")},
    "rs256": [('token=Cookie("session_token"),', 'token="access",')],
    "desk": [
        ('"http://127.0.0.1:8106/token",',
         '"http://127.0.0.1:8106/login", fields={"name": "owner", "password": "{password}"},'),
        ('# ? token=Cookie(NAME), where it answers with a cookie', 'token=Cookie("session"),'),
        ('/users/me"', '/me"'),
    ],
    "shop": [
        ('_account = "bea"', '_account = "owner"'),
        ("# ? host_header=, one of ALLOWED_HOSTS, where 127.0.0.1 is none",
         'host_header="shop.example.org",'),
    ],
}  # fmt: skip


def relogin(folder: Path, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [RELOGIN, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "HOME": str(folder), "NO_COLOR": "1", **environ},
    )  # fmt: skip


def described(folder: Path, host: Host, state: Callable[[Host], object] = Host.snapshot) -> str:
    """Have a host described in a folder that only says how it is reached; give what was said.

    Its `state` is the same afterwards.
    """
    (folder / "reached.py").write_text(f"hosts = [\n{by(host).line()}]\n")
    before = state(host)
    done = relogin(folder, "init", host.name, "--inventory", "reached.py", "--into", "found")
    assert 0 == done.returncode, done.stderr
    assert before == state(host)
    written = "".join(path.read_text() for path in (folder / "found").rglob("*.py"))
    assert [] == leaks(written + done.stdout + done.stderr, SIGNS)
    return done.stdout


def healthy(folder: Path, host: Host, name: str, **secrets: str) -> None:
    """Diagnose a backend by what was written; its inventory says how the host is reached."""
    (folder / "found/hosts.py").write_text(f"{name} = [\n{by(host).line()}]\n")
    checked = relogin(folder, "check", "found/hosts.py", "--secrets", **secrets)
    assert 0 == checked.returncode, checked.stdout
    done = relogin(folder, "diagnose", "found/hosts.py", **secrets)
    assert 0 == done.returncode, done.stdout + (folder / f"found/group_data/{name}.py").read_text()
    assert "people can log in; nothing was changed" in done.stdout


def test_halexts_host_is_described_so_that_it_is_found_healthy(tmp_path, lab: list[Host]) -> None:
    assert "found/group_data/halext.py" in described(tmp_path, lab[0])
    healthy(
        tmp_path, lab[0], "halext",
        HALEXT_PASSWORD=canaries.OPS_PASSWORD, HALEXT_ACCESS_CODE=canaries.ACCESS_CODE,
    )  # fmt: skip


def edited(path: Path, edits: list[tuple[str, str]]) -> None:
    """Make a person's edits: each of a mark, or in the line below one; three at most."""
    text = path.read_text()
    for before, after in edits:
        above, found, _ = text.partition(before)
        assert found, text
        assert "# ?" in "\n".join([*above.splitlines()[-2:], before]), before
        text = text.replace(before, after)
    assert len(edits) <= 3
    path.write_text(text)


@pytest.mark.parametrize("name", sample(list(EDITS), 2))
def test_another_backend_is_found_healthy_after_three_edits_at_most(
    tmp_path: Path, many: Host, name: str
) -> None:
    described(tmp_path, many)
    edited(tmp_path / f"found/group_data/{name}.py", EDITS[name])
    secrets = {f"{name.upper()}_PASSWORD": others.OWNER_PASSWORD}
    healthy(tmp_path, many, name, **secrets)


@pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="RELOGIN_TEST_ALL=1 has it")
def test_what_is_there_already_is_left_and_the_inventory_entry_is_said(tmp_path, lab) -> None:
    described(tmp_path, lab[0])
    mine = tmp_path / "found/group_data/halext.py"
    mine.write_text("mine = 1\n")
    words = ("--inventory", "reached.py", "--into", "found")
    done = relogin(tmp_path, "init", lab[0].name, *words)
    assert 1 == done.returncode
    assert "is there already, and was left as it is" in done.stdout
    assert f"halext = ['{lab[0].name}']" in done.stdout
    assert "mine = 1\n" == mine.read_text()
