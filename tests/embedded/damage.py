"""What goes wrong in the demo, and how one tells that all else stayed as it was."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from tests.embedded.world import World

SECRET_LINE = re.compile(rb"^SECRET_KEY=\S*\n", re.MULTILINE)


def uninstall(world: World) -> str:
    world.run(["-m", "pip", "-qq", "uninstall", "--yes", "PyJWT"])
    return "PyJWT was uninstalled from the backend's virtual environment"


def lose_secret(world: World) -> str:
    text, found = SECRET_LINE.subn(b"", world.env_file.read_bytes())
    if found != 1:
        raise RuntimeError(f"{world.env_file} has {found} lines SECRET_KEY=…, not one")
    world.env_file.write_bytes(text)
    return "SECRET_KEY, which signs the tokens, is gone from its .env"


def change_role(world: World) -> str:
    world.database.sql(f"ALTER ROLE halext_user PASSWORD '{secrets.token_urlsafe(24)}'")
    return "the database password of role halext_user was changed"


def deactivate(world: World) -> str:
    world.database.sql("UPDATE users SET is_active = false WHERE username = 'ops'", "halext_org")
    return "the account ops was deactivated"


def restart(world: World) -> str:
    world.service.control("restart", world.service.name)
    return "the service was restarted, and does not come up any more"


BREAKS: tuple[Callable[[World], str], ...] = (
    uninstall,
    lose_secret,
    change_role,
    deactivate,
    restart,
)


@dataclass(frozen=True)
class Bystanders:
    """All that a repair has no business with."""

    env: bytes
    people: str
    journal: str
    roles: str


def bystanders(world: World) -> Bystanders:
    """Look at the .env but for SECRET_KEY, every row but for ops.is_active, the other roles."""
    sql = world.database.sql
    return Bystanders(
        env=SECRET_LINE.sub(b"", world.env_file.read_bytes()),
        people=sql(
            "SELECT to_jsonb(u) - CASE username WHEN 'ops' THEN 'is_active' ELSE '' END"
            " FROM users u ORDER BY id",
            "halext_org",
        ),
        journal=sql("SELECT * FROM entries ORDER BY id", "journal"),
        roles=sql(
            "SELECT to_jsonb(a) - CASE rolname WHEN 'halext_user' THEN 'rolpassword' ELSE '' END"
            " FROM pg_authid a ORDER BY oid"
        ),
    )


@dataclass(frozen=True)
class Traces:
    """What even a change to the same value would leave a trace in."""

    files: tuple[tuple[str, int, int], ...]
    rows: str
    roles: str
    process: int


def traces(world: World) -> Traces:
    """Look at the inode and time of every file, the transaction of every row, the process."""
    paths = sorted(path for path in world.backend.rglob("*") if "__pycache__" not in path.parts)
    stats = [(path.relative_to(world.backend), path.lstat()) for path in paths]
    return Traces(
        files=tuple((str(path), found.st_ino, found.st_mtime_ns) for path, found in stats),
        rows=world.database.sql("SELECT xmin, * FROM users ORDER BY id", "halext_org"),
        roles=world.database.sql("SELECT xmin, * FROM pg_authid ORDER BY oid"),
        process=world.service.pid(),
    )
