"""How the image of a service is built: by its project's files, and without a network as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts.compose_script import compose_function

if TYPE_CHECKING:
    from relogin.parts.runtime import Compose

# Without buildx the engine's former builder is there for sure, newer Compose refuses to build by
# BuildKit, and an older one has a part of it built in, which a Dockerfile may need. Compose would
# ask git about the folder, as root and with all of `--env-file` in its environment
# (BUILDX_GIT_INFO, docs.docker.com/build/building/variables). What a quiet build says of a failure
# lacks its cause.
_BUILT = """\
{compose}
docker buildx version >/dev/null 2>&1 || {{ DOCKER_BUILDKIT=0; export DOCKER_BUILDKIT; }}
BUILDX_GIT_INFO=false; export BUILDX_GIT_INFO
build() {{ said=$(compose build {services} 2>&1 </dev/null); }}
built() {{
  build || case $said in
    *'requires BuildKit'*) unset DOCKER_BUILDKIT; build ;;
    *) return 1 ;;
  esac
}}
built || {{ printf '%s\\n' "$said" | tail -n 8; exit 1; }}"""


def built(part: Compose, *services: str, limit: int) -> str:
    """Give the lines that build the services' images, after which `compose` is there as well.

    Without `services` it is the backend's own alone.
    """
    function = compose_function(part, limit=limit)
    return _BUILT.format(compose=function, services=shell.words(services or [part.service]))
