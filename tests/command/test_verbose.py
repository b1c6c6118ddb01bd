"""What -v adds: each remote command and each request, and at -vv the parts of a look."""

import re

import pytest

from tests.command.folder import PASSWORD, TOKEN

COMMAND = r"\] remote command, a {}: \d+ B there, \d+ B back, \d+\.\d\d s$"
REQUEST = r"\] {} http://127\.0\.0\.1:\d+{}: {}, \d+\.\d\d s$"
PART = r"\]   \w+: status \d+, \d+ B$"


def said(text: str, pattern: str) -> int:
    return len(re.findall(pattern, text, re.MULTILINE))


@pytest.mark.parametrize(("words", "level"), [([], 0), (["-v"], 1), (["-vv"], 2)])
def test_each_command_and_request_is_said_at_v_and_the_parts_of_a_look_at_vv(folder, words, level):
    folder.env.write_text("MODE=dead\n")
    done = folder.run("restore", *words, "inventory.py")
    assert 0 == done.returncode, done.stderr
    assert (level > 0) == (said(done.stderr, COMMAND.format("look")) > 1), done.stderr
    assert (level > 0) == (said(done.stderr, COMMAND.format("change")) > 0), done.stderr
    assert (level > 0) == (said(done.stderr, REQUEST.format("POST", "/token", 200)) > 0)
    assert (level > 1) == (said(done.stderr, PART) > 2), done.stderr
    assert [] == [one for one in (PASSWORD, TOKEN) if one in done.stdout + done.stderr]
