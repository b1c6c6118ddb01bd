"""Ensure that the system's account is there that a backend belongs to and runs as."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import onboarding, shell
from relogin.fault import Change

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.bare import Bare

# Nobody logs in as it, and it has no home (Debian Policy, 9.2.3).
_MAKE = """\
user={user}
id -u "$user" >/dev/null 2>&1 && return 0
nologin=/usr/sbin/nologin; [ -x "$nologin" ] || nologin=/sbin/nologin
set -- --user-group; ! getent group "$user" >/dev/null || set -- --gid "$user"
useradd --system "$@" --no-create-home --home-dir /nonexistent --shell "$nologin" -- "$user"
"""


@operation()
def there(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the user is there; one that is stays as it is.

    + backend: the backend, as described
    """
    yield from onboarding.step(backend, changes)


def changes(backend: Backend, bare: Bare) -> Iterator[Change]:
    """Give the change that makes the user, and its group, where it is not there."""
    for user in bare.strangers:
        script = f"make_it() {{\n{_MAKE.format(user=shell.quote(user))}}}\nmake_it"
        yield Change(script, f"useradd --system {user}")
