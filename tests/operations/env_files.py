"""Real env files of a backend, what is seen of them, and what was kept of them."""

from pathlib import Path

from relogin import Backend, EnvFile, FromEnv, Jwt, Unreadable
from relogin.facts import env_file as fact
from relogin.facts.observation import Observation
from relogin.operations.env_file import FAULTS
from relogin.remote import Answer
from tests.facts.answers import run
from tests.operations.looks import KEYS, carried_out, changes

URL = "postgresql://halext_user:{}@127.0.0.1:5432/halext_org"
PASSWORD = "canary-database-p7%40Wd%2F2%3AXs%3F9%2BLn"


TEXT = f"""\
# Halext\r
DEV_MODE=true
DATABASE_URL={URL.format(PASSWORD)}
ODD='a "b' \\
QUOTED="x y"
ACCESS_CODE=
no newline at the end=1""".encode()


def written(folder: Path, raw: bytes = TEXT, mode: int = 0o640) -> Path:
    file = folder / ".env"
    file.write_bytes(raw)
    file.chmod(mode)
    return file


def described(path: Path, **keys: object) -> Backend:
    return Backend(
        "halext",
        env_file=EnvFile(str(path), keys={**KEYS, **keys}),
        token=Jwt(secret=FromEnv("SECRET_KEY")),
    )


def seen(path: Path) -> Observation:
    state = fact.parse(str(path), run(fact.script(str(path))))
    return Observation(machine=Unreadable("not asked"), env_files=(state,))


def mended(path: Path, looked: Observation | None = None) -> list[Answer]:
    """Run the fixes of what is found, each but once though several findings ask for it."""
    backend = described(path)
    wanted = changes(FAULTS, looked or seen(path), backend)
    scripts = {change.script: change for change in wanted}
    return [carried_out(change) for change in list(scripts.values())[:1]]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def undone(folder: Path) -> list[Path]:
    return sorted(path for path in (folder.parent / "state").rglob("*") if path.is_file())
