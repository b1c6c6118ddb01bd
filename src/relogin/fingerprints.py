"""Fingerprints of what findings are about: they tell whether it changed, and hold none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.secret import mark

if TYPE_CHECKING:
    from relogin.facts.observation import Observation
    from relogin.finding import Finding


def marked(seen: Observation | None, key: tuple[str, str], finding: Finding | None) -> str:
    """Give the fingerprint of what a finding's key is about: an env value, else the evidence.

    It is empty where neither is there.
    """
    fault, subject = key
    value = None
    if seen is not None and fault.startswith(("env_file.", "jwt.")):
        value = seen.env(subject.rpartition(":")[2])
    if value is None and finding is not None:
        value = f"{finding.what} {finding.seen}"
    return "" if value is None else mark(value)


def key_mark() -> str:
    """Give a short mark of this machine's key: marks under two keys cannot be compared."""
    return mark("relogin fingerprints")
