"""A run that somebody interrupts, whatever it does just then."""

import signal
import subprocess

import pytest

from tests.command.folder import BIN, Folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("behind", "known"),
    [("Connected", ""), ("app.env: write MODE", "the login is not proven")],
    ids=["as it looks", "as it mends"],
)
def test_an_interrupted_run_says_what_it_knows_and_ends_with_130(
    folder: Folder, number: int, behind: str, known: str
) -> None:
    folder.env.write_text("MODE=dead\n")
    folder.backend.held_from = 2  # the one behind the mending, if it comes so far
    with subprocess.Popen(
        [BIN / "relogin", "restore", "inventory.py", "-v"], cwd=folder.home,
        env=folder.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stderr is not None
        assert any(behind in line for line in running.stderr)
        running.send_signal(number)
        told, said = running.communicate(timeout=60)
    assert 130 == running.returncode
    assert f"@local · mine: {known}" in told
    assert "Traceback" not in said
