"""Shell text, run by the shells that hosts have."""

import os
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from relogin import shell
from relogin.facts import alone
from relogin.remote import Answer, answer_in

SHELLS = [
    pytest.param(command, id=command[0], marks=pytest.mark.skipif(not there, reason="not here"))
    for command in (("dash",), ("bash",), ("busybox", "sh"))
    for there in (shutil.which(command[0]),)
]
TEXTS = (
    *(
        "",
        "plain",
        "it's",
        '"',
        "\\",
        "a\\nb",
        "a\nb\n\n",
        "$HOME `id` $(id)",
        "-n",
        "-e x",
        "%s%%",
    ),
    *("naïve 測試", "\t\r\x01\x7f", "!history", "~", "*", "#c", "a'b'\"c\""),
)
every_shell = pytest.mark.parametrize("sh", SHELLS)


def answers(
    parts: dict[str, str], sh: tuple[str, ...] = ("sh",), path: str | None = None
) -> dict[str, Answer]:
    """Run the parts of a look as the private channel does, but for the connection."""
    script = f"exec 2>/dev/null\n{{\n{shell.PRELUDE}\n{shell.side_by_side(parts)}\nexit 0\n}}"
    environment = {**os.environ, "PATH": path} if path else None
    done = subprocess.run(
        [str(shutil.which(sh[0])), *sh[1:], "-s"],
        input=script.encode(), capture_output=True, check=True, env=environment,
    )  # fmt: skip
    return alone.answers(done.stdout.decode("ascii").splitlines())


@every_shell
@pytest.mark.parametrize("text", TEXTS)
def test_a_portable_script_holds_nothing_that_csh_or_fish_reads_otherwise(sh, text):
    script = f"printf %s {shell.quote(text)}\nexit 3"
    portable = shell.portable(script)
    done = subprocess.run([*sh, "-c", portable], capture_output=True, check=False)
    assert (text.encode(), 3) == (done.stdout, done.returncode)
    assert not {"\n", "!", "\\\\", "\\'"} & {*portable, *map("".join, pairwise(portable))}


@every_shell
@pytest.mark.parametrize("text", TEXTS)
def test_a_quoted_value_is_one_word_and_itself(sh, text):
    script = f"printf '%s|' {shell.quote(text)} {shell.words([text, 'x'])}"
    done = subprocess.run([*sh, "-c", script], capture_output=True, check=True)
    assert f"{text}|{text}|x|".encode() == done.stdout


def test_a_nul_is_refused_without_the_value_being_said():
    with pytest.raises(ValueError, match=r"^a NUL character cannot be passed to a shell$"):
        shell.quote("secret\0")


@every_shell
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_fed_to_the_byte(sh, text):
    done = subprocess.run([*sh, "-c", shell.fed(text, "cat")], capture_output=True, check=True)
    assert text.encode() == done.stdout


@every_shell
def test_a_text_that_is_fed_is_in_no_argv_and_in_no_environment(sh, tmp_path):
    """The script itself comes on stdin, as on a host."""
    look = (
        'cat >/dev/null; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" " "'
    )
    secret = "canary-fed-" + os.urandom(8).hex()
    script = f"{shell.fed(secret, f'{{ {look}; }}')}\n"
    done = subprocess.run([*sh, "-s"], input=script.encode(), capture_output=True, check=True)
    assert b"PATH=" in done.stdout  # it does see
    assert secret.encode() not in done.stdout


@every_shell
def test_large_texts_are_fed_whole(sh):
    text = "0123456789abcdef" * 20_000
    done = subprocess.run(
        [*sh, "-s"], input=shell.fed(text, "wc -c").encode(), capture_output=True, check=True
    )
    assert 320_000 == int(done.stdout)


@every_shell
def test_parts_answer_in_their_order_each_with_its_status(sh):
    parts = {"slow": "sleep 0.2; echo a; return 3", "fast": "echo b", "silent": "false"}
    said = answers(parts, sh)
    assert ["silent", "fast", "slow"] == list(said)
    assert {"slow": (b"a\n", 3), "fast": (b"b\n", 0), "silent": (b"", 1)} == {
        name: (answer.text, answer.status) for name, answer in said.items()
    }


@every_shell
def test_parts_run_at_the_same_time(sh, tmp_path):
    all_there = f'[ "$(ls {tmp_path} | wc -l)" = 6 ]'
    meet = f"for _ in $(seq 100); do {all_there} && break; sleep 0.1; done; {all_there}"
    parts = {f"part_{n}": f"touch {tmp_path}/{n}; {meet}" for n in range(6)}
    assert {0} == {answer.status for answer in answers(parts, sh).values()}


@every_shell
def test_a_part_may_say_more_than_a_pipe_holds(sh):
    said = answers(dict.fromkeys(("one", "two", "three"), "head -c 300000 /dev/zero"), sh)
    assert {300_000} == {len(answer.text) for answer in said.values()}


@every_shell
def test_every_byte_arrives(sh, tmp_path):
    every = bytes(range(256)) * 3 + b"\n\n"
    (tmp_path / "bytes").write_bytes(every)
    said = answers({"one": f"cat {tmp_path}/bytes", "two": f"cat {tmp_path}/bytes >&2"}, sh)
    assert (every, every) == (said["one"].text, said["two"].text)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A host with little on its PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "od", "tr", "cat", "sleep", "id", "printf", "dash", "bash", "busybox"):
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return folder


@every_shell
def test_without_base64_it_is_hex(sh, few, tmp_path):
    """The applets that busybox has built in are not looked for on the PATH."""
    every = bytes(range(256))
    (tmp_path / "bytes").write_bytes(every)
    script = shell.PRELUDE.replace(":/usr/sbin:/sbin:/usr/local/bin", "")
    script += "\n" + shell.side_by_side({"it": f"cat {tmp_path}/bytes; return 5"})
    done = subprocess.run(
        [str(shutil.which(sh[0])), *sh[1:], "-c", script],
        capture_output=True, check=True, env={"PATH": str(few)},
    )  # fmt: skip
    line = done.stdout.decode("ascii").strip()
    assert sh[0] == "busybox" or line.startswith("it\thex:")
    name, answer = answer_in(line) or ("", Answer(b"", 0))
    assert ("it", every, 5) == (name, answer.text, answer.status)


@pytest.mark.parametrize("sh", SHELLS[:2])
def test_without_timeout_a_command_runs_without_a_limit(sh, few):
    script = shell.PRELUDE.replace(":/usr/sbin:/sbin:/usr/local/bin", "") + "within 1 echo ran"
    done = subprocess.run(
        [str(shutil.which(sh[0])), "-c", script],
        capture_output=True, check=True, env={"PATH": str(few)},
    )  # fmt: skip
    assert b"ran\n" == done.stdout


@every_shell
def test_a_command_that_takes_too_long_is_cut(sh):
    said = answers({"long": "within 1 sleep 30"}, sh)
    assert said["long"].status in {124, 143}


@every_shell
def test_a_part_that_reads_its_stdin_does_not_eat_the_script(sh):
    said = answers({"greedy": "cat; read -r x; echo read", "other": "echo there"}, sh)
    assert {"greedy": b"read\n", "other": b"there\n"} == {
        name: answer.text for name, answer in said.items()
    }


@every_shell
def test_a_part_that_reads_its_stdin_does_not_wait_for_more_of_it(sh):
    """A connection's stdin may stay open."""
    script = f"{{\n{shell.PRELUDE}\n{shell.side_by_side({'greedy': 'cat'})}\nexit 0\n}}\n"
    with subprocess.Popen([*sh, "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None
        running.stdin.write(script.encode())
        running.stdin.flush()
        try:
            assert 0 == running.wait(timeout=10)
        finally:
            running.kill()


@every_shell
@pytest.mark.parametrize("script", ["exit 4", "set -e; false; echo on", "return 4"])
def test_a_change_that_ends_early_still_gives_its_status(sh, script):
    """As `remote.change` runs it."""
    said = answers({"change": f"(\n{script}\n)", "other": "echo on"}, sh)
    assert b"on\n" == said["other"].text
    assert (b"", 0) != (said["change"].text, said["change"].status)
    assert said["change"].status in {1, 4}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("it\tYQojcmM9MA==", ("it", Answer(b"a", 0))),
        ("it\thex:610a2372633d32", ("it", Answer(b"a", 2))),
        ("it\t", None),
        ("it", None),
        ("", None),
        ("it\tYQ==", None),
        ("it\tno base64", None),
        ("it\thex:6", None),
        ("it\tYQojcmM9", None),
    ],
)
def test_a_line_that_is_no_answer_is_none(line, expected):
    assert expected == answer_in(line)


@every_shell
def test_what_meta_says_of_files_that_are_there_or_not(sh, tmp_path):
    (tmp_path / "file").write_text("abc")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nosuch")
    names = ("file", "link", "dangling", "nosuch", "no/such")
    parts = {
        f"m{number}": f"meta {shell.quote(str(tmp_path / name))}"
        for number, name in enumerate(names)
    }
    lines = [answer.lines[0] for _, answer in sorted(answers(parts, sh).items())]
    assert lines[0] == lines[1]
    assert ("regular file", "640", "3") == tuple(lines[0].split("|")[index] for index in (0, 1, 6))
    assert ["dangling", "none", "none"] == lines[2:]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@every_shell
def test_as_user_runs_a_command_as_another_user(sh):
    said = answers({"it": "as_user nobody id -un", "me": 'as_user "$(id -un)" id -u'}, sh)
    assert (["nobody"], ["0"]) == (said["it"].lines, said["me"].lines)
