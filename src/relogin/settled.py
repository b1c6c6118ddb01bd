"""Imported first: what pyinfra has made by now stays, so that nobody need look through it again.

Else making our own modules sets off a full garbage collection of them all: 20 to 50 ms of each run.
"""

import gc
import sys

if "pyinfra_cli" in sys.modules:
    gc.freeze()
