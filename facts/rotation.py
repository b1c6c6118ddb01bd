"""What rotations of a backend's secrets have left: how many are done, and one that is under way.

The folder of a key is for root only, `/var/lib/relogin/BACKEND/rotate/KEY/`:

    done          one line for each rotation: its number, when (epoch seconds), the run
    retiring      of former secrets that are still good: until when (epoch seconds), their SHA-256
    under-way/    of one that began and did not end: number, phase, former, new, token
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import remote, shell, sql
from relogin.backend import Backend
from relogin.facts import alone, elsewhere, postgres
from relogin.finding import Unreadable
from relogin.parts.database import AdminUrl
from relogin.parts.proof import Cookie
from relogin.secret import Secret
from relogin.undo import place
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand
    from pyinfra.api.host import Host

    from relogin.facts.observation import Observation
    from relogin.remote import Answer

DEADLINE = 30.0
_KEPT = """\
for each in done retiring under-way/number under-way/phase under-way/former under-way/new \\
  under-way/token; do
  [ ! -e "$kept/$each" ] || part "$(echo "${each##*/}")" cat "$kept/$each"
done
part where echo "$kept/under-way"
"""


@dataclass(frozen=True)
class UnderWay:
    """A rotation that began and did not end; `phase` is `forward` or `back`.

    `former` is what was in force before, `token` one that was made with it. `where` is its folder.
    """

    number: int
    phase: str
    former: Secret = field(repr=False)
    new: Secret = field(repr=False)
    token: Secret | None = field(default=None, repr=False)
    where: str = ""


@dataclass(frozen=True)
class Rotation:
    """What is known of a key's rotations on a host.

    `done` is how many have ended well, `last` when the last one did (epoch seconds). `retiring` are
    former secrets that are still good: until when, and their SHA-256. `affected` is how many
    accounts or connections the next one is about; None where that cannot be counted.
    """

    done: int = 0
    last: float = 0.0
    under_way: UnderWay | None = None
    retiring: tuple[tuple[float, str], ...] = ()
    affected: int | None = None

    def due(self, now: float | None = None) -> tuple[str, ...]:
        """Give those of the former secrets whose time is over."""
        return tuple(sum_ for until, sum_ in self.retiring if until <= (now or time.time()))


def look(host: Host, backend: Backend, seen: Observation, key: str) -> Rotation | Unreadable:
    """Look at a key's rotations and at whom the next one is about, in one remote command."""
    parts = {"kept": kept_script(backend, key)}
    if count := _count_script(backend, seen, key):
        parts["count"] = count
    answers = remote.ask(host, parts, deadline=DEADLINE)
    return answers if isinstance(answers, Unreadable) else parse(answers)


def kept_script(backend: Backend, key: str) -> str:
    """Give the part that reads what rotations of a key have left."""
    return place(backend, f"rotate/{key}") + _KEPT


def parse(answers: Mapping[str, Answer]) -> Rotation | Unreadable:
    """Take the answers apart."""
    if "kept" not in answers:
        return Unreadable("its part of the answer did not arrive")
    told = {name: one.text.decode() for name, one in alone.answers(answers["kept"].lines).items()}
    done = [line.split() for line in told.get("done", "").splitlines() if line.strip()]
    retiring = (line.split() for line in told.get("retiring", "").splitlines() if line.strip())
    count = answers.get("count")
    counted = count is not None and count.status == 0 and count.text.strip().isdigit()
    return Rotation(
        int(done[-1][0]) if done else 0,
        float(done[-1][1]) if done else 0.0,
        _under_way(told),
        tuple((float(until), sum_) for until, sum_ in retiring),
        int(count.text) if count is not None and counted else None,
    )


def _under_way(told: Mapping[str, str]) -> UnderWay | None:
    if "number" not in told or "new" not in told:
        return None
    token = told.get("token", "")
    return UnderWay(
        int(told["number"]),
        told.get("phase", "forward"),
        Secret.seen(told.get("former", "")),
        Secret.seen(told["new"]),
        Secret.seen(token) if token else None,
        told.get("where", "").strip(),
    )


def _count_script(backend: Backend, seen: Observation, key: str) -> str:
    """Give the part that counts whom a rotation is about; '' where nobody can be asked."""
    database = backend.database
    if database is None or database.admin is None:
        return ""
    target = postgres.target_in_force(backend, seen.env)
    if isinstance(target, Unreadable):
        return ""
    count = _counted(backend, seen, key, target.role)
    at = "" if isinstance(database.admin, AdminUrl) else target.host
    psql = postgres.admin_command(
        database.admin, port=target.port, host=at, database=target.database, service=backend.service
    )
    return elsewhere.functions(backend) + sql.psql(f"{sql.READ}{count};", command=psql)


def _counted(backend: Backend, seen: Observation, key: str, role: str) -> str:
    """Give the query: sessions that live, accounts that may have a token, or connections."""
    secret = backend.token.secret if backend.token else None
    signs = getattr(secret, "key", None) == key
    cookie = backend.login is not None and isinstance(backend.login.token, Cookie)
    if cookie and not signs and backend.database is not None:
        table = sql.literal(sql.name(backend.database.schema, "django_session"))
        return (
            f"select case when to_regclass({table}) is null then null else"
            " (xpath('/row/c/text()', query_to_xml('select count(*) as c from '"
            f" || {table} || ' where expire_date > now()', false, true, '')))[1]::text::int end"
        )
    if signs and backend.accounts is not None and backend.database is not None:
        table = sql.name(backend.database.schema, backend.accounts.table)
        return f"select count(*) from {table}"
    return f"select count(*) from pg_stat_activity where usename = {sql.literal(role)}"


class Rotations(FactBase[Any]):
    """Tell how often a backend's secret was rotated, and whether a rotation is under way.

    + backend: the backend's name
    + key: the key of its env file
    """

    def command(self, backend: str, key: str) -> StringCommand:
        folder = place(Backend(backend), f"rotate/{shell.quote(key)}")
        told = 'cat "$kept/done"; [ ! -e "$kept/under-way" ] || echo under-way\n'
        return alone.command({"kept": f"{folder}{told}"})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "kept", _told)


def _told(answer: Answer) -> Any:
    lines = answer.lines
    done = [line.split() for line in lines if line != "under-way"]
    return {"rotated": [float(when) for _, when, *_ in done], "under_way": "under-way" in lines}
