"""What holds for any env file and any value."""

import os
import random
import shutil
import subprocess

import pytest
from dotenv import dotenv_values

from relogin import env_text

BOTH = ("python-dotenv", "systemd")


def _dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (the same cases in every run)


def _random_text(dice: random.Random) -> str:
    atoms = [
        "K=",
        "ID=",
        "\nK=",
        "\nID=",
        "\nexport K=",
        "\n",
        "\r\n",
        "\\",
        "'",
        '"',
        "=",
        "#",
        ";",
    ]
    atoms += [" ", "\t", " #", "a", "x$y", "`", "${ID}", "ä", '\\"', "\\n", "\\'", "&", "${A:-b}"]
    return "".join(dice.choice(atoms) for _ in range(dice.randint(1, 14)))


@pytest.mark.parametrize("seed", range(300))
def test_any_text_reads_as_python_dotenv_itself_reads_the_file(seed, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    text = _random_text(_dice(seed))
    file = tmp_path / ".env"
    file.write_bytes(text.encode())
    assert dict(dotenv_values(file)) == env_text.values(text)


@pytest.mark.skipif(not shutil.which("systemd-tmpfiles"), reason="systemd is not installed")
def test_any_text_without_a_comment_reads_as_systemd_itself_reads_it(tmp_path):
    """systemd reads os-release with the parser of EnvironmentFile=, and %o is its ID."""
    (tmp_path / "etc").mkdir()
    copy = tmp_path / "id.conf"
    copy.write_text("f+ /id - - - - %o\n")
    for seed in range(100):
        text = _random_text(_dice(seed)).replace("#", "").replace(";", "")
        (tmp_path / "etc/os-release").write_bytes(text.encode())
        (tmp_path / "id").unlink(missing_ok=True)
        subprocess.run(["systemd-tmpfiles", f"--root={tmp_path}", "--create", copy], check=True)
        expected = (tmp_path / "id").read_bytes().decode()
        assert (text, expected) == (text, env_text.values(text, "systemd").get("ID", ""))


@pytest.mark.parametrize("seed", range(300))
def test_what_was_written_is_read_and_every_other_key_and_the_second_run_change_nothing(seed):
    dice = _dice(seed)
    text = _random_text(dice)
    new = {dice.choice(["K", "NEW"]): _random_value(dice)}
    readers = dice.choice([BOTH, BOTH[:1], BOTH[1:]])
    try:
        changed = env_text.with_values(text, new, readers)
    except env_text.Unwritable:
        return
    for reader in readers:
        before = {k: v for k, v in env_text.values(text, reader).items() if k not in new}
        after = env_text.values(changed, reader)
        assert new.items() <= after.items()
        assert before.keys() <= after.keys()
        if not env_text.problems(text):
            assert {**before, **new} == after
    assert changed == env_text.with_values(changed, new, readers)


def _random_value(dice: random.Random) -> str:
    alphabet = "abZ09 _-.:/@%+,=^~!#$&*()[]{}|;<>?'\"\\`\n\täß€😀\u2028"
    return "".join(dice.choice(alphabet) for _ in range(dice.randint(0, 8)))


def _encodings(*, count: int) -> dict[str, tuple[str, str]]:
    dice = _dice(7)
    found = {}
    while len(found) < count:
        value = _random_value(dice)
        try:
            found[f"K{len(found)}"] = (value, env_text.encode(value, BOTH))
        except env_text.Unwritable:
            assert {"$", "\\", "'", "`"} & set(value)
    return found


def test_every_form_gives_its_value_back_in_python_dotenv_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    encodings = _encodings(count=400)
    file = tmp_path / ".env"
    file.write_text("".join(f"{key}={form}\n" for key, (_, form) in encodings.items()))
    assert {key: value for key, (value, _) in encodings.items()} == dotenv_values(file)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_every_form_without_an_expansion_gives_its_value_back_in_a_shell(tmp_path, shell):
    expected = {
        key: (value, form)
        for key, (value, form) in _encodings(count=400).items()
        if not (form.startswith('"') and {"$", "`"} & set(value))
    }
    file = tmp_path / "env"
    file.write_text("".join(f"{key}={form}\n" for key, (_, form) in expected.items()))
    out = subprocess.run(
        [shell, "-c", f"set -a; . {file}; env -0"], env={}, capture_output=True, check=True
    ).stdout
    seen = dict(entry.split("=", 1) for entry in out.decode().split("\0") if entry)
    assert {key: value for key, (value, _) in expected.items()} == {
        key: seen.get(key) for key in expected
    }
