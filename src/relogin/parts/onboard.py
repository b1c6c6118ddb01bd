"""What a bare host needs before a backend can run there, as far as the rest does not say it."""

from __future__ import annotations

import re

from relogin import carried
from relogin.parts.part import fits, listed, part, refuse_unless, web_address


@part
class Onboard:
    """Let deploys/onboard.py install what the backend needs on a host that has none of it.

    What the description asks for anyway is known from it (python3-venv, postgresql, git, nginx);
    `packages` are further ones of the distribution. `user` is the system's account that the backend
    runs as, where neither its service nor its venv names one. With `server_name`, nginx gets a
    server of these names that hands requests on to `upstream`; 127.0.0.1 may be one of them.
    """

    packages: tuple[str, ...] = ()
    user: str | None = None
    server_name: tuple[str, ...] = ()
    upstream: str = "http://127.0.0.1:8000"

    def __post_init__(self) -> None:
        listed(self, "packages", "server_name")
        fits("Onboard: user", carried.os_user, self.user)
        web_address("Onboard: upstream", self.upstream)
        for name in self.packages:  # Debian Policy, 5.6.1
            named = re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name)
            refuse_unless(named, f"Onboard: {name!r} is no package's name")
        for name in self.server_name:
            named = re.fullmatch(r"(\*\.)?[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]", name)
            refuse_unless(named, f"Onboard: server_name {name!r} is no name of a host")
        plain = re.fullmatch(r"https?://[A-Za-z0-9.:\[\]_-]+", self.upstream)
        refuse_unless(plain, f"Onboard: upstream {self.upstream!r} is not http://HOST[:PORT]")
