"""Ensure that the distribution's packages are there that a backend needs."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import onboarding, shell
from relogin.facts import bare as facts
from relogin.fault import Change

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.bare import Bare

_DEADLINE = 900
# A server that is made on installing takes the locale of that moment for its databases. Nothing is
# removed or replaced for a package, no changed configuration overwritten, nothing else restarted.
_INSTALL = """\
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l LANG=C.UTF-8 LC_ALL=C.UTF-8
umask 022
tell() {{ printf '%s\\n' "$said" | grep -v '^$' | tail -n 6; exit 1; }}
[ -z "$(dpkg --audit)" ] || said=$(dpkg --force-confold --configure -a 2>&1) || tell
get() {{ within {limit} apt-get -qq -o DPkg::Lock::Timeout=240 "$@" 2>&1; }}
updated=$(get update) || :
{newest}names=
for name in {names}; do
  case $name in
    docker-cli)  # an older docker.io has it in itself, and goes with no other
      within 60 apt-get install -s --no-install-recommends docker.io "$name" >/dev/null 2>&1 ||
        continue ;;
    docker-compose)
      name=
      for one in {composes}; do
        version=$(newest "$one"); version=${{version#*:}}
        case $version in ''|[01].*) ;; *) name=$one; break ;; esac
      done
      [ -n "$name" ] || {{
        echo "apt knows no Docker Compose 2 ($(newest docker-compose)): let it know packages of it"
        exit 1
      }} ;;
  esac
  names="$names $name"
done
said=$(get install -y --no-install-recommends --no-remove -o Dpkg::Options::=--force-confdef \\
  -o Dpkg::Options::=--force-confold $names) || {{ said=$updated$said; tell; }}
"""


@operation()
def installed(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the packages are there; those that are stay as they are.

    + backend: the backend, as described
    """
    yield from onboarding.step(backend, changes)


def changes(backend: Backend, bare: Bare) -> Iterator[Change]:
    """Give the change that installs what is missing, by apt; also after an interrupted dpkg."""
    if not bare.missing and not bare.half:
        return
    script = _INSTALL.format(
        names=shell.words(bare.missing),
        limit=_DEADLINE - 30,
        newest=facts.NEWEST,
        composes=shell.words(facts.COMPOSE_PACKAGES),
    )
    what = f"apt-get install {' '.join(bare.missing)}" if bare.missing else "dpkg --configure -a"
    yield Change(script, what, deadline=_DEADLINE)
