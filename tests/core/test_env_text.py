import os
import random
import shutil
import subprocess

import pytest
from dotenv import dotenv_values

from relogin import env_text

BOTH = ("python-dotenv", "systemd")
UNSET = object()

# One line between A=1 and Z=end; what python-dotenv and systemd 252 were seen to make of K.
TABLE = [
    ("K=abc", "abc", "abc"),
    ("K=a=b==", "a=b==", "a=b=="),
    ("K=a%40b", "a%40b", "a%40b"),
    ("K=a#b", "a#b", "a#b"),
    ("K=#b", "#b", "#b"),
    ("K=/et*", "/et*", "/et*"),
    ("K=päss", "päss", "päss"),
    ("  K=abc", "abc", "abc"),
    ("K=a b", "a b", "a b"),
    ('K="a b"', "a b", "a b"),
    ("K='a #b'", "a #b", "a #b"),
    ("K='a\"b'", 'a"b', 'a"b'),
    ('K="a\'b"', "a'b", "a'b"),
    ("K=a #b", "a", "a #b"),
    ('K="a" # note', "a", "a# note"),
    ("export K=abc", "abc", UNSET),
    ("K=a$HOME", "a$HOME", "a$HOME"),
    ('K="a$HOME"', "a$HOME", "a$HOME"),
    ("K='a$HOME'", "a$HOME", "a$HOME"),
    ("K=${X:-x}", "x", "${X:-x}"),
    ("K='p${x}q'", "pq", "p${x}q"),
    ("K=a$$b", "a$$b", "a$$b"),
    ("K=abc$", "abc$", "abc$"),
    (r"K=a\nb", r"a\nb", "anb"),
    (r'K="a\nb"', "a\nb", r"a\nb"),
    (r"K='a\nb'", r"a\nb", r"a\nb"),
    (r'K="a\\b"', r"a\b", r"a\b"),
    (r"K='a\\b'", r"a\b", r"a\\b"),
    (r'K="a\$b"', r"a\$b", "a$b"),
    (r'K="a\"b"', 'a"b', 'a"b'),
    (r"K='a\'b'", "a'b", r"a\b'"),
    ("K='ab\\'", UNSET, "ab\\"),
    ("K=abc  ", "abc", "abc"),
    ('K="abc"  ', "abc", "abc"),
    ("K = abc", "abc", "abc"),
    ("K= abc", "abc", "abc"),
    ("K=abc\r", "abc", "abc"),
    ("K=one\nK=two", "two", "two"),
    ("K=", "", ""),
    ('K=""', "", ""),
    ("K", None, UNSET),
    ('K="a\nb"', "a\nb", "a\nb"),
    ("K='a\nb'", "a\nb", "a\nb"),
    ('K="ab\\\ncd"', "ab\\\ncd", "abcd"),
    ("K=a'b", "a'b", "a'b"),
    ('K=a"b', 'a"b', 'a"b'),
    ('K="a"b', UNSET, "ab"),
    ("K=a;b", "a;b", "a;b"),
    ("K=postgresql://u:p@h/d?x=1&y=2",) + ("postgresql://u:p@h/d?x=1&y=2",) * 2,
    ("K=a(b)", "a(b)", "a(b)"),
    ("K=`id -u`", "`id -u`", "`id -u`"),
    ("K=~/x", "~/x", "~/x"),
    ("K: abc", UNSET, UNSET),
    ("; note", UNSET, UNSET),
]


@pytest.mark.parametrize(("line", "dotenv", "systemd"), TABLE, ids=[row[0] for row in TABLE])
def test_a_line_reads_as_python_dotenv_and_systemd_were_seen_to_read_it(line, dotenv, systemd):
    text = f"A=1\n{line}\nZ=end\n"
    for reader, expected in (("python-dotenv", dotenv), ("systemd", systemd)):
        found = env_text.values(text, reader)
        assert ("1", expected, "end") == (found["A"], found.get("K", UNSET), found["Z"])


def test_systemd_reads_on_to_the_end_after_a_quote_that_is_never_closed():
    text = 'A=1\nK="abc\nZ=end\n'
    assert env_text.values(text, "systemd") == {"A": "1", "K": "abc\nZ=end\n"}
    assert env_text.values(text, "python-dotenv") == {"A": "1", "Z": "end"}


def test_systemd_joins_a_line_that_ends_in_a_backslash_and_python_dotenv_does_not():
    text = "K=ab\\\ncd\n"
    assert env_text.values(text, "systemd") == {"K": "abcd"}
    assert env_text.values(text, "python-dotenv") == {"K": "ab\\", "cd": None}


def test_python_dotenv_turns_crlf_inside_quotes_into_a_newline(tmp_path):
    text = 'K="a\r\nb"\r\nZ=end\r\n'
    (tmp_path / ".env").write_bytes(text.encode())
    assert dotenv_values(tmp_path / ".env") == {"K": "a\nb", "Z": "end"}
    assert env_text.values(text) == {"K": "a\nb", "Z": "end"}
    assert env_text.values(text, "systemd") == {"K": "a\r\nb", "Z": "end"}


def test_systemd_before_254_takes_the_line_after_a_comment_that_ends_in_a_backslash_along():
    text = "# C:\\\nK=1\nZ=2\n"
    assert env_text.values(text, "systemd") == {"Z": "2"}
    assert env_text.with_values(text, {"K": "1"}, BOTH) == text + "K=1\n"


@pytest.mark.parametrize("text", ["\ufeffK=abc\n", "MY-K=abc\n", "1K=abc\n", "K=abc\0\n"])
def test_systemd_ignores_what_is_no_variable_of_a_process(text):
    assert env_text.values(text, "systemd") == {}


def test_only_keys_of_the_same_text_are_expanded_never_our_own_environment(monkeypatch):
    monkeypatch.setenv("PGPASS", "from here")
    text = "USER_NAME=app\nK=${USER_NAME}:${PGPASS}\n"
    assert env_text.values(text)["K"] == "app:"


def test_an_unknown_reader_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'docker': known are python-dotenv, systemd"):
        env_text.values("", "docker")


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


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("", ""),
        ("abc-._/:@%+,=^?", "abc-._/:@%+,=^?"),
        ("postgresql://u:p%2F@h:5432/d?x=1", "postgresql://u:p%2F@h:5432/d?x=1"),
        ("a b", "'a b'"),
        ("~/x", "'~/x'"),
        ("-----BEGIN\nabc=\n", "'-----BEGIN\nabc=\n'"),
        ("it's", '"it\'s"'),
        ("back\\slash'", '"back\\\\slash\'"'),
    ],
)
def test_the_plainest_form_that_fits_is_taken(value, form):
    assert form == env_text.encode(value, BOTH)


@pytest.mark.parametrize(
    "value", ["a${b}c-5ecret", "5ecret\r", "5ecret\0", "5ecret\x1b", "5ecret\ud800"]
)
def test_a_value_without_a_safe_form_is_refused_without_being_shown(value):
    with pytest.raises(env_text.Unwritable) as caught:
        env_text.with_values("K=1\n", {"K": value}, BOTH)
    assert "5ecret" not in str(caught.value)
    assert str(caught.value).startswith("K: ")


def test_a_backslash_before_the_closing_quote_is_refused_for_older_python_dotenvs():
    """Until 1.2.2 python-dotenv lost this key and all that followed."""
    with pytest.raises(env_text.Unwritable):
        env_text.encode("it's\\", BOTH)


def test_what_only_python_dotenv_cannot_write_is_written_for_systemd():
    assert env_text.encode("a${b}c", ["systemd"]) == "'a${b}c'"


CHANGES = [
    ("a value in place", "A=1\nK=old\nZ=3\n", "new", "A=1\nK=new\nZ=3\n"),
    ("the last of two", "K=1\nK=2\n", "new", "K=1\nK=new\n"),
    ("an equal value", 'A=1\nK="same"\n', "same", 'A=1\nK="same"\n'),
    ("a value over two lines", 'K="a\nb"\nZ=1\n', "new", "K=new\nZ=1\n"),
    ("a key without =", "K\nZ=1\n", "new", "K=new\nZ=1\n"),
    ("blanks, comments and blank lines", "\n# n\n\n  K = x\n\n", "new", "\n# n\n\n  K = new\n\n"),
    ("CRLF", "A=1\r\nK=x\r\nZ=2\r\n", "new", "A=1\r\nK=new\r\nZ=2\r\n"),
    ("a missing key", "A=1\n", "a b", "A=1\nK='a b'\n"),
    ("a missing key without final newline", "A=1", "new", "A=1\nK=new\n"),
    ("a missing key in CRLF", "A=1\r\nZ=2", "new", "A=1\r\nZ=2\r\nK=new\r\n"),
    ("an empty file", "", "new", "K=new\n"),
    ("no final newline", "K=old", "new", "K=new"),
    ("a BOM that hides nothing", "\ufeffA=1\nK=old\n", "new", "\ufeffA=1\nK=new\n"),
    ("a line that does not parse", 'A=1\nK="a"b\nZ=2\n', "new", "A=1\nK=new\nZ=2\n"),
]


@pytest.mark.parametrize(
    ("text", "value", "expected"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_one_line_changes_and_every_other_byte_stays(text, value, expected):
    readers = ["python-dotenv"] if "BOM" in text or text.startswith("\ufeff") else BOTH
    assert expected == env_text.with_values(text, {"K": value}, readers)


def test_export_and_note_stay_where_every_reader_takes_them():
    text = "export K='old' # rotated in May\n"
    expected = "export K=new # rotated in May\n"
    assert expected == env_text.with_values(text, {"K": "new"}, ["python-dotenv"])


def test_export_goes_and_the_note_moves_up_where_systemd_stumbles_over_them():
    text = "A=1\nexport K='old' # rotated in May\nZ=2\n"
    expected = "A=1\n# rotated in May\nK=new\nZ=2\n"
    assert expected == env_text.with_values(text, {"K": "new"}, BOTH)


def test_a_value_that_only_one_reader_reads_is_written_anew():
    assert env_text.with_values("export K=v\n", {"K": "v"}, BOTH) == "K=v\n"
    assert env_text.with_values("export K=v\n", {"K": "v"}, ["python-dotenv"]) == "export K=v\n"


def test_a_bom_that_hides_the_key_from_systemd_goes():
    assert env_text.with_values("\ufeffK=1\nZ=2\n", {"K": "3"}, BOTH) == "K=3\nZ=2\n"


def test_closing_an_open_quote_gives_systemd_back_the_keys_it_had_swallowed():
    changed = env_text.with_values('A=1\nK="abc\nZ=end\n', {"K": "new"}, BOTH)
    assert changed == "A=1\nK=new\nZ=end\n"
    assert env_text.values(changed, "systemd") == {"A": "1", "K": "new", "Z": "end"}


def test_a_backslash_at_the_end_of_the_last_line_does_not_take_the_new_line_along():
    for text in ("Z=ab\\", "# C:\\"):
        changed = env_text.with_values(text, {"K": "new"}, BOTH)
        assert env_text.values(changed, "systemd")["K"] == "new"
        assert changed.startswith(text)


def test_an_open_quote_of_another_key_is_refused_with_its_line():
    with pytest.raises(env_text.Unwritable, match=r"K cannot be set .* first mend line 3"):
        env_text.with_values('A=1\n\nX="abc\nZ=1\n', {"K": "new"}, BOTH)


def test_a_change_that_another_key_would_follow_is_refused():
    with pytest.raises(env_text.Unwritable, match="PW cannot be set"):
        env_text.with_values("PW=a\nURL=x${PW}\n", {"PW": "b"}, ["python-dotenv"])


def test_keys_that_follow_each_other_can_be_set_together():
    changed = env_text.with_values("PW=a\nURL=x${PW}\n", {"PW": "b", "URL": "xb"}, BOTH)
    for reader in BOTH:
        assert env_text.values(changed, reader) == {"PW": "b", "URL": "xb"}


def test_a_key_that_is_no_identifier_is_refused():
    with pytest.raises(env_text.Unwritable, match="'MY-K' is not a name"):
        env_text.with_values("", {"MY-K": "v"}, BOTH)


def test_problems_are_the_real_lines_even_after_blank_lines_crlf_and_a_bom():
    assert env_text.problems("A=1\n\n\n; no\nB=2\n") == (4,)
    assert env_text.problems('\ufeffA=1\r\n\r\nK="a"b\r\nB=2\r\n; no\r\n') == (3, 5)
    assert env_text.problems("A=1\n# fine\n\nB='x\ny'\n") == ()


def test_duplicates_name_every_line_of_a_key_that_is_bound_twice():
    assert env_text.duplicates("K=1\nA=1\n\nexport K=2\n#K=3\n") == {"K": (1, 4)}
