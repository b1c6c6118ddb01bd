"""The crontab of the README, run as cron(8) does: by sh, and with hardly any environment."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.command.folder import BIN, PASSWORD, Folder
from tests.command.test_ping import Watching, watcher

__all__ = ["watcher"]
README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def crontab(folder: Folder, watcher: Watching) -> list[str]:
    """Give its three lines, for this folder; what is secret is in the .env beside the inventory."""
    (folder.home / ".env").write_text(f"OPS_PASSWORD={PASSWORD}\n")
    text = README.read_text().partition("By cron, ")[2].partition("\n\n")[2].partition("\n\n")[0]
    for word, here in {
        "/srv/ops/.venv/bin": str(BIN),
        "/srv/ops": str(folder.home),
        "inventories/prod.py": "inventory.py",
        "https://hc-ping.com/…": watcher.url,
    }.items():
        assert word in text
        text = text.replace(word, here)
    return [line.strip() for line in text.split("\n")]


def mail(folder: Folder, crontab: list[str]) -> str:
    """Run the command once as cron does; give what it would send by mail: all that was said."""
    *variables, entry = crontab
    command = entry.split(maxsplit=5)[5]
    assert "%" not in command  # crontab(5): a newline
    given = dict(line.split("=", 1) for line in variables)
    environment = {
        "HOME": str(folder.home), "LOGNAME": "ops", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin",
        "XDG_STATE_HOME": str(folder.home / "state"), **given,
    }  # fmt: skip
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, cwd=folder.home, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.stdout


def test_it_heals_without_a_word_and_mails_what_is_not_healed(folder, watcher, crontab) -> None:
    assert 3 == len(crontab)
    folder.env.write_text("MODE=dead\n")
    assert "" == mail(folder, crontab)
    assert "MODE=live\n" == folder.env.read_text()
    assert ["/start", ""] == watcher.heard
    folder.backend.lets_in = "another"
    said = mail(folder, crontab)
    assert "people cannot log in" in said, said
    assert ["/start", "/3"] == watcher.heard[2:]
    assert watcher.url not in said


def test_a_tick_that_comes_while_the_last_one_runs_is_left_out(folder, watcher, crontab) -> None:
    held = os.open(folder.home / ".relogin-drift", os.O_CREAT | os.O_RDWR)
    subprocess.run(["flock", str(held)], pass_fds=[held], check=True)
    assert ("", []) == (mail(folder, crontab), watcher.heard)
    os.close(held)
    assert ("", ["/start", ""]) == (mail(folder, crontab), watcher.heard)


def test_what_keeps_it_from_running_at_all_is_mailed(folder, watcher, crontab) -> None:
    (folder.home / "inventory.py").unlink()
    assert "inventory.py" in mail(folder, crontab)
    gone = [line.replace(shlex.quote(str(folder.home)), "/no/such") for line in crontab]
    assert "/no/such" in mail(folder, gone)
