"""Load what a deploy of ours will want while pyinfra waits for its hosts: a fifth of a short run.

pyinfra reads the inventory, connects, and only then reads the deploy, which loads all our layers.
"""

from __future__ import annotations

import contextlib
import importlib
import sys

# In steps of some 10 ms each.
_WANTED = (
    "relogin.facts.postgres",
    "relogin.facts.accounts",
    "relogin.facts.service",
    "relogin.facts.observation",
    "relogin.mend",
    "relogin.operations.env_file",
    "relogin.operations.venv",
    "relogin.operations.postgres",
    "relogin.operations.service",
    "relogin.operations.login",
    "relogin.operations.catalogue",
    "httpx",
    "relogin.web",
    "relogin.report.text",
)


def load() -> None:
    """Begin to load, once, where pyinfra's command runs; what fails is said where it is wanted."""
    if "pyinfra_cli" in sys.modules:
        import gevent

        gevent.spawn(_in_steps)


def _in_steps() -> None:
    import gevent

    with contextlib.suppress(ImportError):
        for name in _WANTED:
            importlib.import_module(name)
            gevent.sleep(0)  # a host that has answered meanwhile goes first
