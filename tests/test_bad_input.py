"""Bad input: one clear line that says what is wrong and where, a failed run, nothing touched."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PROFILE = """\
from relogin import *

mine = Backend(
    "mine",
    env_file=EnvFile("{home}/.env", keys={"MODE": "live", "CODE": Secret.env("MINE_CODE")}),
    accounts=Accounts(present=[Account("ops", password=Secret.env("MINE_PASSWORD"))]),
    login=Login("http://127.0.0.1:9/token", account="ops", headers={"X-Code": FromEnv("CODE")}),
)
"""
SECRETS = {"MINE_CODE": "canary-code-of-mine", "MINE_PASSWORD": "canary-password-of-mine"}


@dataclass(frozen=True)
class Folder:
    """A user's inventory, its one group, and the env file of a backend on this machine."""

    home: Path

    def write(self, profile: str = PROFILE, hosts: str = "mine = ['@local']") -> None:
        (self.home / "group_data").mkdir()
        (self.home / "group_data/mine.py").write_text(self.filled(profile))
        (self.home / "inventory.py").write_text(hosts)
        (self.home / ".env").write_text("MODE=dead\nCODE=old\n")
        (self.home / ".env").chmod(0o600)

    def filled(self, text: str) -> str:
        return text.replace("{home}", str(self.home))

    def run(
        self, *words: str, deploy: str = "restore_access", **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        pyinfra = str(Path(sys.executable).with_name("pyinfra"))
        here = {"XDG_STATE_HOME": f"{self.home}/state"}
        base = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return subprocess.run(
            [pyinfra, "inventory.py", f"{REPOSITORY}/deploys/{deploy}.py", *(words or ("-y",))],
            cwd=self.home,
            env={**base, "HOME": str(self.home), **here, "NO_COLOR": "1", **(environ or SECRETS)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def untouched(self) -> bool:
        return (self.home / ".env").read_text() == "MODE=dead\nCODE=old\n"


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


# What is written instead of a piece of PROFILE, and the line that refuses it while it loads.
REFUSED = {
    "an unknown field": (
        "accounts=Acc",
        "acounts=Acc",
        "line 3: Backend has no field 'acounts'; did you mean 'accounts'?",
    ),
    "an unknown field of a part": (
        "account=",
        "acount=",
        "line 7: Login has no field 'acount'; did you mean 'account'?",
    ),
    "a missing field": (
        'account="ops", ',
        "",
        "line 7: Login missing 1 required positional argument: 'account'",
    ),
    "another kind of part": (
        "login=Login(",
        "venv='/srv/env', login=Login(",
        "line 3: Backend('mine'): venv is a str, expected Venv",
    ),
    "an account that is not in present": (
        'account="ops"',
        'account="opps"',
        "line 3: Backend('mine'): account 'opps' is not in accounts.present; did you mean 'ops'?",
    ),
    "FromEnv of an undeclared key": (
        'FromEnv("CODE")',
        'FromEnv("CODES")',
        "line 3: Backend('mine'): FromEnv('CODES') is in no env_file; did you mean 'CODE'?",
    ),
    "a URL of another scheme": (
        "http://127.0.0.1:9/token",
        "postgres://127.0.0.1:9/token",
        "line 7: Login: url: 'postgres://127.0.0.1:9/token' is not a web address; "
        "expected http://HOST[:PORT]/PATH",
    ),
    "a URL with a port that cannot be": (
        "127.0.0.1:9",
        "127.0.0.1:99999",
        "line 7: Login: url: 'http://127.0.0.1:99999/token' has no valid port; "
        "expected http://HOST[:PORT]/PATH",
    ),
    "a URL with a word as its port": (
        "127.0.0.1:9",
        "127.0.0.1:web",
        "line 7: Login: url: 'http://127.0.0.1:web/token' has no valid port; "
        "expected http://HOST[:PORT]/PATH",
    ),
    "a relative path": (
        "{home}/.env",
        "backend/.env",
        "line 5: EnvFile: 'backend/.env' is not an absolute path",
    ),
    "a password in the profile": (
        'Secret.env("MINE_PASSWORD")',
        "'canary-in-the-profile'",
        "line 6: Account('ops'): password must be a Secret (Secret.env, .file or .command)",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_profile_that_contradicts_itself_is_refused_while_it_loads(folder, what):
    old, new, message = REFUSED[what]
    assert 1 == PROFILE.count(old)
    folder.write(PROFILE.replace(old, new))

    ran = folder.run()

    assert f"--> pyinfra error: {folder.home}/group_data/mine.py {message}" in lines(ran)
    assert_refused(folder, ran)
    assert "Connecting" not in ran.stderr


TWO_NAMES = f"{PROFILE}\nother = Backend('mine')\n"


def test_two_backends_of_one_name_on_a_host_are_refused(folder):
    folder.write(TWO_NAMES)
    ran = folder.run()
    assert "--> pyinfra error: @local has two backends named 'mine' (one is in other)" in lines(ran)
    assert_refused(folder, ran)


def test_one_variable_of_two_groups_is_refused_because_pyinfra_would_take_the_last(folder):
    folder.write(hosts="mine = ['@local']\nweb = ['@local']\n")
    (folder.home / "group_data/web.py").write_text(folder.filled(PROFILE))
    ran = folder.run()
    assert (
        "--> pyinfra error: @local: mine is declared by group mine and by group web; "
        "give one of them another variable name"
    ) in lines(ran)
    assert_refused(folder, ran)


def test_an_inventory_without_any_backend_says_where_to_describe_one(folder):
    folder.write("mine = 1\n")
    ran = folder.run()
    assert (
        "--> pyinfra error: no host's data holds a Backend; "
        "describe one in inventories/group_data/<group>.py"
    ) in lines(ran)
    assert_refused(folder, ran)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("backend=mina", "no host has it; did you mean 'mine'?"),
        ("only=env_fil", "there is no such layer; did you mean 'env_file'?"),
        ("only=accounts,jvt", "there is no such layer; did you mean 'jwt'?"),
        (
            "skip=env_file.key-mising",
            "there is no such fault; did you mean 'env_file.key-missing'?",
        ),
        ("skip=key-missing", "there is no such fault; there is accounts, "),
    ],
)
@pytest.mark.parametrize("deploy", ["restore_access", "diagnose"])
def test_a_run_narrowed_to_what_does_not_exist_is_refused(folder, deploy, option, message):
    folder.write()
    ran = folder.run("-y", "--data", option, deploy=deploy)
    name, _, given = option.partition("=")
    expected = f"--> pyinfra error: --data {name}={given.split(',')[-1]}: {message}"
    assert any(line.startswith(expected) for line in lines(ran)), ran.stderr
    assert_refused(folder, ran)


def test_an_accepted_fault_that_does_not_exist_is_refused(folder):
    profile = PROFILE.replace(
        '"mine",\n', '"mine",\n    accepted={"env_file.mising": "so it is"},\n'
    )
    folder.write(profile)
    ran = folder.run()
    assert (
        "--> pyinfra error: Backend('mine'): accepted=env_file.mising: there is no such fault; "
        "did you mean 'env_file.missing'?"
    ) in lines(ran)
    assert_refused(folder, ran)


@pytest.mark.parametrize("deploy", ["restore_access", "diagnose"])
def test_a_missing_secret_stops_the_host_and_names_every_one_that_is_missing(folder, deploy):
    folder.write()

    ran = folder.run("-y", deploy=deploy, NOTHING="here")

    place = f"has no value: set it in the environment or in {folder.home}/.env"
    # the env file of the backend lies where the control machine's would: it holds other keys
    expected = f"Secret.env('MINE_CODE') {place}; Secret.env('MINE_PASSWORD') {place}"
    logged = [line for line in lines(ran) if "MINE_CODE" in line]
    assert [f"[@local] {expected}", expected] == [line.strip() for line in logged]
    assert_refused(folder, ran)


def test_a_value_that_its_readers_would_not_read_alike_is_refused_before_the_first_look(folder):
    folder.write()

    ran = folder.run("-y", MINE_CODE="canary ${HOME} 'x'", MINE_PASSWORD="canary-password")

    expected = (
        f"[@local] {folder.home}/.env: CODE: Secret.env('MINE_CODE'): no form of the value is "
        "read alike by python-dotenv and systemd: choose one without ${"
    )
    assert expected in [line.strip() for line in lines(ran)], ran.stderr
    assert_refused(folder, ran)


@pytest.mark.parametrize("deploy", ["restore_access", "diagnose"])
def test_a_password_beyond_bcrypts_72_bytes_is_refused_before_the_first_look(folder, deploy):
    folder.write(PROFILE.replace("Accounts(", 'Accounts(scheme="bcrypt", '))

    ran = folder.run("-y", deploy=deploy, **SECRETS | {"MINE_PASSWORD": "canary" + "ä" * 34})

    said = "account ops: Secret.env('MINE_PASSWORD'): it has 74 bytes, and bcrypt takes 72"
    logged = [line.strip() for line in lines(ran) if "MINE_PASSWORD" in line]
    assert [f"[@local] {said}", said] == logged
    assert_refused(folder, ran)


def lines(ran):
    return (ran.stdout + ran.stderr).split("\n")


def assert_refused(folder, ran):
    assert 1 == ran.returncode, ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    assert "canary" not in ran.stdout + ran.stderr
    assert folder.untouched
