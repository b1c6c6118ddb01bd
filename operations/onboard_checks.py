"""What is looked at before onboarding changes anything: each check says what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from relogin import checkout
from relogin.facts import bare as facts
from relogin.facts import key_files
from relogin.facts.env_file import EnvFileState, MissingEnvFile
from relogin.facts.key_files import Keys
from relogin.facts.machine import Machine
from relogin.facts.proof import Check
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.operations import machine as machine_faults
from relogin.operations.env_values import recovered
from relogin.parts.runtime import Compose, Systemd

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.bare import Bare
    from relogin.facts.observation import Observation
    from relogin.parts.proof import KeyFile

_SPARE_KIB = 1024 * 1024


def unfit(backend: Backend) -> str:
    """Say in one line why this description cannot be onboarded at all; '' where it can."""
    if backend.onboard is None:
        return "declare onboard=Onboard(): it lets packages be installed on the host"
    if not isinstance(backend.service, Systemd | Compose):
        kind = type(backend.service).__name__ if backend.service else "no service"
        return (
            "only a systemd service or a Docker Compose project is onboarded, this one has"
            f" {kind}: set it up by hand, then deploys/restore_access.py mends and proves it"
        )
    if isinstance(backend.service, Systemd) and not facts.users(backend):
        return "declare Onboard(user=…), or Systemd(user=…): as whom it is to run"
    return ""


def checked(backend: Backend, seen: Observation, bare: Bare, revision: str) -> tuple[Check, ...]:
    """Judge whether the host can become one that serves this backend."""
    declared = key_files.declared(backend)
    judged: tuple[tuple[str, Callable[[], str | Check]], ...] = (
        ("user", lambda: _user(seen, bare)),
        ("distribution", lambda: _distribution(bare)),
        ("architecture", lambda: bare.arch),
        ("disk", lambda: _disk(backend, seen, bare)),
        ("clock", lambda: _clock(backend, seen)),
        ("source", lambda: _source(backend, bare, revision)),
        ("service", lambda: _service(backend, seen)),
        ("env file", lambda: _env_files(backend, seen)),
        *((("keys", lambda: _keys(seen, declared)),) if declared else ()),
    )
    return tuple(_as_check(name, judge()) for name, judge in judged)


def _as_check(name: str, said: str | Check) -> Check:
    return said if isinstance(said, Check) else Check(name, True, said)


def _user(seen: Observation, bare: Bare) -> str | Check:
    if bare.uid != 0:
        without = seen.machine.without_root if isinstance(seen.machine, Machine) else "no root"
        return Check("user", False, without)
    if bare.user == "root":
        return "root itself"
    return f"{bare.user}, root by sudo with{'' if bare.asks else 'out'} a password"


def _distribution(bare: Bare) -> str | Check:
    said = bare.os or "unknown"
    if not bare.systemd:
        return Check("distribution", False, f"{said}, where systemd does not run")
    if bare.missing and not bare.debian:
        names = ", ".join(bare.missing)
        return Check("distribution", False, f"{said} has no apt: install what {names} is there")
    if "docker-compose" in bare.missing and bare.offered and not any(map(_fits, bare.offered)):
        return Check("distribution", False, f"{said} {_OLD_COMPOSE.format(bare.offered[0])}")
    return said


# Compose v1 is another program: it has no `docker compose`.
_OLD_COMPOSE = (
    "has Docker Compose {} only, and `docker compose` begins with 2: let its apt know packages of"
    " it (Debian's next release, pinned, or docker.com's), and apt-get update"
)


def _fits(version: str) -> bool:
    return int(version.partition(".")[0].rpartition(":")[2] or 0) > 1


def _disk(backend: Backend, seen: Observation, bare: Bare) -> str | Check:
    faults = (machine_faults.FILE_SYSTEM_READ_ONLY, machine_faults.DISK_FULL)
    for found in (one for fault in faults for one in fault.found(backend, seen)):
        return Check("disk", False, f"{found.what}: {found.remedy}")
    said = ", ".join(f"{left // 1024} MiB left on {place}" for place, left in bare.room.items())
    fresh = bool(bare.missing) or bare.code not in {"git", ""}
    if fresh and any(left < _SPARE_KIB for left in bare.room.values()):
        return Check("disk", False, f"{said}: make room, 1024 MiB at least")
    return said


def _clock(backend: Backend, seen: Observation) -> str | Check:
    for found in machine_faults.CLOCK_SKEW.found(backend, seen):
        return Check("clock", False, f"{found.what}: {found.remedy}")
    return "as this machine's"


def _source(backend: Backend, bare: Bare, revision: str) -> str | Check:
    source = backend.source
    if source is None:
        if backend.directory in bare.lacking:
            there = f"{backend.directory} is not there: declare source=Source(…)"
            return Check("source", False, there)
        return f"{backend.directory} is there"
    if bare.code == "git":
        return f"{source.directory} is a working tree, and stays at its revision"
    if source.checkout is not None:
        commit = checkout.commit(source, revision)
        if isinstance(commit, Unreadable):
            return Check("source", False, commit.reason)
        return f"{revision} is {commit[:12]} of {source.checkout}"
    if not {":", "/"} & set(source.remote):
        missing = f"{source.directory} is not there yet, so that there is no {source.remote!r}"
        return Check("source", False, f"{missing}: declare Source(remote=ADDRESS), or checkout=")
    return f"{revision} of {source.remote}"


def _service(backend: Backend, seen: Observation) -> str | Check:
    part, state = backend.service, seen.service
    if isinstance(part, Compose):
        return f"{part.service} of the Docker Compose project in {part.directory}"
    assert isinstance(part, Systemd)  # noqa: S101 # unfit() has seen to it
    if isinstance(state, ServiceState) and state.load != "not-found":
        return f"{state.name} is there"
    lost = [name for name in ("exec_start", "user") if getattr(part, name) is None]
    if lost:
        said = f"{part.full_name} is not there: declare Systemd({'=…, '.join(lost)}=…)"
        return Check("service", False, f"{said}, by which its unit is written")
    return f"{part.full_name} is written, hardened"


def _env_files(backend: Backend, seen: Observation) -> str | Check:
    lost = list(_lost(backend, seen))
    if lost:
        what = f"{', '.join(lost)}: the description says that it is kept, and the host has none"
        step = "declare where its value comes from (Secret.env, .file, .command) or .generated()"
        return Check("env file", False, f"{what}; {step}")
    return f"{', '.join(file.path for file in backend.env_files) or 'none'}: every value is known"


def _keys(seen: Observation, declared: KeyFile) -> str | Check:
    keys = seen.keys
    if not isinstance(keys, Keys) or keys.private is None:
        return declared.path
    if keys.private.there:
        return f"{keys.private.path} is there"
    if keys.public.there:
        said = f"{keys.public.path} is there, and {keys.private.path}, which signs, is not"
        return Check("keys", False, f"{said}: put it back, or move the public one away")
    if not declared.generated:
        said = f"{keys.private.path} is not there: put it there, or declare KeyFile(generated=True)"
        return Check("keys", False, said)
    return f"{keys.private.path} is made on the host"


def _lost(backend: Backend, seen: Observation) -> Iterator[str]:
    """Give the keys whose value nobody here knows: nothing can be made of that later."""
    for declared, state in zip(backend.env_files, seen.env_files, strict=True):
        if not isinstance(state, MissingEnvFile | EnvFileState):
            continue
        for key in declared.keys:
            there = isinstance(state, EnvFileState) and state.value(key)
            if not there and recovered(backend, seen, declared, key)[0] is None:
                yield f"{key} of {declared.path}"
