"""Ensure that nginx hands requests for the declared names on to the backend."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import onboarding, shell
from relogin.facts.bare import site_path
from relogin.fault import Change

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.bare import Bare
    from relogin.parts.onboard import Onboard

_SERVER = """\
# Written by relogin: what the backend's description declares.
server {{
    listen 80;
    listen [::]:80;
    server_name {names};

    location / {{
        proxy_pass {upstream};
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
    }}
}}
"""
# nginx reads it only once it has been found right: else it would not start any more.
_WRITE = """\
umask 022; path={path}; link=/etc/nginx/sites-enabled/{name}
[ -d /etc/nginx/sites-enabled ] || {{
  echo 'nginx is not set up as Debian has it (no /etc/nginx/sites-enabled): add the server yourself'
  exit 1
}}
[ -e "$path" ] || {{
{text}
[ -e /proc/net/if_inet6 ] || sed -i '/\\[::\\]/d' "$path.relogin-new"
mv "$path.relogin-new" "$path"
}}
grep -q '^# Written by relogin' "$path" || {{
  echo "$path is there already, and does not name them all: add them there"; exit 1
}}
new=; [ -e "$link" ] || {{ ln -s "$path" "$link"; new=yes; }}
said=$(nginx -t 2>&1) || {{
  [ -z "$new" ] || rm -f "$link"; printf '%s\\n' "$said" | tail -n 4; exit 1
}}
! systemctl -q is-active nginx || systemctl reload nginx
"""


@operation()
def serves(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that nginx has a server of the declared names; one that has them stays as it is.

    + backend: the backend, as described
    """
    yield from onboarding.step(backend, changes)


def changes(backend: Backend, bare: Bare) -> Iterator[Change]:
    """Give the change that writes the server, where one of the names is nowhere."""
    if backend.onboard is not None and bare.unnamed:
        path = site_path(backend)
        text = shell.fed(server(backend.onboard), 'cat >"$path.relogin-new"')
        script = _WRITE.format(path=shell.quote(path), name=shell.quote(backend.name), text=text)
        yield Change(script, f"nginx: serve {', '.join(bare.unnamed)} ({path})")


def server(part: Onboard) -> str:
    """Give the text of the server."""
    return _SERVER.format(names=" ".join(part.server_name), upstream=part.upstream)
