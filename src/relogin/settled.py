"""Imported first: what pyinfra has made by now stays, so that nobody need look through it again.

Else making our own modules sets off a full garbage collection of them all: 20 to 50 ms of each run.
And httpx's own command stays away: importing httpx would load it, and rich and pygments with it.
"""

import gc
import sys

if "pyinfra_cli" in sys.modules:
    gc.freeze()
# "If the value is None, then a ModuleNotFoundError is raised" (Python docs, 5.3.1), which httpx
# takes for its command not being installed.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
