"""What an answer is once it was cut, flipped, or written into: what was sent, or nothing."""

import functools
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relogin import shell
from relogin.fault import Fault
from relogin.finding import Finding, Unreadable
from relogin.operations.catalogue import FAULTS
from relogin.remote import Answer, answer_in, unframed
from relogin.wire import Cut
from tests.operations.looks import HALEXT, edited, recorded

PARTS = {
    "one": "echo hello",
    "two": "printf '\\000\\377'; return 3",
    "three": "echo; echo '#end 1 '",
}
NOISE = b"Welcome!\n#relogin\n\xff\x00 #end 3 \n"
SHELLS = [
    pytest.param(words, id=words[0], marks=pytest.mark.skipif(not there, reason="not here"))
    for words in (("dash",), ("bash",), ("busybox", "sh"))
    for there in (shutil.which(words[0]),)
]


def ran(script: str, sh: tuple[str, ...] = ("sh",), path: str | None = None) -> bytes:
    environment = {"PATH": path} if path else None
    argv = [str(shutil.which(sh[0])), *sh[1:], "-s"]
    return subprocess.run(
        argv, input=script.encode(), capture_output=True, check=False, env=environment
    ).stdout


@functools.cache
def answered() -> bytes:
    return NOISE + ran(shell.framed(shell.side_by_side(PARTS)))


@functools.cache
def lines() -> list[str]:
    return unframed(answered())


def taken(received: bytes) -> list[str] | None:
    try:
        return unframed(received)
    except Cut:
        return None


positions = st.integers(0, 10_000).map(lambda n: n % len(answered()))


def test_what_was_written_comes_back():
    found = dict(pair for line in lines() if (pair := answer_in(line)))
    assert {
        "one": Answer(b"hello\n", 0),
        "two": Answer(b"\x00\xff", 3),
        "three": Answer(b"\n#end 1 \n", 0),
    } == found


@pytest.mark.parametrize("sh", SHELLS)
@pytest.mark.parametrize(
    "script", [shell.side_by_side(PARTS), shell.one("one", "echo; exit 4"), ""]
)
def test_every_shell_frames_its_answer_alike(sh, script):
    assert ran(shell.framed(script)) == ran(shell.framed(script), sh)


@given(positions)
def test_an_answer_that_is_cut_off_is_none(at):
    assert taken(answered()[:at]) is None


@given(positions, st.integers(1, 255))
def test_an_answer_with_another_byte_in_it_is_none(at, difference):
    whole = answered()
    flipped = whole[:at] + bytes([whole[at] ^ difference]) + whole[at + 1 :]
    assert taken(flipped) in ([lines()] if at < len(NOISE) else [None])


@given(positions, positions)
def test_an_answer_that_lost_some_bytes_is_none(start, end):
    start, end = sorted((start, end))
    left = answered()[:start] + answered()[end:]
    expected = [lines()] if left.endswith(answered()[len(NOISE) :]) else [None]
    assert taken(left) in expected


@given(positions, st.one_of(st.binary(min_size=1, max_size=40), st.just(b"\n"), st.just(b"YQ==")))
@example(len(NOISE), b"\n#relogin 2\n")
def test_an_answer_that_something_else_wrote_into_is_what_was_sent_or_none(at, noise):
    """Right behind the first mark, that mark again is none that anybody could tell."""
    assert taken(answered()[:at] + noise + answered()[at:]) in (None, lines())


@given(st.binary(max_size=200))
def test_what_is_written_after_it_changes_nothing(noise):
    if b"\n#relogin 2\n" not in b"\n" + noise:
        assert lines() == taken(answered() + noise)


def test_a_host_without_sha256sum_is_judged_by_the_length(tmp_path):
    for tool in ("sh", "od", "tr", "cat", "id", "printf", "base64", "sed", "cut"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    received = ran(shell.framed(shell.side_by_side(PARTS)), ("bash",), str(tmp_path))
    assert lines() == taken(received)
    assert None is taken(received.replace(b"\none\t", b"\none\tYQ"))


@given(st.integers(0, 100_000))
def test_a_script_that_is_cut_off_does_nothing(at):
    script = shell.framed(shell.one("it", "echo done"))
    head = script[: at % (len(script) - 2)]
    assert b"" == ran(head)


def test_of_a_change_the_end_of_its_output_is_kept():
    received = ran(shell.framed(shell.one("it", "seq 1 200000; exit 7")))
    ((_, answer),) = (answer_in(line) for line in unframed(received))
    assert (7, True) == (answer.status, answer.text.endswith(b"\n199999\n200000\n"))
    assert len(answer.text) < 65536


# What a program wrote before it was killed, in a part whose shell saw that.
KILLED = st.sampled_from([1, 124, 137, 143])
WHOLE = recorded("halext")


def findings(part: str, text: bytes, status: int) -> list[tuple[Fault, Finding]]:
    seen = edited({**WHOLE, part: Answer(text, status)})
    return [(fault, found) for fault in FAULTS for found in fault.found(HALEXT, seen)]


@pytest.mark.parametrize("part", WHOLE)
@given(st.integers(0, 100_000), KILLED)
def test_a_part_that_broke_off_on_the_host_is_no_fault(part, at, status):
    """A healthy host's answer, cut anywhere: whatever is found in it is a guess."""
    text = WHOLE[part].text
    assert [] == [found.what for _, found in findings(part, text[: at % (len(text) + 1)], status)]


@pytest.mark.parametrize("part", WHOLE)
def test_a_part_that_broke_off_between_two_lines_is_no_fault(part):
    """What has come until then is whole, line by line, and looks the more like an answer."""
    rows = WHOLE[part].text.split(b"\n")
    for count in range(len(rows)):
        for ending in (b"", b"\n"):
            text = b"\n".join(rows[:count]) + ending
            assert [] == [found.what for _, found in findings(part, text, 137)], text[-80:]


@given(st.integers(0, 100_000), KILLED | st.just(0))
def test_an_env_file_is_read_whole_or_not_at_all(at, status):
    whole = WHOLE["env_0"].text
    text = whole[: at % len(whole)]
    seen = edited({**WHOLE, "env_0": Answer(text, status)}, resized=False)
    assert isinstance(seen.env_files[0], Unreadable)
