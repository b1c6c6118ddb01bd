"""What `import relogin` costs: an inventory imports it on every run, often only to be read."""

import subprocess
import sys

HEAVY = {"httpx", "psycopg", "jinja2", "click", "rich", "paramiko", "gevent", "pyinfra", "bcrypt"}


def test_importing_relogin_imports_nothing_heavy():
    assert imported_by("import relogin") & HEAVY == set()


def test_describing_a_backend_imports_nothing_heavy():
    assert imported_by("import relogin; relogin.Backend('mine')") & HEAVY == set()


def imported_by(code):
    """The top-level packages that a fresh interpreter imports, as `-X importtime` lists them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
