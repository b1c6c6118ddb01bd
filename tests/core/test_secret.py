"""Where secrets come from, and that nothing gets one by accident."""

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from relogin import Backend, EnvFile, Secret, SecretMissing, printed, secret
from tests.command.fleets import alive, until

VALUE = "canary-of-test-secret"
pytestmark = pytest.mark.usefixtures("forgotten")


def beside(tmp_path: Path, text: str) -> Path:
    (tmp_path / ".env").write_text(text)
    return tmp_path


def test_the_environment_beats_the_env_file_beside_the_inventory(tmp_path, monkeypatch):
    beside(tmp_path, "RELOGIN_T=from the file\n")
    assert "from the file" == Secret.env("RELOGIN_T").reveal()
    secret._resolve.cache_clear()
    monkeypatch.setenv("RELOGIN_T", "from the environment")
    assert "from the environment" == Secret.env("RELOGIN_T").reveal()


def test_an_empty_variable_is_none(tmp_path, monkeypatch):
    beside(tmp_path, "RELOGIN_T=from the file\n")
    monkeypatch.setenv("RELOGIN_T", "")
    assert "from the file" == Secret.env("RELOGIN_T").reveal()


def test_the_env_file_is_read_as_it_is_written(tmp_path):
    beside(tmp_path, "RELOGIN_T='a ${HOME} \"b\" #c'\n")
    assert 'a ${HOME} "b" #c' == Secret.env("RELOGIN_T").reveal()


@pytest.mark.parametrize("place", ["inventory.py", "group_data/all.py"])
def test_beside_the_inventory_is_beside_its_own_file(tmp_path, place):
    """The folder that the command is started in is another one."""
    (tmp_path / "inv" / "group_data").mkdir(parents=True)
    beside(tmp_path / "inv", f"RELOGIN_T={VALUE}\n")
    asked = "from relogin import Secret\nlength = len(Secret.env('RELOGIN_T').reveal())\n"
    hosts = "hosts = ['@local']\n"
    if place == "inventory.py":
        hosts = f"{asked}hosts = [('@local', {{'length': length}})]\n"
    (tmp_path / "inv/inventory.py").write_text(hosts)
    (tmp_path / "inv/group_data/all.py").write_text("" if "length" in hosts else asked)
    done = subprocess.run(
        [Path(sys.executable).with_name("pyinfra"), "inv/inventory.py", "debug-inventory"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert 0 == done.returncode, done.stderr
    assert f'"length": {len(VALUE)}' in done.stdout + done.stderr


def test_a_file_gives_its_text_without_the_last_newline(tmp_path):
    (tmp_path / "s").write_text("two\nlines \n")
    assert "two\nlines " == Secret.file("s").reveal()
    assert "two\nlines " == Secret.file(str(tmp_path / "s")).reveal()


def test_a_file_may_be_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "s").write_text(VALUE)
    assert VALUE == Secret.file("~/s").reveal()


def test_a_command_gives_what_it_prints(tmp_path):
    (tmp_path / "s").write_text(VALUE)
    assert VALUE == Secret.command("cat s | cat; echo noise >&2").reveal()


def test_a_value_is_asked_for_once(tmp_path):
    asked = Secret.command("echo x >>asked; echo value")
    assert ("value", "value") == (asked.reveal(), copy.copy(asked).reveal())
    assert "x\n" == (tmp_path / "asked").read_text()


def test_a_command_that_hangs_is_ended_with_what_it_started_and_said_in_one_line(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(printed, "DEADLINE", 3)
    hangs = Secret.command("echo $$ >pids; sh -c 'echo $$ >>pids; sleep 900; :' | cat; :")
    lines = set()
    for _ in range(2):
        with pytest.raises(SecretMissing) as raised:
            hangs.reveal()
        lines.add(str(raised.value))
    (line,) = lines
    assert "the command had not ended after 3 s, and was ended with what it started; run" in line
    assert "\n" not in line
    first, second = (tmp_path / "pids").read_text().split()  # so it was not tried again
    until(lambda: not alive(first) and not alive(second))


OF_SEVERAL = """
from gevent import monkey; monkey.patch_all()
import gevent
from pathlib import Path
from relogin import Secret

slow = "echo x >>slow; until [ -e go ]; do sleep 0.05; done; echo slow"
waiting = [gevent.spawn(Secret.command(slow).reveal) for _ in range(3)]
gevent.sleep(0)
others = [gevent.spawn(Secret.command("echo x >>quick; echo quick").reveal) for _ in range(3)]
gevent.joinall(others, raise_error=True)
held = [one.ready() for one in waiting]
Path("go").touch()
gevent.joinall(waiting, raise_error=True)
print(held, {one.value for one in others}, {one.value for one in waiting})
"""


def test_hosts_that_share_a_command_ask_it_once_and_hold_up_no_other(tmp_path):
    """As in a run of pyinfra: one greenlet for each host, in a patched process."""
    done = subprocess.run(
        [sys.executable, "-c", OF_SEVERAL], capture_output=True, text=True, check=False
    )
    assert "[False, False, False] {'quick'} {'slow'}\n" == done.stdout, done.stderr
    assert ["x\n", "x\n"] == [(tmp_path / name).read_text() for name in ("slow", "quick")]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (Secret.env("RELOGIN_NONE"), "Secret.env('RELOGIN_NONE') has no value: set it in the env"),
        (
            Secret.file("nosuch"),
            "Secret.file('nosuch') has no value: the file is missing, empty or",
        ),
        (Secret.file("/"), "Secret.file('/') has no value: the file is missing, empty or"),
        (Secret.command("echo part; exit 3"), "Secret.command('echo part; exit 3') has no value"),
        (Secret.command("true"), "Secret.command('true') has no value: the command failed or"),
        (Secret.command("a\nb"), r"Secret.command('a\nb') has no value: the command failed or"),
        (Secret.generated(), "Secret.generated() has no value: it is only known on the host"),
        (Secret.kept(), "Secret.kept() has no value: it is only known on the host"),
    ],
)
def test_a_missing_value_is_one_line_that_says_what_to_do(missing, said):
    with pytest.raises(SecretMissing) as raised:
        missing.reveal()
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_text_is_a_missing_value(tmp_path):
    (tmp_path / "s").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SecretMissing) as raised:
        Secret.file("s").reveal()
    assert "\n" not in str(raised.value)


def test_a_command_that_prints_no_text_is_a_missing_value():
    with pytest.raises(SecretMissing):
        Secret.command(r"printf '\377\376'").reveal()


def test_what_was_seen_on_a_host_is_itself_even_if_empty():
    assert (VALUE, "") == (Secret.seen(VALUE).reveal(), Secret.seen("").reveal())


def test_which_sources_declare_a_value():
    declared = (Secret.env("A"), Secret.file("a"), Secret.command("a"), Secret.seen("a"))
    assert {True} == {one.declared for one in declared}
    assert {False} == {one.declared for one in (Secret.generated(), Secret.kept())}


SEEN = Secret.seen(VALUE)


def test_it_prints_as_its_source():
    assert "Secret.env('A')" == str(Secret.env("A")) == repr(Secret.env("A"))
    assert "Secret.seen()" == str(SEEN) == repr(SEEN)
    assert VALUE not in repr([SEEN]) + repr({"a": SEEN}) + json.dumps(SEEN.to_json())


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: f"{SEEN}",
        lambda: "{}".format(SEEN),  # noqa: UP032 # one of the ways
        lambda: f"{SEEN:>10}",
        lambda: "a" + SEEN,
        lambda: "".join([SEEN]),
        lambda: pickle.dumps(SEEN),
        lambda: pickle.dumps({"a": [SEEN]}),
        lambda: json.dumps(SEEN),
        lambda: vars(SEEN),
    ],
)
def test_it_does_not_get_into_text_by_accident(attempt):
    with pytest.raises(TypeError) as raised:
        attempt()
    assert VALUE not in str(raised.value)


def test_a_copy_is_the_same():
    """Pyinfra hands out copies of host data."""
    for copied in (copy.copy(SEEN), copy.deepcopy(SEEN), copy.deepcopy({"a": SEEN})["a"]):
        assert (SEEN, VALUE) == (copied, copied.reveal())
    assert 1 == len({SEEN, copy.copy(SEEN)})
    assert Secret.env("A") == Secret.env("A") != Secret.env("B")
    assert Secret.seen("a") != Secret.seen("b")
    assert Secret.env("A") != "A"


def test_the_secrets_of_a_backend_are_those_whose_value_comes_from_here():
    keys = {"A": Secret.env("A"), "B": Secret.generated(), "C": Secret.kept(), "D": "text"}
    backend = Backend("mine", env_file=EnvFile("/a", keys=keys))
    assert [Secret.env("A")] == list(backend.secrets())


def test_a_fingerprint_tells_equal_values_and_no_more():
    one, other = Secret.seen("value one"), Secret.seen("value two")
    assert one.fingerprint() == Secret.seen("value one").fingerprint() != other.fingerprint()
    assert 8 == len(one.fingerprint())


def test_the_key_of_fingerprints_is_private_and_stays(tmp_path):
    before = SEEN.fingerprint()
    (key,) = (tmp_path / "state").rglob("*.key")
    assert (0o600, 32) == (key.stat().st_mode & 0o777, len(key.read_bytes()))
    secret._fingerprint_key.cache_clear()
    assert before == SEEN.fingerprint()
    key.write_bytes(b"another key that is 32 bytes long")
    secret._fingerprint_key.cache_clear()
    assert before != SEEN.fingerprint()


def test_a_key_that_cannot_be_kept_lasts_for_this_run(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert SEEN.fingerprint() == SEEN.fingerprint()
    assert Secret.seen("other").fingerprint() != SEEN.fingerprint()
