"""Make the image that a lab host begins with: a Debian of a suite, with the lab's packages."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

FILES = Path(__file__).parent / "files"
BOOKWORM, TRIXIE = "bookworm", "trixie"
COMPOSE = "compose"  # Debian 12 with a Docker Engine
BACKENDS = "backends"  # Debian 12 with many backends
BARE = "bare"  # Debian 12 with sshd, systemd and sudo, and nothing else
BARE_TRIXIE = "bare-trixie"
BARE_ENGINE = "bare-engine"  # Debian 13, bare, with room for a Docker Engine
PYTHON = {BOOKWORM: "3.11", TRIXIE: "3.13", BACKENDS: "3.11"}


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


def base_image(suite: str, listed: Path = FILES / "packages") -> str:
    """Give the tag of a suite's base image with the listed packages, made if it is not there."""
    packages = listed.read_text().split()
    tag = f"relogin-lab-base:{digest(suite.encode(), *[p.encode() for p in packages])}"
    if exists(tag):
        return tag
    if shutil.which("mmdebstrap") and os.geteuid() == 0:
        _bootstrap(suite, tag, packages)
    else:
        _pull(suite, tag)
    return tag


def exists(tag: str) -> bool:
    """Tell whether Docker has an image of this tag."""
    found = subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False)
    return not found.returncode


def digest(*parts: bytes) -> str:
    """Give a short hash of the parts, in their order."""
    whole = sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]


def _pull(suite: str, tag: str) -> None:
    try:
        run(["docker", "pull", "--quiet", f"debian:{suite}-slim"])
    except RuntimeError as error:
        raise LabUnavailableError(
            f"no image registry answers ({str(error).splitlines()[-1]}), and bootstrapping one"
            " needs root and mmdebstrap"
        ) from error
    run(["docker", "tag", f"debian:{suite}-slim", tag])


def _bootstrap(suite: str, tag: str, packages: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="relogin-lab-") as folder:
        tree = f"{folder}/root.tar"
        options = ["--quiet", "--variant=minbase", f"--include={','.join(packages)}"]
        run(["mmdebstrap", *options, *_apt_options(), suite, tree, "-"], stdin=_sources(suite))
        run(["docker", "import", tree, tag])


def _sources(suite: str) -> str:
    """Give the control machine's own Debian archives as one-line sources of another suite.

    Its apt knows its own suite alone; an archive that has that one has the others beside it.
    """
    line = "$(ORIGIN) $(CODENAME) $(REPO_URI)"
    listed = run(["apt-get", "indextargets", "--format", line, "Created-By: Packages"])
    found = [entry.split() for entry in listed.splitlines() if len(entry.split()) == 3]
    wanted = {
        f"deb {uri} {'-'.join([suite, *kind])} main\n"
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
