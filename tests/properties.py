"""How many examples a property is tried on: the same ones in every run, so that a failure repeats.

Whoever tests a property imports from here, and the profile is loaded.
"""

import os

from hypothesis import settings

settings.register_profile(
    "relogin",
    derandomize=True,
    deadline=None,
    print_blob=True,
    max_examples=2000 if os.environ.get("RELOGIN_TEST_ALL") else 200,
)
settings.load_profile("relogin")

# Where each example starts a process.
few = settings(max_examples=settings().max_examples // 4)
