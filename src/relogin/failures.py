"""How many hosts of many may fail before the others are left alone."""

from __future__ import annotations

from relogin.errors import UsageError

LEFT_ALONE = "not tried: "  # how the reason begins for which a host was left alone


def allowed(share: str | None, hosts: int) -> int | None:
    """Give how many of so many hosts may fail: a number, or a share such as 10%; None for all.

    Raises:
        UsageError: it is neither.
    """
    if share is None:
        return None
    number = share.removesuffix("%")
    if not (number.isascii() and number.isdecimal()) or (number != share and int(number) > 100):
        raise UsageError(f"--max-failures {share!r} is no number of hosts (3) and no share (10%)")
    return int(number) if number == share else hosts * int(number) // 100


def not_tried(failed: int) -> str:
    """Say why a host was left alone."""
    hosts = "host has" if failed == 1 else "hosts have"
    return f"{LEFT_ALONE}{failed} {hosts} failed, more than --max-failures allows"
