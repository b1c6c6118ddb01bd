"""Where secrets come from, and that nothing gets one by accident."""

import copy
import json
import pickle
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from relogin import Backend, EnvFile, Secret, SecretMissing, secret
from relogin.secret import make_value, redact, redact_foreign
from tests.hostile import VALUES

VALUE = "canary-of-test-secret"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A value is asked for once in a process; each test is to be a process of its own."""
    monkeypatch.setattr(secret, "_known", set())
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    for cached in (secret._resolve, secret._dotenv, secret._fingerprint_key):
        cached.cache_clear()
    yield
    for cached in (secret._resolve, secret._dotenv, secret._fingerprint_key):
        cached.cache_clear()


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


def test_what_was_revealed_is_redacted_everywhere():
    Secret.seen("two lines\nof a longer value")
    assert "a *** b" == redact("a two lines\nof a longer value b")
    assert "of it: *** only" == redact("of it: of a longer value only")
    Secret.seen("abcdefgh")
    Secret.seen("abcdefgh-and-more")
    assert "***" == redact("abcdefgh-and-more")


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda value: quote(value, safe=""),
    "in a path": quote,
    "in a form": quote_plus,
    "as Python has it": lambda value: repr(value)[1:-1],
    "as ASCII": lambda value: ascii(value)[1:-1],
    "in JSON": lambda value: json.dumps(value)[1:-1],
    "in JSON of UTF-8": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "in sh": lambda value: shlex.quote(f" {value}")[2:-1],
}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("what", VALUES.keys() - {"not UTF-8"})
def test_a_value_is_redacted_however_it_is_written(how, what):
    Secret.seen(VALUES[what] + "4567")
    written = WRITTEN[how](VALUES[what] + "4567")
    assert "before *** behind" == redact(f"before {written} behind")


def test_a_value_that_was_made_is_redacted_too():
    value = make_value()
    assert (86, "***") == (len(value), redact(value))
    assert value != make_value()


def test_short_values_do_not_blot_out_ordinary_words():
    Secret.seen("dev")
    assert "deviation" == redact("deviation")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:hunter2@h/d", "postgresql://u:***@h/d"),
        ("redis://:hunter2@h", "redis://:***@h"),
        ("Bearer eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln end", "Bearer *** end"),
        ("hash $2b$12$abcdefghijklmnopqrstuv.", "hash ***"),
        ("$argon2id$v=19$m=1,t=1,p=1$c2Fs$aGFzaA", "***"),
        ("pbkdf2_sha256$1000$salt$hash=", "***"),
        ("rolpassword SCRAM-SHA-256$4096:a==$b=:c=", "rolpassword ***"),
        ("input_value='hunter2', input_type=str", "input_value=***"),
        ("see http://h/path and a@b.example", "see http://h/path and a@b.example"),
    ],
)
def test_what_looks_like_a_secret_is_redacted(text, expected):
    assert expected == redact(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter2 rest", "password=*** rest"),
        ('{"access_token": "hunter2"}', '{"access_token": ***'),
        ("SECRET_KEY: hunter2", "SECRET_KEY: ***"),
        ("Api-Key=hunter2", "Api-Key=hunter2"),
        ("apikey = hunter2", "apikey = ***"),
        ("ADMIN_PRIVATE_KEY=hunter2", "ADMIN_PRIVATE_KEY=***"),
        (
            "Missing required secrets: A_KEY (B), C_KEY",
            "Missing required secrets: A_KEY (B), C_KEY",
        ),
        ("secrets: A_KEY", "secrets: A_KEY"),
        ("secrets: hunter2", "secrets: ***"),
        ("secrets: A_KEY=hunter2", "secrets: ***"),
        ("secret: A_KEY", "secret: ***"),
        ("the password is wrong", "the password is wrong"),
        (
            "line 3: unterminated quoted value 'hunter2 x",
            "line 3: unterminated quoted value ***",
        ),
        (
            'failed to read /a/.env: line 2: unexpected character ";" in variable name "A;B=x"',
            'failed to read /a/.env: line 2: unexpected character ";" in variable name ***',
        ),
        (
            'failed to read /a/.env: Invalid template: "${hunter2"',
            "failed to read /a/.env: Invalid template: ***",
        ),
        (
            "failed to read /a/.env: required variable x is missing a value: hunter2",
            "failed to read /a/.env: required variable x is missing a value: ***",
        ),
        (
            "failed to read /a/.env: line 2: key cannot contain a space",
            "failed to read /a/.env: line 2: key cannot contain a space",
        ),
        (
            "SyntaxError: unexpected character after line continuation character",
            "SyntaxError: unexpected character after line continuation character",
        ),
    ],
)
def test_what_others_call_a_secret_is_redacted_too(text, expected):
    assert expected == redact_foreign(text)


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
