"""How a value is written, and that every other byte stays."""

import pytest

from relogin import env_text

BOTH = ("python-dotenv", "systemd")


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


def test_what_only_sh_stumbles_over_is_written_anew():
    for text in ("K = v\n", "K=v\r\n", "K=v&w\n"):
        assert "K='v w'\n" == env_text.with_values(text, {"K": "v w"}, ["sh"])


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


@pytest.mark.parametrize("quote", ['"', "'"])
def test_what_an_open_quote_has_swallowed_comes_to_be_read_and_is_never_lost(quote):
    text = f"A=1\nK={quote}abc\nSECRET=s3\n# note\nD={quote}x y{quote}\nE=5\n"
    changed = env_text.with_values(text, {"K": "new"}, BOTH)
    assert f"A=1\nK=new\nSECRET=s3\n# note\nD={quote}x y{quote}\nE=5\n" == changed
