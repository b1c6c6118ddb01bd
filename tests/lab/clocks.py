"""The clock of a lab host, set for what is started from then on."""

from collections.abc import Iterator
from contextlib import contextmanager

from .host import Host

# For threads too, and none that only run on: who sets a clock does not move those
# (clock_settime(2)). sshd forbids new sessions what the library does in them; one that is there
# goes on.
_EVERYWHERE = """
systemctl set-environment DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1
printf '%+d\\n' {seconds} >/etc/faketimerc
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >>/etc/ld.so.preload
systemctl restart nginx
"""
_RIGHT = """
sed -i /faketime/d /etc/ld.so.preload; rm -f /etc/faketimerc
systemctl unset-environment DONT_FAKE_MONOTONIC FAKETIME_DONT_FAKE_MONOTONIC
"""
_DATE = """
ln -s /usr/lib/*/faketime/libfaketime.so.1 /usr/local/lib/faketime.so
printf '#!/bin/sh\\nLD_PRELOAD=/usr/local/lib/faketime.so FAKETIME=%+ds exec /bin/date "$@"\\n' \\
    {seconds} >/usr/local/bin/date
chmod 755 /usr/local/bin/date
"""


def jump(host: Host, seconds: int) -> None:
    """Set a host's clock ahead, or back, for every program; `set_right` comes after it."""
    host.root(_EVERYWHERE.format(seconds=seconds))


def set_right(host: Host) -> None:
    """Set it right; what was started meanwhile stays wrong until the host is healed."""
    host.root(_RIGHT)


def date_ahead(host: Host, seconds: int) -> None:
    """Let date(1) alone be ahead, until the host is healed."""
    host.root(_DATE.format(seconds=seconds))


@contextmanager
def right(host: Host) -> Iterator[None]:
    """Set it right at the end."""
    try:
        yield
    finally:
        set_right(host)
