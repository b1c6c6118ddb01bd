"""What is looked at before a release changes anything: ten checks, each says what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from relogin.facts import own_url
from relogin.facts.env_file import EnvFileState
from relogin.facts.postgres_state import Server
from relogin.facts.proof import Check
from relogin.facts.service_state import ServiceState
from relogin.finding import Finding, Unreadable
from relogin.operations import catalogue
from relogin.parts.configuration import FromEnv
from relogin.parts.runtime import Compose
from relogin.secret import Secret, SecretMissing

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.release_state import ReleaseState

DAY = 86400.0
_SPARE_KIB = 256 * 1024


def checked(
    backend: Backend, seen: Observation, state: ReleaseState, *, repair: bool = False
) -> tuple[Check, ...]:
    """Judge whether a release may begin; `repair` lets a broken login and another source be.

    While a release is under way, what it has left unfinished stands in its own way nowhere.
    """
    resumed = state.under_way is not None
    lax = "a release is under way" if resumed else "--data repair=true" if repair else ""
    judged: tuple[tuple[str, Callable[[], str | Check]], ...] = (
        ("directory", lambda: _directory(backend, state)),
        ("engine", lambda: _engine(seen)),
        ("env file", lambda: _env_file(seen)),
        ("keys", lambda: _secrets(backend, seen)),
        ("volumes", lambda: _volumes(backend, seen)),
        ("disk", lambda: _disk(backend, seen, state)),
        ("database", lambda: _database(backend, seen, state, resumed=resumed)),
        ("backup", lambda: _backup(backend, seen, state)),
        ("login", lambda: _login(seen, lax)),
        ("source", lambda: _source(state, lax)),
    )
    return tuple(_as_check(name, judge()) for name, judge in judged)


def refused(checks: tuple[Check, ...]) -> list[Check]:
    """Give the checks that stand in the way."""
    return [check for check in checks if not check.ok]


def _as_check(name: str, said: str | Check) -> Check:
    return said if isinstance(said, Check) else Check(name, True, said)


def _no(name: str, said: str) -> Check:
    return Check(name, False, said)


def _directory(backend: Backend, state: ReleaseState) -> str | Check:
    tree = state.tree
    where = backend.source.directory if backend.source else ""
    if tree.problem:
        return _no("directory", tree.problem)
    if not backend.directory.startswith(where.rstrip("/")):
        return _no("directory", f"the backend runs in {backend.directory}, outside of {where}")
    if state.room.lacking:
        return _no("directory", f"not installed on the host: {', '.join(state.room.lacking)}")
    return f"{where}, of {tree.owner}"


def _engine(seen: Observation) -> str | Check:
    service = seen.service
    if not isinstance(service, ServiceState):
        why = service.reason if isinstance(service, Unreadable) else "no service is declared"
        return _no("engine", why)
    project = service.project
    if project is not None and (project.engine_error or project.config_error):
        return _no("engine", project.engine_error or project.config_error)
    if not service.exists or service.load != "loaded":
        return _no("engine", f"{service.name} is {service.load}: restore access first")
    return f"{service.name} is {service.state}"


def _env_file(seen: Observation) -> str | Check:
    lacking = [one for one in seen.env_files if not isinstance(one, EnvFileState)]
    if lacking:
        why = lacking[0].reason if isinstance(lacking[0], Unreadable) else "it does not exist"
        return _no("env file", why)
    there = [one for one in seen.env_files if isinstance(one, EnvFileState)]
    return ", ".join(one.path for one in there) or "none is declared"


def _found(backend: Backend, seen: Observation, *layers: str) -> list[Finding]:
    """Give what keeps people out, or will, of these layers, as a diagnosis finds it."""
    faults = [fault for fault in catalogue.of(backend) if fault.layer in layers]
    found = [finding for fault in faults for finding in fault.found(backend, seen)]
    return [finding for finding in found if finding.critical]


def _secrets(backend: Backend, seen: Observation) -> str | Check:
    found = _found(backend, seen, "env_file", "jwt")
    if found:
        return _no("keys", "; ".join(finding.what for finding in found))
    if problem := _other_secret(backend, seen):
        return _no("keys", problem)
    keys = {key for file in backend.env_files for key in file.keys}
    return f"{len(keys)} required ones set and sound"


def _other_secret(backend: Backend, seen: Observation) -> str:
    """Say why the tokens of today would not be good after the next start; '' where they will."""
    declared = backend.token.secret if backend.token else None
    if not isinstance(declared, FromEnv):
        return ""
    value, wanted = seen.env(declared.key), backend.declared(declared.key)
    logs_out = "everybody would be logged out (rotating it is no release)"
    try:
        if isinstance(wanted, Secret) and wanted.declared and wanted.reveal() != value:
            return f"{declared.key} is declared as another value than the host has: {logs_out}"
    except SecretMissing as missing:
        return str(missing)
    signed = seen.login.check("signature") if seen.login else None
    running = seen.in_process(declared.key)
    if signed is False or (running is not None and running != value):
        return f"{declared.key} is another one than the backend runs with: {logs_out}"
    return ""


def _volumes(backend: Backend, seen: Observation) -> str | Check:
    if not isinstance(backend.service, Compose):
        return "none: it runs in no container"
    found = _found(backend, seen, "volumes")
    if found:
        return _no("volumes", "; ".join(finding.what for finding in found))
    return ", ".join(backend.service.volumes) or "none is declared"


def _disk(backend: Backend, seen: Observation, state: ReleaseState) -> str | Check:
    found = _found(backend, seen, "machine")
    if found:
        return _no("disk", "; ".join(finding.what for finding in found))
    needed = _SPARE_KIB + state.room.venv + state.room.database
    for at, (mount, left) in state.room.left.items():
        if left < needed:
            said = f"{left // 1024} MB left on {mount} ({at}), {needed // 1024} MB may be needed"
            return _no("disk", said)
    least = min((left for _, left in state.room.left.values()), default=0)
    return f"{least // 1024} MB left, {needed // 1024} MB may be needed"


def _database(
    backend: Backend, seen: Observation, state: ReleaseState, *, resumed: bool
) -> str | Check:
    if backend.database is None:
        return "none is declared"
    server = seen.postgres
    if backend.database.admin is None:
        return _by_own_url(backend, seen, state)
    if not isinstance(server, Server):
        why = server.reason if isinstance(server, Unreadable) else "it was not looked at"
        return _no("database", why)
    layers = ("postgres",) if resumed else ("postgres", "migrations")
    found = _found(backend, seen, *layers)
    if found:
        return _no("database", "; ".join(finding.what for finding in found))
    return "its administrator reaches it, role and tables are sound"


def _by_own_url(backend: Backend, seen: Observation, state: ReleaseState) -> str | Check:
    """Judge the database without an administrator: does psql on the host get in as the backend?"""
    reached = own_url.reached(backend, seen.env)
    if isinstance(reached, Unreadable):
        return _no("database", reached.reason)
    if not state.room.database:
        return _no("database", "psql on the host does not get in by the backend's own URL")
    return "reached by the backend's own URL; there is no administrator to say more of it"


def _backup(backend: Backend, seen: Observation, state: ReleaseState) -> str | Check:
    if backend.database is None:
        return "none is needed: there is no database"
    return f"{_newest(seen, state)}{_taken(backend, state)}"


def _taken(backend: Backend, state: ReleaseState) -> str:
    """Say how many backups there are, how much room they take, and what becomes of them."""
    keep = backend.backup.keep if backend.backup else None
    count, mb = len(state.backups), sum(backup.size for backup in state.backups) / 1e6
    if not count:
        return ""
    stay = "all are kept (Backup(keep=…))" if keep is None else f"the newest {keep} are kept"
    return f"; {count} on the host take {mb:.1f} MB, {stay}"


def _newest(seen: Observation, state: ReleaseState) -> str:
    now = getattr(seen.machine, "now", 0.0)
    recent = [backup for backup in state.backups if now - backup.made < DAY]
    if recent:
        hours = (now - recent[0].made) / 3600
        return f"{recent[0].path}, {hours:.0f} h old; it is read back before anything changes"
    return "none of the last day: one is taken, and read back, before anything changes"


def _login(seen: Observation, lax: str) -> str | Check:
    proof = seen.login
    if proof is None:
        return _no("login", "no login is declared: what was released could not be proven")
    if proof.proven:
        return proof.said("login")
    failed = next((check.said for check in proof.checks if not check.ok), "it was not proven")
    return f"not proven ({failed}), and let be: {lax}" if lax else _no("login", failed)


def _source(state: ReleaseState, lax: str) -> str | Check:
    return next(_source_problems(state, lax), None) or f"at {state.tree.head[:12]}, as committed"


def _source_problems(state: ReleaseState, lax: str) -> Iterator[Check]:
    tree = state.tree
    if tree.unfetched:
        yield _no("source", f"the remote could not be asked: {tree.unfetched}")
    elif not tree.wanted:
        yield _no("source", "neither the remote's branches nor its tags have that revision")
    if state.under_way is not None:
        return
    if tree.locked:
        yield _no("source", "git works there, or was killed (index.lock); see who, and remove it")
    if tree.dirty:
        changed = ", ".join(line[3:] for line in tree.dirty[:5])
        yield _no("source", f"tracked files were changed on the host: {changed}")
    if state.running not in {"", tree.head} and not lax:
        said = f"it is at {tree.head[:12]}, but the last release left {state.running[:12]}"
        yield _no("source", f"{said}: see who changed it; --data repair=true takes it as it is")
