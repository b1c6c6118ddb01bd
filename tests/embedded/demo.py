"""Break a backend so that nobody can log in, restore it with one command, and check all of it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from tests.embedded.damage import BREAKS, Bystanders, bystanders, traces
from tests.embedded.login import NOTHING
from tests.embedded.wheelhouse import REPOSITORY
from tests.embedded.world import World

RESTORE = ["-y", "inventories/demo.py", "deploys/restore_access.py"]
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TOLD = {NOTHING: "no answer", 200: "200 OK", 401: "401 Unauthorized"}


class DemoError(RuntimeError):
    """Raised when something that the demo promises did not happen."""


def main() -> int:
    """Run the demo; 0 only if all that it shows has happened."""
    for number in ENDINGS:
        signal.signal(number, _end)
    title("Setting up: PostgreSQL, a FastAPI backend and supervisord in a temporary folder …")
    try:
        with World() as world:
            tell(world)
    except RuntimeError as failed:
        print(f"\nThe demo failed: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; everything was stopped and removed.", file=sys.stderr)
        return 130
    say("Stopped and removed everything.")
    return 0


def tell(world: World) -> None:
    """Show the incident and its end."""
    say(f"It runs: {world.url}, all of it in {world.folder}")
    require_login(world, works=True)
    before = bystanders(world)
    title("\nNow somebody has a bad night:")
    for damage in BREAKS:
        say(f"  - {damage(world)}")
    require_login(world, works=False)
    restore(world, before)
    run_again(world)


def restore(world: World, before: Bystanders) -> None:
    """Run the one command, see the login work again and all else untouched."""
    title("\nOne command:")
    start = time.monotonic()
    output = pyinfra(world)
    seconds = time.monotonic() - start
    say(f"\nThat took {seconds:.0f} seconds. Is it true?")
    require_login(world, works=True)
    after = bystanders(world)
    for part, was in asdict(before).items():
        require(asdict(after)[part] == was, f"the repair changed something else: {part}")
    require("people can log in again" in output, "its verdict does not say that people can log in")
    say("Every other line of the .env, row and role is byte for byte what it was.")


def run_again(world: World) -> None:
    """Run the command once more, which must change nothing."""
    title("\nOnce more:")
    before = traces(world)
    output = pyinfra(world)
    require("nothing was changed" in output, "the second run says that it changed something")
    require(traces(world) == before, "the second run changed something")
    require_login(world, works=True)
    say("The second run changed nothing: same process, files, rows and roles.")


def pyinfra(world: World) -> str:
    """Run restore_access as a user would, its output passed on line by line; give the output."""
    say(f"$ pyinfra {' '.join(RESTORE)}")
    run: subprocess.Popen[str] | None = None
    try:
        with _held_back():  # in the middle of it there would be a process that nobody knows of
            run = subprocess.Popen(
                [*_pyinfra(), *RESTORE], cwd=REPOSITORY, env=_environment(world),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, start_new_session=True,
            )  # fmt: skip
        output = "".join(_passed_on(run))
    except BaseException:
        if run is not None:
            _end_session(run)
        raise
    require(run.wait() == 0, f"restore_access exited {run.returncode}")
    return output


def _passed_on(run: subprocess.Popen[str]) -> Iterator[str]:
    for line in run.stdout or ():
        print(f"  {line}", end="", flush=True)
        yield line


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Let no signal end us in between; those that came do so at the end."""
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in came:
        signal.raise_signal(number)


def _end_session(run: subprocess.Popen[str]) -> None:
    """End a run and what it started: timeout(1) gives its command a process group of its own."""
    run.terminate()
    until = time.monotonic() + 10
    while (pids := _in_session(run.pid)) and time.monotonic() < until:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        run.poll()
        time.sleep(0.1)
    run.wait()


def _in_session(session: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def _pyinfra() -> list[str]:
    script = shutil.which("pyinfra", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-m", "pyinfra"]


def _environment(world: World) -> dict[str, str]:
    """Keep what relogin remembers about its runs in the demo's folder as well."""
    return {
        **os.environ,
        "RELOGIN_DEMO": str(world.description),
        "XDG_STATE_HOME": str(world.folder / "state"),
    }


def require_login(world: World, *, works: bool) -> None:
    """Log in with curl, show what came back, and fail where it is not what it should be."""
    token, protected = world.login()
    say(f"$ curl {world.url}/token -H 'X-Halext-Code: …' -d 'username=ops&password=…'")
    say(f"  {TOLD.get(token, token)}")
    if works:
        say(f"$ curl {world.url}/users/me -H 'Authorization: Bearer …'")
        say(f"  {TOLD.get(protected, protected)}")
    wanted = (200, 200) if works else (token, protected)
    state = "does not work" if works else "still works"
    require((token, protected) == wanted and (token == 200) is works, f"the login {state}")


def require(happened: bool, otherwise: str) -> None:
    """Fail the demo with `otherwise` unless it happened."""
    if not happened:
        raise DemoError(otherwise)


def say(line: str) -> None:
    print(line, flush=True)


def title(line: str) -> None:
    say(f"\033[1m{line}\033[0m" if sys.stdout.isatty() else line)


def _end(number: int, frame: FrameType | None) -> None:
    """Clean up whatever the signal, and let no second one cut that short."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
