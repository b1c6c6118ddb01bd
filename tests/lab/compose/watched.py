"""What no run may do to a host with containers, of the engine's own events and of every program.

The engine itself remembers 256 events, which health checks fill within minutes (moby's
daemon/events): so they are written down as they come.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

from tests.lab.host import Host

_SERVICE = '{{with index .Actor.Attributes "com.docker.compose.service"}}{{.}}{{end}}'
_MARK = "it-is-watched-from-here-on"
_BEGIN = f"""
systemctl -q stop lab-events 2>/dev/null
cat >/run/lab-events.sh <<END
exec docker events --since $(date +%s.%N) --filter type=volume --filter type=container \
  --filter event=create --filter event=destroy \
  --format '{{{{.Type}}}} {{{{.Action}}}} {_SERVICE}' >/run/lab-events
END
systemd-run -q --collect --unit=lab-events sh /run/lab-events.sh
/bin/true {_MARK}"""
_END = "sleep 0.2; systemctl -q stop lab-events 2>/dev/null; cat /run/lab-events"
_FORBIDDEN = re.compile(r"volume (create|destroy) *|container (create|destroy) (postgres|db)")
_WORDS = {"-v", "-V", "--volumes", "--remove-orphans", "--force-recreate", "--rmi"}
_WORDS |= {"--renew-anon-volumes", "--always-recreate-deps", "down", "rm", "prune", "kill", "rmi"}


@contextmanager
def watched(host: Host) -> Iterator[None]:
    """Fail where a volume is made or removed meanwhile, or a database's container made anew.

    So it does where Docker is only given a word that would.
    """
    host.root(_BEGIN)
    yield
    events = forbidden(host.root(_END, check=False).splitlines())
    assert [] == events, f"the engine says: {events}"
    given = [each.argv for each in host.execs()]
    begun = max((at for at, argv in enumerate(given) if argv[1:] == [_MARK]), default=0)
    removing = [argv for argv in given[begun:] if removes(argv)]
    assert [] == removing, f"there was run: {removing}"


def forbidden(events: list[str]) -> list[str]:
    """Give those of the engine's events that no run may bring about."""
    return [line for line in events if _FORBIDDEN.fullmatch(line)]


def removes(argv: list[str]) -> bool:
    """Tell whether a command line is one of Docker that may remove data, or make it anew."""
    if not argv or PurePath(argv[0]).name not in {"docker", "docker-compose"}:
        return False
    inside = next((n for n, word in enumerate(argv) if word in {"exec", "run"}), len(argv))
    return bool(_WORDS & set(argv[:inside]))
