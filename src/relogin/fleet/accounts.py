"""The hosts of a pass that have no run of their own: each is accounted for all the same."""

from __future__ import annotations

import time

from relogin.fleet.passes import new_pass
from relogin.ledger.keep import keep
from relogin.report import document


def account(hosts: list[str], of_pass: str, word: str, why: str) -> str | None:
    """Keep what became of hosts that were not worked on; give a line where that could not be."""
    told = {"reached": False, "outcome": word, "error": why, "backends": [], "transcript": []}
    return keep(
        {
            "run": new_pass(),
            "purpose": "drift",
            "began": round(time.time(), 3),
            "seconds": 0.0,
            "relogin": document.version(),
            "operator": document.operator(),
            "pass": of_pass,
            "hosts": [{"host": host, **told} for host in hosts],
        }
    )
