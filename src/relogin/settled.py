"""Imported first, for what pyinfra's command takes a short run's time with.

What pyinfra has made by now stays: nobody need look through it again, as making our own modules
would have Python do, for 20 to 50 ms of each run. httpx's own command stays away: importing httpx
would load it, and rich and pygments with it. And what nearly every run wants is loaded while
pyinfra waits for its hosts.
"""

import atexit
import contextlib
import gc
import importlib
import sys

_SOON = ("relogin.run", "relogin.unfit", "relogin.facts.postgres", "relogin.facts.observation")


def load(names: tuple[str, ...]) -> None:
    """Load modules one by one while nothing else goes on: a host that has answered goes first."""
    import gevent

    with contextlib.suppress(ImportError):  # it is said where it is wanted
        for name in names:
            gevent.idle()
            importlib.import_module(name)


def seldom_collect() -> None:
    """Have the interpreter look for garbage seldom, and not at all for what is left as it ends.

    A run makes little of it; to look through all modules takes 20 to 100 ms each time.
    """
    gc.set_threshold(10_000, 20, 20)
    atexit.register(gc.freeze)


if "pyinfra_cli" in sys.modules:
    import gevent

    gc.freeze()
    seldom_collect()
    gevent.spawn(load, _SOON)
# "If the value is None, then a ModuleNotFoundError is raised" (Python docs, 5.3.1), which httpx
# takes for its command not being installed.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
