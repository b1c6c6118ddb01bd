"""Faults of the host itself: how each is made. No machine mends them, nor writes beside them."""

from .case import Case
from .words import BACKEND, PSQL, RESTART, drop_in

DATA = "$(echo /var/lib/postgresql/*/main)"
CLUSTER = "postgresql@$(ls /var/lib/postgresql)-main"


def on_tmpfs(folder: str, size: str, then: str) -> str:
    """Put a folder on a small file system of its own."""
    return f"""
    cp -a {folder} /root/moved; mount -t tmpfs -o {size} tmpfs {folder}
    cp -a /root/moved/. {folder}; chown --reference=/root/moved {folder}
    chmod --reference=/root/moved {folder}; rm -r /root/moved
    {then}"""


def postgres_on_tmpfs(size: str, then: str) -> str:
    """Put PostgreSQL's data there; it does not come up again."""
    return (
        f"systemctl stop {CLUSTER}"
        + on_tmpfs(DATA, size, then)
        + f"systemctl start {CLUSTER} || true\n{RESTART}"
    )


FILL = f"cat /dev/zero >{DATA}/fill 2>/dev/null || true\n"
MANY = f"n=0; while true >{DATA}/base/many.$n; do n=$((n + 1)); done 2>/dev/null\n"
FAKED = "LD_PRELOAD=/usr/local/lib/faketime.so FAKETIME=-1h NO_FAKE_STAT=1 DONT_FAKE_MONOTONIC=1"
UNIT_FAKED = f"[Service]\\nEnvironment={FAKED}"
# What the host's clock says, and what the backend makes its tokens by.
AN_HOUR_BEHIND = f"""
ln -s /usr/lib/*/faketime/libfaketime.so.1 /usr/local/lib/faketime.so
printf '#!/bin/sh\\n{FAKED} exec /bin/date "$@"\\n' >/usr/local/bin/date
chmod 755 /usr/local/bin/date
{drop_in("clock", UNIT_FAKED)}{RESTART}"""

MENDED: tuple[Case, ...] = ()
PERSONS: tuple[Case, ...] = (
    Case(
        "machine.filesystem-read-only",
        postgres_on_tmpfs("size=512m", f"mount -o remount,ro {DATA}\n"),
    ),
    Case("machine.disk-full", postgres_on_tmpfs("size=512m", FILL)),
    Case(
        "machine.disk-full",
        "<stop>"
        + on_tmpfs("<tree>", "size=512m", "")
        + f"sed -i /^<secret>=/d {BACKEND}/.env; cat /dev/zero >{BACKEND}/uploads 2>/dev/null\n"
        f"{PSQL} -c \"ALTER ROLE <role> PASSWORD 'of-yesterday'\"\n{RESTART}",
        name="machine.disk-full, and there would be much to write",
        restless=("unit:<service>",),  # it ends without its secret, and is started anew
    ),
    Case("machine.inodes-full", postgres_on_tmpfs("size=512m,nr_inodes=<inodes>", MANY)),
    Case("machine.clock-skew", AN_HOUR_BEHIND),
)
