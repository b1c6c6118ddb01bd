"""What no run may do to a host with containers, of the engine's own events and of every program.

The engine itself remembers 256 events, which health checks fill within minutes (moby's
daemon/events): so they are written down as they come.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

from tests.lab.execs import Exec
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
_LOST = re.compile(r"volume destroy *|container destroy (postgres|db)")
_MADE = re.compile(r"volume create *|container create (postgres|db)")
_WORDS = {"-v", "-V", "--volumes", "--remove-orphans", "--force-recreate", "--rmi"}
_WORDS |= {"--renew-anon-volumes", "--always-recreate-deps", "down", "rm", "prune", "kill", "rmi"}


@contextmanager
def watched(host: Host, *, making: bool = False) -> Iterator[None]:
    """Fail where a volume is made or removed meanwhile, or a database's container made anew.

    So it does where Docker is only given a word that would, and where whoever came by SSH starts a
    Python of the host. `making` is for a run that has to make volumes and containers.
    """
    host.root(_BEGIN)
    yield
    events = forbidden(host.root(_END, check=False).splitlines(), making=making)
    assert [] == events, f"the engine says: {events}"
    started = host.execs()
    begun = max((at for at, one in enumerate(started) if one.argv[1:] == [_MARK]), default=0)
    removing = [one.argv for one in started[begun:] if removes(one.argv)]
    assert [] == removing, f"there was run: {removing}"
    python = [one.argv[0] for one in started[begun:] if is_python_of_ours(one)]
    assert [] == python, f"on the host there was run: {python}"


def forbidden(events: list[str], *, making: bool = False) -> list[str]:
    """Give those of the engine's events that no run may bring about."""
    kinds = (_LOST,) if making else (_LOST, _MADE)
    return [line for line in events if any(kind.fullmatch(line) for kind in kinds)]


def is_python_of_ours(started: Exec) -> bool:
    """Tell whether a program is a Python that somebody who came by SSH has started on the host."""
    name = PurePath(started.argv[0]).name if started.argv else ""
    return name.startswith("python") and started.is_of("ssh.service")


def removes(argv: list[str]) -> bool:
    """Tell whether a command line is one of Docker that may remove data, or make it anew."""
    if not argv or PurePath(argv[0]).name not in {"docker", "docker-compose"}:
        return False
    inside = next((n for n, word in enumerate(argv) if word in {"exec", "run"}), len(argv))
    return bool(_WORDS & set(argv[:inside]))
