"""What each reader makes of a line, as it was seen to."""

import pytest
from dotenv import dotenv_values

from relogin import EnvFile, env_text

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


# What dash, busybox and bash were seen to make of K; UNSET is also what the text does not settle.
SH = [
    ("K=abc", "abc"),
    ("export K=abc", "abc"),
    ("K='a #b'", "a #b"),
    ("K=a #b", "a"),
    ('K="a" # note', "a"),
    ("K='a'\"'\"'b'", "a'b"),
    ("K=a b", UNSET),
    ("K = abc", UNSET),
    ("K=a$HOME", UNSET),
    ("K='a$HOME'", "a$HOME"),
    ("K=$A", "1"),
    ('K="${A}$"', "1$"),
    ("K=a$$b", UNSET),
    (r"K=a\nb", "anb"),
    (r'K="a\nb"', r"a\nb"),
    (r'K="a\$b"', "a$b"),
    ("K='ab\\'", "ab\\"),
    ("K=abc\r", "abc\r"),
    ("K=ab\\\ncd", "abcd"),
    ("K=a;b", "a"),
    ("K=postgresql://h/d?x=1&y=2", UNSET),
    ("K=~/x", UNSET),
    ("K: abc", UNSET),
    ("K=1\nK=2", "2"),
]


@pytest.mark.parametrize(("line", "value"), SH, ids=[row[0] for row in SH])
def test_a_line_reads_as_shells_were_seen_to_read_it(line, value):
    found = env_text.values(f"A=1\n{line}\nZ=end\n", "sh")
    assert ("1", value, "end") == (found["A"], found.get("K", UNSET), found["Z"])


@pytest.mark.parametrize("line", ["K=`id`", "K=a(b)", "K=a'b", "; note", 'K="abc', "unset A", "if"])
def test_where_a_command_or_a_syntax_error_could_change_any_key_none_is_certain(line):
    assert {} == env_text.values(f"A=1\n{line}\nZ=end\n", "sh")


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


def test_a_description_knows_the_same_readers():
    assert tuple(env_text.READERS) == EnvFile("/.env", readers=list(env_text.READERS)).readers


def test_an_unknown_reader_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'docker': known are python-dotenv, systemd, sh"):
        env_text.values("", "docker")
