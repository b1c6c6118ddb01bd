"""Docker Compose's reader of env files, as Compose 2.26 itself read these lines on a host.

Each stood between `A=1` and `Z=end`; `docker compose config` said what the service was given, or
refused the file.
"""

import json
from pathlib import Path

import pytest

from relogin import EnvFile, ProfileError, env_text

RECORDED = json.loads((Path(__file__).parent / "recorded" / "compose-env.json").read_text())


@pytest.mark.parametrize(("line", "given"), RECORDED, ids=[line for line, _ in RECORDED])
def test_a_line_is_read_as_compose_read_it(line, given):
    read = env_text.values(f"A=1\n{line}\nZ=end\n", "compose")

    assert (given or {}) == {key: value for key, value in read.items() if value is not None}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("\ufeffK=v\n", {"K": "v"}),
        ("K=v\r\nL='a\r\nb'\r\n", {"K": "v", "L": "a\nb"}),
        ('K="a\nb"\n', {"K": "a\nb"}),
        ("K=one\nK=two\n", {"K": "two"}),
        ("# a note\n\nK=v", {"K": "v"}),
        ("K\nL=v\n", {"K": None, "L": "v"}),
        ("", {}),
    ],
)
def test_whole_files_are_read_as_the_notes_on_its_parser_say(text, read):
    assert read == env_text.values(text, "compose")


@pytest.mark.parametrize("value", ["pa$word", "a b", "a'b", 'a"b', "a#b", "a\\b", "ä$", "x" * 200])
def test_a_value_is_written_in_a_form_that_compose_and_the_backend_read_alike(value):
    form = env_text.encode(value, ["python-dotenv", "compose"])

    for reader in ("python-dotenv", "compose"):
        assert {"K": value} == env_text.values(f"K={form}\n", reader)


def test_a_dollar_is_quoted_where_compose_would_take_it_for_a_variable():
    assert "'pa$word'" == env_text.encode("pa$word", ["compose"])
    assert "pa$word" in env_text.with_values("K=1\n", {"K": "pa$word"}, ["compose"])


def test_compose_is_a_reader_that_a_profile_may_name():
    assert ("compose",) == EnvFile("/x/.env", readers="compose").readers
    with pytest.raises(ProfileError, match="did you mean 'compose'"):
        EnvFile("/x/.env", readers=["composer"])
