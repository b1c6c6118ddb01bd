"""The document of a small run, as the history takes it."""

import os
import time
from pathlib import Path
from typing import Any


def document(run: str, *, file: Path | None = None, **fields: Any) -> dict[str, Any]:
    if file is not None:
        os.environ["XDG_STATE_HOME"] = str(file.parents[1])
    change = {"fault": "a.b", "subject": "s", "why": "w", "ok": True, "seconds": 0.1, "output": ""}
    result = {
        "backend": "mine", "outcome": "proven", "seconds": 1.0, "halted": None, "findings": [],
        "changes": [change], "unseen": [], "proof": None,
    }  # fmt: skip
    host = {
        "host": "one",
        "reached": True,
        "outcome": "proven",
        "error": None,
        "backends": [result],
    }
    whole = {"version": 1, "run": run, "purpose": "restore", "began": time.time(), "seconds": 1.0}
    return {**whole, "relogin": "1", "operator": "me@here", "hosts": [host], **fields}
