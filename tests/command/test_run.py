"""diagnose and restore as a person or cron runs them: what they end with, each from a situation."""

import re
import subprocess

import pytest

from tests.command.folder import LOCAL, PASSWORD, Folder
from tests.core.ssh_server import serving_ssh

NOWHERE = {"ssh_hostname": "127.0.0.1", "ssh_port": 9}  # nobody listens on it
RULE = "─" * 78


def over_ssh(port: int) -> dict[str, object]:
    known = {"ssh_known_hosts_file": "/dev/null", "ssh_strict_host_key_checking": "off"}
    way = {"ssh_hostname": "127.0.0.1", "ssh_port": port, "ssh_user": "me", "ssh_password": "any"}
    return {**way, **known, "_sudo": False}


def headlines(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """The first line of each block of the verdict."""
    return [block.strip().splitlines()[0] for block in done.stdout.split(RULE) if block.strip()]


def ended(done: "subprocess.CompletedProcess[str]") -> tuple[int, list[str]]:
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, headlines(done)


WELL = "@local · mine: people can log in; nothing was changed"


@pytest.mark.parametrize("command", ["diagnose", "restore"])
def test_healthy_is_0(folder: Folder, command: str) -> None:
    assert (0, [WELL]) == ended(folder.run(command, "inventory.py"))


def test_what_was_mended_and_proven_is_0(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    done = folder.run("restore", "inventory.py")
    code, [headline] = ended(done)
    assert 0 == code
    assert headline.startswith("@local · mine: people can log in again")
    assert ": pyinfra inventory.py deploys/undo.py --data run=" in done.stdout
    assert "MODE=live\n" == folder.env.read_text()


def test_a_critical_finding_is_2_where_people_can_log_in_and_nothing_is_changed(
    folder: Folder,
) -> None:
    folder.env.write_text("MODE=dead\n")
    assert (2, [WELL]) == ended(folder.run("diagnose", "inventory.py"))
    assert "MODE=dead\n" == folder.env.read_text()


def test_a_warning_is_2_and_0_once_it_is_accepted(folder: Folder) -> None:
    folder.env.chmod(0o644)
    done = folder.run("diagnose", "inventory.py")
    assert (2, [WELL]) == ended(done)
    found = re.findall(r"env_file\.[\w-]+", done.stdout)
    folder.hosts(accepted=dict.fromkeys(found, "known since May"))
    done = folder.run("diagnose", "inventory.py")
    assert (0, [WELL]) == ended(done)
    assert "accepted: known since May" in done.stdout


# What a host says to a look that has waited for another one's change for 20 s.
BUSY = """\
cat >/dev/null
printf '\\n#relogin 2\\n#busy 77 1700000000\\n'
printf '%s\\n' '#lease /run/relogin-lease/mine/1' ' 1700000060' ' run-1' ' 0a1b 7' ' ada@laptop'
exit
"""


@pytest.mark.parametrize(("command", "code"), [("restore", 4), ("drift", 4), ("diagnose", 1)])
def test_a_host_that_another_run_is_changing_for_long_is_left_to_it(
    folder: Folder, command: str, code: int
) -> None:
    with serving_ssh(BUSY) as port:
        folder.hosts(("web1", over_ssh(port)))
        done = folder.run(command, "inventory.py")
    assert code == done.returncode, done.stdout
    assert "Left to another run" in done.stdout
    assert "ada@laptop is changing it now (run run-1, until " in done.stdout


def test_a_change_of_nobody_that_goes_on_for_long_is_1(folder: Folder) -> None:
    with serving_ssh("\n".join([*BUSY.splitlines()[:2], "exit"])) as port:
        folder.hosts(("web1", over_ssh(port)))
        done = folder.run("restore", "inventory.py")
    assert 1 == done.returncode, done.stdout
    assert "still running there (process 77)" in done.stdout


@pytest.mark.parametrize("command", ["diagnose", "restore"])
def test_a_login_that_is_refused_is_3(folder: Folder, command: str) -> None:
    folder.backend.lets_in = "another one"
    code, [headline] = ended(folder.run(command, "inventory.py"))
    assert (3, "@local · mine: people cannot log in") == (code, headline)


def test_a_login_that_is_refused_outranks_findings(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    folder.backend.lets_in = "another one"
    assert 3 == folder.run("diagnose", "inventory.py").returncode


def test_all_hosts_beyond_reach_are_1_and_each_is_named(folder: Folder) -> None:
    folder.hosts(("web1", NOWHERE), ("web2", NOWHERE))
    code, blocks = ended(folder.run("restore", "inventory.py"))
    assert (1, 2) == (code, len(blocks))
    assert all("could not be reached; nothing is known (" in block for block in blocks)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_one_host_beyond_reach_is_1_and_keeps_no_other_from_its_repair(folder, order) -> None:
    both = [LOCAL, ("web2", NOWHERE)]
    folder.hosts(*(both[number] for number in order))
    folder.env.write_text("MODE=dead\n")
    code, blocks = ended(folder.run("restore", "inventory.py"))
    assert (1, 2) == (code, len(blocks))
    assert blocks[0].startswith("@local · mine: people can log in again")
    assert blocks[1].startswith("web2: could not be reached")
    assert "MODE=live\n" == folder.env.read_text()


def test_a_connector_that_raises_is_that_hosts_own_business(folder: Folder) -> None:
    """pyinfra raises for a key that is not there, which would end the run of all."""
    with serving_ssh() as port:
        folder.hosts(("web2", {**over_ssh(port), "ssh_key": "nosuch.key"}), LOCAL)
        code, blocks = ended(folder.run("diagnose", "inventory.py"))
    assert (1, WELL) == (code, blocks[0])
    assert blocks[1].startswith("web2: could not be reached")


def test_a_host_whose_look_fails_is_1_and_nothing_is_called_healthy(folder: Folder) -> None:
    with serving_ssh("echo nothing of yours runs here; exit 3") as port:
        folder.hosts(("web1", over_ssh(port)))
        code, [headline] = ended(folder.run("diagnose", "inventory.py"))
    assert 1 == code
    assert "people can log in" not in headline


def test_unreachable_outranks_not_proven(folder: Folder) -> None:
    folder.backend.lets_in = "another one"
    folder.hosts(LOCAL, ("web2", NOWHERE))
    assert 1 == folder.run("restore", "inventory.py").returncode


def test_a_missing_secret_is_1_in_one_line_and_nothing_is_changed(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    done = folder.run("restore", "inventory.py", OPS_PASSWORD="")
    assert (1, ["@local · mine: nothing was looked at"]) == ended(done)
    assert "Secret.env('OPS_PASSWORD') has no value" in done.stdout
    assert "MODE=dead\n" == folder.env.read_text()


def test_a_fault_that_raises_is_1_and_the_other_checks_go_on(folder: Folder) -> None:
    text = (folder.home / "inventory.py").read_text()
    own = (
        "from relogin import Fault\n_bad = Fault('service.mine', lambda *_: 1 / 0, about='mine')\n"
    )
    text = own + text.replace("accepted=_accepted,", "accepted=_accepted, faults=[_bad],")
    (folder.home / "inventory.py").write_text(text)
    done = folder.run("diagnose", "inventory.py")
    assert 1 == done.returncode
    assert "ZeroDivisionError at inventory.py:2" in done.stdout
    assert "ops logged in at" in done.stdout


WRONGLY = {
    "a limit that matches nobody": (["inventory.py", "--limit", "web*"], "no host is left by"),
    "all excluded": (["inventory.py", "--exclude", "*"], "no host is left by --exclude *"),
    "no such inventory": (["nosuch.py"], "nosuch.py: there is no such inventory"),
    "no such backend": (["inventory.py", "--data", "backend=mien"], "did you mean 'mine'?"),
    "no such layer": (["inventory.py", "--data", "only=evn_file"], "did you mean 'env_file'?"),
    "data without a value": (["inventory.py", "--data", "backend"], "expected KEY=VALUE"),
    "an unknown option": (["inventory.py", "--limti", "x"], "Did you mean"),
    "no inventory": ([], "Missing argument 'INVENTORY'"),
    "an inventory that raises": (["raises.py"], "raises.py:2: ZeroDivisionError"),
    "an inventory that is no Python": (["broken.py"], "broken.py:1: SyntaxError"),
    "a description that contradicts itself": (["wrong.py"], "did you mean 'accounts'?"),
    "hosts without a backend": (["bare.py"], "describe one in inventories/group_data"),
    "a port that is no number": (["port.py"], "str is not an instance of int"),
    "an empty inventory": (["empty.py"], "has no hosts"),
}
FILES = {
    "raises.py": "hosts = ['@local']\n1 / 0\n",
    "broken.py": "hosts = [\n",
    "wrong.py": "from relogin import *\nhosts = [('@local', {'a': Backend('a', acounts=1)})]\n",
    "bare.py": "hosts = ['@local']\n",
    "port.py": "hosts = [('web1', {'ssh_port': 'no number'})]\n",
    "empty.py": "hosts = []\n",
}


@pytest.mark.parametrize("situation", WRONGLY)
def test_what_is_asked_for_wrongly_is_64_in_one_line_before_anything_is_touched(
    folder: Folder, situation: str
) -> None:
    words, said = WRONGLY[situation]
    for name, text in FILES.items():
        (folder.home / name).write_text(text)
    done = folder.run("restore", *words)
    assert (64, []) == ended(done)
    assert said in done.stderr
    assert not (folder.home / "state").exists()


def test_a_limit_narrows_to_groups_and_globs(folder: Folder) -> None:
    folder.hosts(LOCAL, ("web2", NOWHERE))
    for word in ("@local", "@loc*", "web1,@local"):
        limit = [piece for one in word.split(",") for piece in ("--limit", one)]
        assert (0, [WELL]) == ended(folder.run("diagnose", "inventory.py", *limit))
    assert 1 == folder.run("diagnose", "inventory.py", "--limit", "hosts").returncode
    left = folder.run("diagnose", "inventory.py", "--exclude", "web2")
    assert (0, [WELL]) == ended(left)


def test_data_overrides_what_the_hosts_have(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    narrowed = folder.run("diagnose", "inventory.py", "--data", "only=venv,login")
    assert (0, [WELL]) == ended(narrowed)


def test_many_hosts_are_worked_on_side_by_side_over_ssh(folder: Folder) -> None:
    with serving_ssh() as port:
        folder.hosts(*((f"web{number}", over_ssh(port)) for number in range(6)))
        code, blocks = ended(folder.run("diagnose", "inventory.py", "--parallel", "3"))
    assert (0, 6) == (code, len(blocks))
    assert {f"web{n} · mine: people can log in; nothing was changed" for n in range(6)} == set(
        blocks
    )


def test_a_pipe_gets_plain_lines_and_the_verdict_alone_on_stdout(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    done = folder.run("restore", "inventory.py")
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stdout.startswith(f"\n{RULE}\n@local · mine: ")
    assert [] == [line for line in done.stderr.splitlines() if not line.startswith("[@local] ")]
    assert re.search(r"\[@local\] .*app.env: write MODE", done.stderr)


def test_a_terminal_gets_live_progress_with_colours_and_it_is_gone_at_the_end(folder) -> None:
    folder.env.write_text("MODE=dead\n")
    code, verdict, screen = folder.on_terminal("restore", "inventory.py")
    assert 0 == code
    assert "of 1 hosts done" in screen
    assert re.search(r"\x1b\[[\d;]*3[1-7]m", screen)
    assert "app.env: write MODE" in screen
    assert "of 1 hosts done" not in verdict


def test_no_colour_where_it_is_not_wanted(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    _, verdict, screen = folder.on_terminal("restore", "inventory.py", NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*3[1-7]m", screen + verdict)


def test_it_never_asks_even_on_a_terminal(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    folder.hosts(("web2", NOWHERE), LOCAL)
    code, verdict, _ = folder.on_terminal("restore", "inventory.py")
    assert 1 == code
    assert "people can log in again" in verdict


def test_every_run_is_in_the_history_with_what_it_ended_with(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    folder.hosts(LOCAL, ("web2", NOWHERE))
    folder.run("restore", "inventory.py")
    folder.run("diagnose", "inventory.py", "--limit", "@local")
    told = folder.run("history").stdout.partition("Runs, the last one first\n")[2]
    lines = [line.split()[2:] for line in told.splitlines() if line]
    assert ["diagnose", "@local", "·", "mine", "proven"] == lines[0]
    assert ["restore", "@local", "·", "mine", "proven", "1", "changes"] == lines[1][:7]
    assert ["restore", "web2", "unreachable"] == lines[2][:3]
