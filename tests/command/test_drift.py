"""drift on a schedule: who changed what, what is corrected, and when it is left to a person."""

import json
import sqlite3
import time
from contextlib import closing
from typing import Any

import jsonschema
import pytest

from relogin.report.files import schema
from tests.command.folder import Folder

FAULT = "env_file.key-not-declared-value"


def ran(folder: Folder, code: int, *words: str) -> dict[str, Any]:
    done = folder.run("drift", "inventory.py", "--json", *words)
    assert code == done.returncode, done.stdout + done.stderr
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert "drift" == document["purpose"]
    return dict(document["hosts"][0]["backends"][0])


def changed_by_hand(folder: Folder, text: str = "MODE=dead\n") -> None:
    folder.env.write_text(text)


def declares(folder: Folder, before: str, after: str) -> None:
    inventory = folder.home / "inventory.py"
    text = inventory.read_text()
    assert before in text
    inventory.write_text(text.replace(before, after))


def long_ago(folder: Folder, seconds: float) -> None:
    """Let every run that was kept have been earlier, as if time had passed."""
    with closing(sqlite3.connect(folder.home / "state/relogin/history.sqlite")) as history:
        history.execute("UPDATE run SET began = began - ?", (seconds,))
        history.commit()


def test_no_drift_is_0_and_refusals_are_not_tried(folder: Folder) -> None:
    proof = ran(folder, 0)["proof"]
    assert proof["proven"]
    assert "wrong-password" not in {one["name"] for one in proof["checks"]}


def test_what_the_host_changed_is_corrected_and_told_as_corrective(folder: Folder) -> None:
    ran(folder, 0)
    changed_by_hand(folder)
    found = ran(folder, 2)
    assert [("corrective", "mended")] == [(one["cause"], one["state"]) for one in found["findings"]]
    assert "MODE=live\n" == folder.env.read_text()
    assert "wrong-password" in {one["name"] for one in found["proof"]["checks"]}
    assert [] == ran(folder, 0)["findings"]


def test_what_the_declaration_changed_is_intentional(folder: Folder) -> None:
    ran(folder, 0)
    declares(folder, '"MODE": "live"', '"MODE": "new"')
    assert ["intentional"] == [one["cause"] for one in ran(folder, 2)["findings"]]
    assert "MODE=new\n" == folder.env.read_text()


def test_what_was_never_applied_is_new(folder: Folder) -> None:
    changed_by_hand(folder)
    assert ["new"] == [one["cause"] for one in ran(folder, 2)["findings"]]


def test_another_keys_declaration_makes_no_change_of_the_host_intentional(folder) -> None:
    ran(folder, 0)
    changed_by_hand(folder)
    declares(folder, '"MODE": "live"', '"MODE": "live", "OTHER": "1"')
    found = {one["subject"].rpartition(":")[2]: one["cause"] for one in ran(folder, 2)["findings"]}
    assert {"MODE": "corrective", "OTHER": "intentional"} == found


def test_report_only_corrects_nothing(folder: Folder) -> None:
    ran(folder, 0)
    changed_by_hand(folder)
    found = ran(folder, 2, "--report-only")
    assert [("corrective", "left")] == [(one["cause"], one["state"]) for one in found["findings"]]
    assert ("MODE=dead\n", []) == (folder.env.read_text(), found["changes"])
    assert "wrong-password" not in {one["name"] for one in found["proof"]["checks"]}


def test_a_foreign_tool_that_keeps_changing_a_value_back_is_not_fought(folder: Folder) -> None:
    """Once it is mended; what is back within the cooldown is a person's: exit 4, and why."""
    changed_by_hand(folder)
    ran(folder, 2)
    changed_by_hand(folder)
    found = ran(folder, 4)
    assert ("refused", []) == (found["outcome"], found["changes"])
    [finding] = found["findings"]
    assert "left" == finding["state"]
    assert "something else keeps changing it back" in finding["held"]
    assert "MODE=dead\n" == folder.env.read_text()
    long_ago(folder, 1801)
    ran(folder, 2)
    assert "MODE=live\n" == folder.env.read_text()


def test_a_clock_that_was_set_back_lifts_no_cooldown(folder: Folder) -> None:
    changed_by_hand(folder)
    ran(folder, 2)
    long_ago(folder, -7200)  # the run lies in the future now
    changed_by_hand(folder)
    ran(folder, 4)


def test_the_cap_stops_all_repairs_of_a_backend_until_the_window_has_passed(folder) -> None:
    for _ in range(2):
        changed_by_hand(folder)
        ran(folder, 2, "--cap", "2")
        long_ago(folder, 1801)
    changed_by_hand(folder)
    [finding] = ran(folder, 4, "--cap", "2")["findings"]
    assert finding["held"].startswith("2 repairs here within 24 h")
    assert "MODE=dead\n" == folder.env.read_text()
    long_ago(folder, 86400)
    ran(folder, 2, "--cap", "2")
    assert "MODE=live\n" == folder.env.read_text()


def test_restore_is_a_persons_and_knows_no_cooldown(folder: Folder) -> None:
    for _ in range(2):
        changed_by_hand(folder)
        assert 0 == folder.run("restore", "inventory.py").returncode
        assert "MODE=live\n" == folder.env.read_text()


def test_a_refused_login_on_a_schedule_is_3_and_unreachable_1(folder: Folder) -> None:
    folder.backend.lets_in = "another one"
    ran(folder, 3)
    folder.hosts(("web1", {"ssh_hostname": "127.0.0.1", "ssh_port": 9}))
    done = folder.run("drift", "inventory.py")
    assert 1 == done.returncode


def with_token(folder: Folder) -> None:
    """The backend's tokens are declared to be signed by a key of its env file."""
    declares(folder, '"MODE": "live"', '"MODE": "live", "KEY": Secret.kept()')
    declares(folder, "from relogin import ", "from relogin import FromEnv, Jwt, ")
    declares(folder, "accepted=_accepted", 'token=Jwt(secret=FromEnv("KEY")), accepted=_accepted')


def test_a_secret_that_was_replaced_since_the_last_proven_login_is_said(folder: Folder) -> None:
    """Its token is no JWT, so no login is proven with it; the history is told that one was."""
    with_token(folder)
    folder.env.write_text(f"MODE=live\nKEY={'a' * 64}\n")
    folder.run("diagnose", "inventory.py")
    with closing(sqlite3.connect(folder.home / "state/relogin/history.sqlite")) as history:
        assert [(8,)] == history.execute("SELECT length(signing) FROM result").fetchall()
        history.execute("UPDATE result SET proven = 1")
        history.commit()
    assert "jwt.secret-changed" not in folder.run("diagnose", "inventory.py").stdout
    folder.env.write_text(f"MODE=live\nKEY={'b' * 64}\n")
    told = folder.run("diagnose", "inventory.py").stdout
    assert "jwt.secret-changed" in told
    assert time.strftime("%Y-%m-%d") in told.partition("jwt.secret-changed")[2].split("\n")[1]


@pytest.mark.parametrize(("word", "value"), [("--cooldown", "x"), ("--cap", "1.5")])
def test_limits_that_are_no_numbers_are_64(folder: Folder, word: str, value: str) -> None:
    assert 64 == folder.run("drift", "inventory.py", word, value).returncode
