"""The fault of a backend that asks another database than the one that was declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import database_url
from relogin.database_url import DatabaseUrlError
from relogin.facts.databases_in_use import DatabasesInUse
from relogin.fault import Fault
from relogin.finding import Finding
from relogin.operations.login_reading import reading
from relogin.parts.configuration import FromEnv

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _detect(backend: Backend, seen: Observation) -> Finding | None:
    """Judge by what the process has open; else by the URL that it was started with."""
    use, proof = seen.databases, seen.login
    found = reading(backend.login, proof) if backend.login and proof else None
    if found is None or found.kind not in {"refused", "server-error"}:
        return None
    if not isinstance(use, DatabasesInUse):
        return None
    said = _other(use) or _started_with(backend, seen, use)
    if not said:
        return None
    return Finding(
        "the backend asks another database than the declared one",
        seen=said,
        expected=f"{use.target.database} at {use.target.host}:{use.target.port}",
        remedy=f"see where the code in {backend.directory} takes the URL from: another variable,"
        " another file that it loads, a fallback such as sqlite:///…; correct that, or the"
        " description",
    )


def _other(use: DatabasesInUse) -> str:
    """Say what it uses instead; a connection to the declared one clears it."""
    if use.target.database in use.databases:
        return ""
    if use.databases:
        return f"its connections are in database {', '.join(use.databases)} of that server"
    if use.servers:
        others = ", ".join(f"{address}:{port}" for address, port in use.servers[:3])
        return f"it is connected to {others}, and not to the declared server"
    if use.files:
        return f"it has {', '.join(use.files[:3])} open, and no connection to the declared server"
    return ""


def _started_with(backend: Backend, seen: Observation, use: DatabasesInUse) -> str:
    declared = backend.database.url if backend.database else None
    started = seen.in_process(declared.key) if isinstance(declared, FromEnv) else None
    if not isinstance(declared, FromEnv) or started is None or started == seen.env(declared.key):
        return ""
    if started.startswith("sqlite"):
        return f"the process was started with a {declared.key} that is SQLite's"
    try:
        url = database_url.parse(started)
    except DatabaseUrlError:
        return ""
    at = f"{url.host or '127.0.0.1'}:{url.port or 5432}"
    if (url.database, at) == (use.target.database, f"{use.target.host}:{use.target.port}"):
        return ""
    return f"the process was started with a {declared.key} of {url.database} at {at}"


OTHER_DATABASE = Fault(
    "login.other-database",
    _detect,
    symptom_of=("env_file", "service"),
    about="the backend asks another database than the declared one (or an SQLite file)",
    remedy="find where its code takes the URL from, and correct that",
    check=(
        "ls -l /proc/$(systemctl show UNIT -p MainPID --value)/fd | grep -E 'db|sqlite'",
        "ss -tnp state established",
        "runuser -u postgres -- psql -c 'select datname, usename, client_port, backend_start"
        " from pg_stat_activity'",
        "grep -rnE 'sqlite|create_engine|DATABASES' DIRECTORY --include=*.py",
    ),
)
