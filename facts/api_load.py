"""How fast an API answers, how often it fails meanwhile, and how its service grows."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gevent

from relogin import remote, wire
from relogin.facts.api_ask import Asker, sent_as
from relogin.facts.api_endpoints import named
from relogin.facts.api_state import PERFORMANCE, Tried
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.secret import SecretMissing
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.facts.observation import Observation
    from relogin.parts.api import Endpoint

_LONGEST = 60.0  # seconds for one endpoint, whatever it was to be sent
_WAYS, _PATIENCE = 5, 10.0
# Of the main process and all below it: how many, their resident memory, and when it was started.
_MEMORY = """\
cat /proc/[0-9]*/status 2>/dev/null | awk '
  /^Pid:/ {{ pid = $2 }} /^PPid:/ {{ up[pid] = $2 }} /^VmRSS:/ {{ rss[pid] = $2 }}
  END {{
    for (one in up) {{
      at = one; for (n = 0; at && at != {pid} && n < 64; n++) at = up[at]
      if (at == {pid}) {{ count++; sum += rss[one] }}
    }}
    print count + 0, sum + 0
  }}'
sed 's/.*) //' /proc/{pid}/stat 2>/dev/null | cut -d ' ' -f 20"""


@dataclass(frozen=True)
class Memory:
    """The resident memory of a service in KiB, of how many processes, and its start (in ticks)."""

    processes: int
    resident: int
    started: str


def memory(host: Host, seen: Observation) -> Memory | Unreadable:
    """Ask the host how much memory the service's processes hold (proc(5), VmRSS)."""
    service = seen.service
    pid = service.main_pid if isinstance(service, ServiceState) else None
    if pid is None:
        return Unreadable("no process of the service is known")
    answers = remote.ask(host, {"memory": _MEMORY.format(pid=int(pid))}, deadline=20)
    if isinstance(answers, Unreadable):
        return answers
    words = answers["memory"].text.split() if "memory" in answers else []
    if len(words) != 3:
        return Unreadable(f"process {pid} is not there any more")
    return Memory(int(words[0]), int(words[1]), words[2].decode())


def grown(
    before: Memory | Unreadable, after: Memory | Unreadable, most: float, requests: int
) -> Tried:
    """Judge how much memory a service holds after so many requests; `most` is in MiB."""
    name = "the service's memory"
    for one in (before, after):
        if isinstance(one, Unreadable):
            return Tried(PERFORMANCE, name, None, f"{name}: not known ({one.reason})")
    assert isinstance(before, Memory)  # noqa: S101 # the loop has seen to it
    assert isinstance(after, Memory)  # noqa: S101
    told = f"{before.resident / 1024:.1f} MiB before, {after.resident / 1024:.1f} MiB after"
    said = f"{name}: {told} {requests} requests, {after.processes} processes"
    if before.started != after.started:
        return Tried(PERFORMANCE, name, False, f"{said}; it was restarted", "service-restarted")
    much = after.resident - before.resident > most * 1024
    expected = f"{most:g} MiB more at most"
    return Tried(PERFORMANCE, name, not much, said, "memory-grows" if much else "", expected)


def measured(asker: Asker, endpoints: Sequence[Endpoint]) -> Iterator[Tried]:
    """Send each of these endpoints as often as declared, over one connection each."""
    load = asker.api.load
    if not endpoints or not load.requests:
        return
    way = to_the_host(asker.host)
    sent = failed = 0
    worst: dict[str, int] = {}
    for endpoint in endpoints:
        times, wrong, why = _timed(asker, endpoint)
        sent, failed = sent + len(times) + wrong, failed + wrong
        if wrong:
            worst[named(endpoint)] = wrong
        yield _judged(asker, endpoint, [max(one - way, 0.0) for one in times], way, why)
    yield _errors(load.errors, sent, failed, worst)


def _timed(asker: Asker, endpoint: Endpoint) -> tuple[list[float], int, str]:
    """Give how long good answers took, how many were none, and why it ended before its end."""
    times: list[float] = []
    wrong, until = 0, time.monotonic() + _LONGEST
    carried = asker.session(endpoint.account).headers if endpoint.account else {}
    headers = asker.headers({**asker.declared(endpoint.headers), **carried})
    url, body = f"{asker.base}{endpoint.path}", sent_as(endpoint.fields, endpoint.body)
    with asker.kept() as send:
        for number in range(asker.api.load.requests + 1):
            asker.take(endpoint.name)
            reply = send(endpoint.method, url, deadline=asker.deadline, headers=headers, **body)
            if reply.status == 429:
                return times, wrong, "limited (429)"
            if reply.status != endpoint.status:
                wrong += 1
            elif number:  # the first one opens the connection
                times.append(reply.seconds)
            if time.monotonic() > until:
                return times, wrong, f"stopped after {_LONGEST:.0f} s"
    return times, wrong, ""


def _judged(asker: Asker, endpoint: Endpoint, times: list[float], way: float, why: str) -> Tried:
    name, load = named(endpoint), asker.api.load
    if not times:
        return Tried(PERFORMANCE, name, None, f"{name}: not measured ({why or 'no good answer'})")
    p50, p95, most = map(_shown, (*_shares(times), max(times)))
    less = f", less {_shown(way)} for the way from here" if way >= 0.00005 else ""
    end = f", {why}" if why else ""
    said = f"{name}: p50 {p50}, p95 {p95}, max {most} of {len(times)} requests{less}{end}"
    slow = _shares(times)[1] > load.p95
    expected = f"p95 below {load.p95 * 1000:g} ms"
    return Tried(PERFORMANCE, name, not slow, said, "slow" if slow else "", expected)


def _shown(seconds: float) -> str:
    return f"{seconds * 1000:.{1 if seconds < 0.01 else 0}f} ms"


def _shares(times: list[float]) -> tuple[float, float]:
    return percentile(times, 0.5), percentile(times, 0.95)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that so many of them do not exceed (nearest rank)."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def _errors(most: float, sent: int, failed: int, worst: dict[str, int]) -> Tried:
    name = "errors"
    if not sent:
        return Tried(PERFORMANCE, name, None, f"{name}: no request was measured")
    share = failed / sent
    of = ", ".join(f"{one}: {times}" for one, times in worst.items())
    said = f"{failed} of {sent} requests failed ({share:.1%}){f': {of}' if of else ''}"
    kind = "errors" if share >= most and failed else ""
    return Tried(PERFORMANCE, name, not kind, said, kind, f"less than {most:.1%}")


def to_the_host(host: Host, clock: Callable[[], float] = time.monotonic) -> float:
    """Give how many seconds the way to the host and back takes: by SSH, the middle one of some.

    Every server answers a global request that it does not know (RFC 4254, 4).
    """
    transport: Any = wire.ssh_transport(host)
    if transport is None:
        return 0.0
    ways = []
    with gevent.Timeout(_PATIENCE, False):  # paramiko waits for as long as the connection lasts
        for _ in range(_WAYS):
            began = clock()
            transport.global_request("keepalive@openssh.com", wait=True)
            ways.append(clock() - began)
    return statistics.median(ways) if ways else 0.0


def limited(asker: Asker) -> Iterator[Tried]:
    """Send what is declared to be limited, up to its count and once more."""
    for limit in asker.api.limits:
        known = _of_account(asker, limit.account)
        if isinstance(known, Unreadable):
            yield Tried(PERFORMANCE, f"limit of {limit.name}", None, known.reason)
            continue
        yield _limit(asker, limit, *known)


def _of_account(asker: Asker, account: str | None) -> Any:
    if account is None:
        return {}, {}
    try:
        session = asker.session(account)
        one = session.requests.account
        password = session.requests.password
    except SecretMissing as missing:
        return Unreadable(str(missing))
    return {"login": one.login, "email": one.email or "", "password": password}, session.headers


def _limit(asker: Asker, limit: Any, known: dict[str, str], carried: dict[str, bytes]) -> Tried:
    from relogin.facts.api_journeys import filled

    name = f"limit of {limit.name}"
    before = len(asker.times.get(limit.name, ()))
    fields = filled(limit.fields, known) if known else limit.fields
    for number in range(1, limit.count + 2):
        reply = asker.ask(limit.method, limit.path, carried, fields=fields, body=limit.body)
        if reply.status is None:
            return Tried(PERFORMANCE, name, None, f"{name}: not tried to its end ({reply.shown})")
        if reply.status == 429:
            early = number + before <= limit.count
            said = f"{name}: the {_nth(number)} request was answered 429"
            said += f", and {before} were sent before" if before else ""
            kind = "limited-early" if early else ""
            expected = f"after {limit.count}"
            return Tried(PERFORMANCE, name, not early, said, kind, expected)
    said = f"{name}: {limit.count + 1} requests, and no 429"
    return Tried(PERFORMANCE, name, False, said, "not-limited", f"after {limit.count}")


def _nth(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in {11, 12, 13} else 0)
    return f"{number}{ending or 'th'}"
