"""Build the image of a lab host: a Debian with systemd, and a healthy Halext on it.

Images are tagged with a hash of what they are made from: what has been built is not built again.
"""

import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from . import canaries
from .base import BOOKWORM, FILES, PYTHON, base_image, digest, exists, run

APPS = Path(__file__).parents[1] / "apps"
BACKEND = APPS / "halext"
MANYLINUX = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
OTHERS = (
    *("ada", "barbara", "claude", "dennis", "edsger", "frances", "grace", "hedy", "ida", "joan"),
    *("ken", "leslie", "margaret", "niklaus", "ole", "peter", "radia", "sophie", "tony", "vint"),
)


def host_images(suites: set[str]) -> dict[str, str]:
    """Give the tag of each suite's host image; those that are not there are built side by side."""
    with ThreadPoolExecutor(len(suites)) as pool:
        return dict(zip(suites, pool.map(_host_image, suites), strict=True))


def _host_image(suite: str) -> str:
    parent = base_image(suite)
    tag = f"relogin-lab-host:{digest(parent.encode(), *_inputs())}"
    if not exists(tag):
        _build(suite, parent, tag)
    return tag


def _build(suite: str, parent: str, tag: str) -> None:
    with tempfile.TemporaryDirectory(prefix="relogin-lab-") as folder:
        context = Path(folder)
        shutil.copytree(FILES, context, dirs_exist_ok=True)
        shutil.copytree(BACKEND, context / "halext", ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in _rendered().items():
            (context / name).write_text(text)
        download_wheels(context / "wheels", PYTHON[suite], BACKEND / "requirements.txt")
        run(["docker", "build", "--build-arg", f"BASE={parent}", "--tag", tag, folder])


@dataclass(frozen=True)
class OnHost:
    """What an image adds to the host's: its own files, applications and files with secrets.

    `files` is the folder with its Dockerfile, `applications` are folders of tests/apps with their
    requirements files; `later` are names of what is not part of the image.
    """

    kind: str
    files: Path
    applications: dict[str, str]
    rendered: dict[str, str]
    later: frozenset[str] = frozenset()

    def tag(self) -> str:
        """Give the tag of the image, built if it is not there."""
        parent = host_images({BOOKWORM})[BOOKWORM]
        tag = f"relogin-lab-{self.kind}:{digest(parent.encode(), *self._inputs())}"
        if not exists(tag):
            self._build(parent, tag)
        return tag

    def _build(self, parent: str, tag: str) -> None:
        with tempfile.TemporaryDirectory(prefix="relogin-lab-") as made:
            folder = Path(made)
            shutil.copytree(self.files, folder, dirs_exist_ok=True)
            for name, requirements in self.applications.items():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(APPS / name, folder / name, ignore=ignored)
                download_wheels(folder / "wheels", PYTHON[BOOKWORM], APPS / name / requirements)
            for name, text in self.rendered.items():
                (folder / name).write_text(text)
            run(["docker", "build", "--build-arg", f"HOST={parent}", "--tag", tag, made])

    def _inputs(self) -> list[bytes]:
        tops = (self.files, *(APPS / name for name in self.applications))
        return inputs(tops, self.rendered, self.later)


def inputs(tops: Iterable[Path], rendered: dict[str, str], later: Container[str]) -> list[bytes]:
    """List what decides an image, in a stable order; what is named `later` is no part of it."""
    paths = sorted(path for top in tops for path in top.rglob("*") if path.is_file())
    kept = [p for p in paths if "__pycache__" not in p.parts and p.name not in later]
    texts = [part for path in kept for part in (path.name.encode(), path.read_bytes())]
    return [*texts, *(text.encode() for text in rendered.values())]


def download_wheels(folder: Path, python: str, requirements: Path) -> None:
    """Fill a wheelhouse for a host's interpreter, which need not be this one."""
    platforms = [f"--platform={kind}_{platform.machine()}" for kind in MANYLINUX]
    abis = [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    target = ["--only-binary=:all:", f"--python-version={python}", "--implementation=cp"]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
    run([*pip, *target, *abis, *platforms, "--requirement", str(requirements)])


def _rendered() -> dict[str, str]:
    return {
        "dot.env": dot_env(),
        "roles.sql": _roles_sql(),
        "users.json": json.dumps(_users()),
        "passwords": f"deploypw:{canaries.SUDO_PASSWORD}\n",
    }


def database_url() -> str:
    """Give the healthy DATABASE_URL."""
    password = quote(canaries.DATABASE_PASSWORD, safe="")
    return f"postgresql://halext_user:{password}@127.0.0.1:5432/halext_org"


def dot_env() -> str:
    """Give the healthy .env: declared keys among others that have to survive."""
    return f"""\
# Halext, production
DEV_MODE=false
DATABASE_URL={database_url()}

# people need this code to sign up and to log in
ACCESS_CODE='{canaries.ACCESS_CODE}'
SECRET_KEY={canaries.SECRET_KEY}

# mail
SMTP_HOST=smtp.example.org
SMTP_PORT=587
QUOTED="a b"
   INDENTED=kept
EMPTY=
LOG_LEVEL=info
"""


def _roles_sql() -> str:
    return f"""
CREATE ROLE halext_user LOGIN PASSWORD '{canaries.DATABASE_PASSWORD}';
CREATE DATABASE halext_org OWNER halext_user;
CREATE ROLE blog_user LOGIN PASSWORD '{canaries.OTHER_DATABASE_PASSWORD}';
CREATE DATABASE blog OWNER blog_user;
\\connect blog
SET ROLE blog_user;
CREATE TABLE posts (id serial PRIMARY KEY, title text NOT NULL);
INSERT INTO posts (title) VALUES ('hello'), ('world');
"""


def _users() -> list[dict[str, object]]:
    ops = {"username": "ops", "password": canaries.OPS_PASSWORD, "is_admin": True}
    others = [
        {"username": name, "password": canaries.OTHERS_PASSWORD, "is_active": name != "tony"}
        for name in OTHERS
    ]
    return [{**user, "email": f"{user['username']}@example.com"} for user in [ops, *others]]


def _inputs() -> list[bytes]:
    """List what decides the host image; the healing and looking are no part."""
    return inputs((FILES, BACKEND), _rendered(), {"heal.sh", "snapshot.py"})


if __name__ == "__main__":
    sys.stdout.write("\n".join(host_images({*sys.argv[1:]} or {BOOKWORM}).values()) + "\n")
