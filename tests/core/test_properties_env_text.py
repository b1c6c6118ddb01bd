"""What holds for any env file and any value; the real readers judge."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import assume, example, given
from hypothesis import strategies as st

from relogin import env_text
from tests.core.env_texts import KEYS, File, files, texts, values
from tests.properties import few

READERS = ("python-dotenv", "systemd", "sh")
SHELLS = (["dash"], ["bash", "--posix"], ["bash"], ["busybox", "sh"])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file's path; python-dotenv expands from our own environment, so that there is none."""
    before = dict(os.environ)
    os.environ.clear()
    yield tmp_path_factory.mktemp("env") / ".env"
    os.environ.update(before)


@given(text=texts)
def test_any_text_reads_as_python_dotenv_itself_reads_the_file(file, text):
    file.write_bytes(text.encode())
    assert dict(dotenv_values(file)) == env_text.values(text)


@pytest.mark.skipif(not shutil.which("systemd-tmpfiles"), reason="systemd is not installed")
@few
@given(text=texts.map(lambda text: text.replace("#", "").replace(";", "")))
def test_any_text_without_a_comment_reads_as_systemd_itself_reads_it(file, text):
    """systemd reads os-release with the parser of EnvironmentFile=, and %o is its ID."""
    root = file.parent
    (root / "etc").mkdir(exist_ok=True)
    (root / "id.conf").write_text("f+ /id - - - - %o\n")
    (root / "etc/os-release").write_bytes(text.encode())
    (root / "id").unlink(missing_ok=True)
    argv = ["/usr/bin/systemd-tmpfiles", f"--root={root}", "--create", root / "id.conf"]
    subprocess.run(argv, check=True, stderr=subprocess.DEVNULL)
    expected = (root / "id").read_bytes().decode()
    assert expected == env_text.values(text, "systemd").get("ID", "")


def sourced(shell: list[str], file: Path) -> dict[str, str]:
    """Give the environment after the file has run; a syntax error ends some shells, not all."""
    program = shutil.which(shell[0], path=os.defpath)
    if program is None:
        pytest.skip(f"there is no {shell[0]}")
    script = f"set -a; . {file}; exec /usr/bin/env -0"
    ran = subprocess.run(
        [program, *shell[1:], "-c", script],
        env={"PATH": "/nonexistent"},
        cwd=file.parent,  # such a text may redirect into a file
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    entries = ran.stdout.decode("utf-8", "surrogateescape").split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@few
@given(text=texts.map(lambda text: text.replace(">", "")))  # what writes files
@example("K=1\nK\\\n=2\n")
@example("A=1\nunset A\nK=2")
@example('K=\nK ="${"')
def test_no_shell_reads_another_value_than_the_one_that_is_said_to_be_certain(file, shell, text):
    file.write_bytes(text.encode())
    certain = env_text.values(text, "sh")
    seen = sourced(shell, file)
    assert certain == {key: seen.get(key) for key in certain}


# What has no form, by who reads the file: nothing else is refused.
UNSAFE = r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]"
NO_CHARACTER = (  # of Unicode: systemd takes none for UTF-8, and refuses the whole file
    "[\ufdd0-\ufdef"
    + "".join(chr(n << 16 | end) for n in range(17) for end in (0xFFFE, 0xFFFF))
    + "]"
)
INTERPOLATED = r"\$\{[^}:]*(:-[^}]*)?\}"  # python-dotenv has no escape for it
AT_THE_END = r"\\\Z"  # python-dotenv before 1.2.2 takes a quote behind it for escaped
IN_DOUBLE_QUOTES = r"(?s)(?=.*('|\\\\)).*(`|\$[A-Za-z0-9_{(\[@*#?$!-])"  # where sh expands
REFUSED = {
    ("python-dotenv",): (UNSAFE, INTERPOLATED, r"(?s)((?=^['\"\s])|(?=.*(\n|\s#))).*\\\Z"),
    ("systemd",): (UNSAFE, NO_CHARACTER),
    ("sh",): (UNSAFE,),
    ("python-dotenv", "systemd"): (UNSAFE, NO_CHARACTER, INTERPOLATED, AT_THE_END),
    ("python-dotenv", "sh"): (UNSAFE, INTERPOLATED, AT_THE_END, IN_DOUBLE_QUOTES),
    ("systemd", "sh"): (UNSAFE, NO_CHARACTER),
    READERS: (UNSAFE, NO_CHARACTER, INTERPOLATED, AT_THE_END, IN_DOUBLE_QUOTES),
}


@pytest.mark.parametrize("readers", REFUSED, ids="+".join)
@given(value=values)
def test_a_value_is_refused_where_the_table_says_so_and_nowhere_else(readers, value):
    form = _form(value, readers)
    assert any(re.search(why, value) for why in REFUSED[readers]) is (form is None)


def _form(value: str, readers: tuple[str, ...]) -> str | None:
    try:
        return env_text.encode(value, readers)
    except env_text.Unwritable:
        return None


@pytest.mark.parametrize("readers", REFUSED, ids="+".join)
@few
@given(given_values=st.lists(values, max_size=20))
def test_every_form_gives_its_value_back_in_the_real_readers(file, readers, given_values):
    forms = {f"K{n}": _form(value, readers) for n, value in enumerate(given_values)}
    lines = [f"{key}={form}\n" for key, form in forms.items() if form is not None]
    wanted = {key: given_values[n] for n, key in enumerate(forms) if forms[key] is not None}
    file.write_bytes("".join(lines).encode())
    if "python-dotenv" in readers:
        assert wanted == dict(dotenv_values(file))
    for shell in SHELLS if "sh" in readers else ():
        assert wanted.items() <= sourced(shell, file).items()


@pytest.mark.parametrize("readers", REFUSED, ids="+".join)
@given(text=texts, key=st.sampled_from([*KEYS, "NEW"]), value=values)
def test_what_was_written_is_read_and_no_other_key_changes_and_nor_does_a_second_run(
    readers, text, key, value
):
    try:
        changed = env_text.with_values(text, {key: value}, readers)
    except env_text.Unwritable:
        return
    for reader in readers:
        before = {k: v for k, v in env_text.values(text, reader).items() if k != key}
        after = env_text.values(changed, reader)
        assert value == after[key]
        assert before.items() <= {k: v for k, v in after.items() if k != key}.items()
    assert changed == env_text.with_values(changed, {key: value}, readers)


@pytest.mark.parametrize("readers", REFUSED, ids="+".join)
@given(made=files, key=st.sampled_from([*KEYS, "NEW"]), value=values)
def test_every_byte_before_and_after_the_statement_of_the_key_stays(readers, made, key, value):
    assume(_form(value, readers) is not None)
    try:
        changed = env_text.with_values(made.text, {key: value}, readers)
    except env_text.Unwritable:
        return
    before, after = _around(made, key)
    if not changed.startswith(made.bom):  # it hid the first key from a reader
        before = before.removeprefix(made.bom)
    in_place = changed.startswith(before) and changed.endswith(after)
    assert in_place or changed.startswith(made.text)  # appended


def _around(made: File, key: str) -> tuple[str, str]:
    """Give what stands before and behind the last statement of a key (none: all, and nothing)."""
    bound = [n for n, statement in enumerate(made.statements) if statement.key == key]
    if not bound:
        return made.text, ""
    lines = made.lines
    return made.bom + "".join(lines[: bound[-1]]), "".join(lines[bound[-1] + 1 :])
