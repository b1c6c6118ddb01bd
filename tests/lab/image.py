"""Build the image of a lab host: a Debian with systemd, and a healthy Halext on it.

Images are tagged with a hash of what they are made from: what has been built is not built again.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from . import canaries

FILES = Path(__file__).parent / "files"
BACKEND = Path(__file__).parents[1] / "apps" / "halext"
SUITE = "bookworm"
MANYLINUX = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
OTHERS = (
    *("ada", "barbara", "claude", "dennis", "edsger", "frances", "grace", "hedy", "ida", "joan"),
    *("ken", "leslie", "margaret", "niklaus", "ole", "peter", "radia", "sophie", "tony", "vint"),
)


class LabUnavailableError(Exception):
    """This machine cannot run the lab; the message is one plain sentence."""


def run(arguments: Sequence[str], *, stdin: str | None = None, deadline: float = 600) -> str:
    """Give the output of a program.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    done = subprocess.run(
        arguments, input=stdin, capture_output=True, text=True, timeout=deadline, check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr)[-3000:]
        raise RuntimeError(f"{' '.join(arguments[:3])} ended with {done.returncode}: {said}")
    return done.stdout


def host_image() -> str:
    """Give the tag of the host image, built if it is not there."""
    parent = _base()
    tag = f"relogin-lab-host:{_digest(parent.encode(), *_inputs())}"
    if not _exists(tag):
        _build(parent, tag)
    return tag


def _base() -> str:
    packages = (FILES / "packages").read_text().split()
    tag = f"relogin-lab-base:{_digest(SUITE.encode(), *[p.encode() for p in packages])}"
    if _exists(tag):
        return tag
    if shutil.which("mmdebstrap") and os.geteuid() == 0:
        _bootstrap(tag, packages)
    else:
        _pull(tag)
    return tag


def _pull(tag: str) -> None:
    try:
        run(["docker", "pull", "--quiet", f"debian:{SUITE}-slim"])
    except RuntimeError as error:
        raise LabUnavailableError(
            f"no image registry answers ({str(error).splitlines()[-1]}), and bootstrapping one"
            " needs root and mmdebstrap"
        ) from error
    run(["docker", "tag", f"debian:{SUITE}-slim", tag])


def _bootstrap(tag: str, packages: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="relogin-lab-") as folder:
        tree = f"{folder}/root.tar"
        options = ["--quiet", "--variant=minbase", f"--include={','.join(packages)}"]
        run(["mmdebstrap", *options, *_apt_options(), SUITE, tree, "-"], stdin=_sources())
        run(["docker", "import", tree, tag])


def _sources() -> str:
    """Give the control machine's own Debian archives as one-line sources of our suite."""
    line = "$(ORIGIN) $(CODENAME) $(REPO_URI)"
    listed = run(["apt-get", "indextargets", "--format", line, "Created-By: Packages"])
    found = [entry.split() for entry in listed.splitlines() if len(entry.split()) == 3]
    wanted = {
        f"deb {uri} {'-'.join([SUITE, *kind])} main\n"
        for origin, codename, uri in found
        for _, *kind in [codename.split("-", 1)]
        if origin == "Debian" and kind in ([], ["updates"], ["security"])
    }
    if not wanted:
        raise LabUnavailableError("apt knows no Debian archive here: run apt-get update first")
    return "".join(sorted(wanted))


def _apt_options() -> list[str]:
    settings = run(["apt-config", "dump", "--format", '%f "%v";%n', "Acquire"]).splitlines()
    kept = [line for line in settings if "::Proxy" in line or "::CAInfo" in line]
    return [f"--aptopt={line}" for line in kept if '""' not in line]


def _build(parent: str, tag: str) -> None:
    with tempfile.TemporaryDirectory(prefix="relogin-lab-") as folder:
        context = Path(folder)
        shutil.copytree(FILES, context, dirs_exist_ok=True)
        shutil.copytree(BACKEND, context / "halext", ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in _rendered().items():
            (context / name).write_text(text)
        _download_wheels(context / "wheels")
        run(["docker", "build", "--build-arg", f"BASE={parent}", "--tag", tag, folder])


def _download_wheels(folder: Path) -> None:
    """Fill a wheelhouse for the host's interpreter, which need not be this one."""
    with tempfile.TemporaryDirectory(prefix="relogin-lab-") as place:
        venv.create(place, with_pip=True)
        platforms = [f"--platform={kind}_{platform.machine()}" for kind in MANYLINUX]
        abis = [f"--abi={abi}" for abi in ("cp311", "abi3", "none")]
        target = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
        pip = [f"{place}/bin/python", "-m", "pip", "download", "--quiet", "--dest", str(folder)]
        run([*pip, *target, *abis, *platforms, "--requirement", str(BACKEND / "requirements.txt")])


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
    """List what decides the host image, in a stable order; the healing and looking are no part."""
    paths = sorted(p for top in (FILES, BACKEND) for p in top.rglob("*") if p.is_file())
    later = {"heal.sh", "snapshot.py"}
    kept = [p for p in paths if "__pycache__" not in p.parts and p.name not in later]
    texts = [part for path in kept for part in (path.name.encode(), path.read_bytes())]
    return [*texts, *(text.encode() for text in _rendered().values())]


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]


def _exists(tag: str) -> bool:
    found = subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False)
    return not found.returncode


if __name__ == "__main__":
    sys.stdout.write(f"{host_image()}\n")
