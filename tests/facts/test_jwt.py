"""Which of a unit's processes have which secret; only their numbers leave the host."""

import pytest

from relogin.facts import jwt
from relogin.remote import Answer
from tests.facts.answers import SHELLS, run


@pytest.mark.parametrize("sh", SHELLS)
def test_of_a_unit_that_does_not_run_there_is_nothing_to_say(sh):
    answer = run(jwt.script("no-such-unit.service", "SECRET_KEY"), sh)
    assert (0, ()) == (answer.status, jwt.parse(answer))


def test_processes_are_told_by_their_secret():
    assert ((612, 845), (901,)) == jwt.parse(Answer(b"612 0\n845 0\n901 65", 0))


@pytest.mark.parametrize("sh", SHELLS)
def test_processes_with_other_secrets_are_told_apart_without_any_of_them(tmp_path, sh):
    """As the script sees them in /proc: the same script, on environments that are kept in files."""
    for pid, value in (
        (11, b"canary-one"),
        (12, b"canary-two\nlines"),
        (13, None),
        (14, b"canary-one"),
    ):
        (tmp_path / str(pid)).mkdir()
        secret = b"" if value is None else b"SECRET_KEY=" + value + b"\0"
        (tmp_path / f"{pid}/environ").write_bytes(b"PATH=/bin\0" + secret + b"OTHER=1\0")
    unit = tmp_path / "system.slice/it's.service"
    unit.mkdir(parents=True)
    (unit / "cgroup.procs").write_text("11\n12\n13\n14\n")
    (tmp_path / "1").mkdir()
    (tmp_path / "1/cgroup").write_text("1:name=systemd:/\n0::/init.scope\n")
    script = jwt.script("it's.service", "SECRET_KEY").replace("/sys/fs/cgroup", str(tmp_path))
    answer = run(script.replace("/proc/", f"{tmp_path}/"), sh)
    groups = [[int(one) % 100 for one in group] for group in pids(answer, str(tmp_path))]
    assert [[11, 14], [12]] == groups
    assert b"canary" not in answer.text


def pids(answer: Answer, folder: str) -> tuple[tuple[int, ...], ...]:
    return jwt.parse(Answer(answer.text.replace(f"{folder}/".encode(), b""), answer.status))
