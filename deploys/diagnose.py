"""Diagnose: every finding with its evidence, ranked; nothing is changed."""

from __future__ import annotations

from pyinfra import host, state
from pyinfra.api import deploy

from relogin import run
from relogin.deploys.backends import each_backend, looked
from relogin.proving import prove_and_judge
from relogin.report.text import verdict_at_exit


@deploy("Diagnose")
def diagnose() -> None:
    """Look at every backend of the host and try its login; registers no operation."""
    for backend in each_backend():
        verdict_at_exit("diagnose")
        record = run.entry(state, host, backend)
        seen = looked(record)
        if seen is None:
            continue
        prove_and_judge(record, seen, refusals=True, patience=0)


if __name__ == "builtins":
    diagnose()
