"""The demo, run as a stranger runs it: it does what it says, and nothing of it stays."""

import os
import pwd
import re
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from tests.lab.steps import sample

REPOSITORY = Path(__file__).parents[2]
DEMO = ["-m", "tests.embedded.demo"]
PROMISED = [
    "  200 OK",
    "Now somebody has a bad night:",
    "  no answer",
    "$ pyinfra -y inventories/demo.py deploys/restore_access.py",
    "Every other line of the .env, row and role is byte for byte what it was.",
    "The second run changed nothing: same process, files, rows and roles.",
    "Stopped and removed everything.",
]

pytestmark = pytest.mark.embedded


def test_the_demo_restores_the_login_and_the_second_run_changes_nothing(tmp_path):
    before = surroundings()
    done = run([sys.executable, *DEMO], home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in PROMISED if line not in done.stdout.splitlines()] == []
    assert surroundings() == before
    assert left_behind(folder_of(done.stdout)) == []


@pytest.fixture
def home():
    """A folder of nobody's; pytest's own ones let only root through."""
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="nobody-") as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_demo_needs_no_root(home):
    python = python_for_nobody(home)
    command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", python, *DEMO]
    done = run(command, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in PROMISED if line not in done.stdout.splitlines()] == []
    assert left_behind(folder_of(done.stdout)) == []


@pytest.mark.parametrize(
    ("how", "moment"),
    sample([(signal.SIGINT, "It runs: "), (signal.SIGTERM, "$ pyinfra ")], 1),
)
def test_an_interrupted_demo_leaves_nothing(tmp_path, how, moment):
    demo = subprocess.Popen(
        [sys.executable, *DEMO], cwd=REPOSITORY, env=environment(tmp_path), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    with demo:
        output = "".join(until(moment, demo.stdout))
        demo.send_signal(how)
        demo.stdout.read()
    assert demo.returncode == 130
    assert left_behind(folder_of(output)) == []


def until(start, lines):
    for line in lines:
        yield line
        if line.startswith(start):
            return


def run(command, *, home):
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment(home), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=300, check=False,
    )  # fmt: skip


def environment(home):
    """A stranger's: what this run was given for itself must not help the demo."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RELOGIN")}
    return {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


def folder_of(output):
    found = re.search(r"all of it in (/\S+)", output)
    assert found is not None, output
    return found[1]


def left_behind(folder):
    """Give the folder if it is still there, and the processes that came from it."""
    commands = {path: cmdline(path) for path in Path("/proc").glob("[0-9]*")}
    processes = [command for command in commands.values() if folder in command]
    return processes + ([folder] if Path(folder).exists() else [])


def cmdline(process):
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def surroundings():
    """What a run as root could have changed outside its folder: users, modes, state."""
    places = ["/", "/tmp", "/var/tmp", "/var/lib", str(REPOSITORY), sysconfig.get_path("purelib")]
    modes = {place: Path(place).stat().st_mode for place in places}
    state = sorted(str(path) for path in Path("/var/lib/relogin").rglob("*"))
    return modes, Path("/etc/passwd").read_bytes(), state


def python_for_nobody(home):
    """A Python of this version that others may run, with this environment's packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys._base_executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"]
    usable = [path for path in candidates if Path(path).is_file() and public(Path(path))]
    if not usable or not public(Path(sysconfig.get_path("purelib"))):
        pytest.skip("no Python of this version, or not these packages, may be read by others")
    venv = home / "venv"
    subprocess.run([usable[0], "-m", "venv", "--without-pip", venv], check=True)
    packages = venv / "lib" / version / "site-packages"
    (packages / "shared.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    )
    return str(venv / "bin" / "python")


def public(path):
    """Whether others may pass to it and read it."""
    real = path.resolve()
    passable = all(step.stat().st_mode & stat.S_IXOTH for step in real.parents)
    return passable and bool(real.stat().st_mode & stat.S_IROTH)
