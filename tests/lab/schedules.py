"""A machine of the lab that runs relogin on a schedule: how it is given one, and what it says."""

import re
from pathlib import Path

from .host import Host
from .inventory import by, run
from .leaks import SIGNS, leaks
from .product import SECRETS, Ran
from .watching import TOKEN, Watching
from .wheel import HOME

USER, OPS = "nosudo", "/home/nosudo/ops"
UNIT, NIGHTLY = "relogin-drift", "relogin-nightly"
# What systemd does to / as it starts, but in a container.
SHARED = """
cat >/etc/systemd/system/shared.service <<'UNIT'
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=mount --make-rshared /
[Install]
WantedBy=sysinit.target
UNIT
systemctl enable --now shared
"""
DEPLOY = ("deploys/schedule_drift.py", "-y")


def scheduled(
    folder: Path, control: Host, watcher: Watching | None, *words: str, **fields: str
) -> Ran:
    """Run the deploy on the control machine, with a Schedule of these fields in its data."""
    gateway = control.root("ip route | awk '/^default/ { print $3 }'").strip()
    if watcher:
        fields["ping"] = "Secret.env('PING_URL')"
    secrets = {"PING_URL": watcher.url(gateway)} if watcher else {}
    ran = run(folder, [by(control, drift=described(**fields))], *DEPLOY, *words, secrets=secrets)
    assert [] == leaks(ran.output, {*SIGNS, TOKEN})
    return ran


def undone(folder: Path, control: Host, run_id: str) -> Ran:
    """Take one run of the schedule back."""
    words = ("deploys/undo.py", "-y", "--data", f"schedule={UNIT}", "--data", f"run={run_id}")
    return run(folder, [by(control, drift=described())], *words)


def name_of(ran: Ran) -> str:
    """Give the name under which a run has kept what it overwrote, as it says at its end."""
    [found] = re.findall(rf"--data schedule={UNIT} --data run=(\S+) brings it back", ran.output)
    return str(found)


def described(**fields: str) -> str:
    """Give an expression of the inventory: a Schedule, of the user's two secrets by default."""
    given = {
        "inventory": repr(f"{OPS}/hosts.py"), "name": repr(UNIT), "user": repr(USER),
        "delay": "'0'", "command": repr(f"{HOME}/env/bin/relogin"),
        "secrets": "{key: Secret.env(key) for key in " + repr([*SECRETS]) + "}",
        "options": "['--cooldown', '0']", **fields,
    }  # fmt: skip
    pairs = ", ".join(f"{name}={value}" for name, value in given.items())
    return f"__import__('relogin').Schedule({pairs})"


def files(control: Host) -> dict[str, str]:
    """Give what is below these folders, with owners, modes and sums."""
    trees = ("/etc", "/home", "/opt", "/root", "/usr/local", "/var/lib/relogin")
    taken = control.snapshot(*trees, "halext")
    return {key: text for key, text in taken.items() if key.startswith("file:")}


def changed(ran: Ran) -> list[str]:
    """Give what the deploy says that it did."""
    return re.findall(r"\] +((?:write|remove|systemctl|/etc).*)", ran.output)


def journal(control: Host) -> str:
    return control.root(f"journalctl --sync; journalctl -u {UNIT} -u {NIGHTLY} -o cat --no-pager")


def as_user(control: Host, command: str) -> str:
    """Give what a command says to the schedule's user."""
    return control.root(f"cd /; HOME=~{USER} runuser -u {USER} -- env {command} 2>&1")
