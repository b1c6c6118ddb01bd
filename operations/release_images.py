"""The image of a new revision, in a Docker Compose project: the backend's own service alone.

It is built while the former one runs on; that one keeps a name, so that it can come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts.compose_script import compose_function
from relogin.operations import compose_build

if TYPE_CHECKING:
    from relogin.parts.runtime import Compose

DEADLINE = 1800
_BUILT = """\
{compose}
if ! marked 'image kept'; then
  id=$(compose ps -aq {service} | sed -n 1p)
  [ -n "$id" ] || {{ printf 'there is no container of %s to go back to\\n' {service}; exit 1; }}
  docker tag "$(docker inspect --format '{{{{.Image}}}}' "$id")" {former}
  put image "$(docker inspect --format '{{{{.Config.Image}}}}' "$id")"
  mark 'image kept'
fi
{source}
mark building
{built}
"""
_BACK = """\
if marked 'image kept'; then docker tag {former} "$(told image)"; fi
"""


def built(part: Compose, name: str, source: str) -> str:
    """Give the lines of a step that build the service's image; `source` checks the revision out."""
    return _BUILT.format(
        compose=compose_function(part, limit=DEADLINE),
        service=shell.quote(part.service),
        former=former(name),
        source=source,
        built=compose_build.built(part, limit=DEADLINE),
    )


def back(name: str) -> str:
    """Give the lines of a step by which the service's image is the former one again."""
    return _BACK.format(former=former(name))


def former(name: str) -> str:
    """Give the name that the image before the last release has (docker-tag(1): small letters)."""
    return shell.quote(f"relogin-former/{name.lower()}")
