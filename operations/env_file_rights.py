"""Who can read an env file: those who need it, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import undo
from relogin.facts.file import FileMeta
from relogin.facts.service import ServiceState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.env_values import readable

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _detect_wrong_owner(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """Judge by who reads: systemd reads an EnvironmentFile as root (systemd.exec(5))."""
    user = _user(backend, seen)
    for declared, state in readable(backend, seen):
        if "python-dotenv" not in declared.readers or not user:
            continue
        if _can_read(user, state.meta, _groups(user, seen)):
            continue
        owner = declared.owner or user
        yield Finding(
            f"{user}, as whom the backend runs, cannot read {declared.path}",
            subject=declared.path,
            seen=f"mode {state.meta.mode:04o}, owner {state.meta.owner}:{state.meta.group}",
            expected=f"owner {owner}",
            remedy=f"it is given to {user}, with the mode that it has"
            if owner == user
            else f"declare {user} as its owner, or let the backend run as {owner}",
            by_person=owner != user,
        )


def _user(backend: Backend, seen: Observation) -> str | None:
    """Give as whom the backend runs: as declared, for that is how it will be started."""
    declared: str | None = getattr(backend.service, "user", None)
    return declared or getattr(seen.service, "user", None)


def _groups(user: str, seen: Observation) -> tuple[int, ...] | None:
    """Give the ids of a user's groups; None: not known."""
    service = seen.service
    if not isinstance(service, ServiceState) or service.user != user:
        return None
    return service.groups or None


def _can_read(user: str, meta: FileMeta, groups: tuple[int, ...] | None) -> bool:
    """Tell whether a user, by name or by number, may be able to read a file."""
    if user in {"root", "0", meta.owner, str(meta.uid)}:
        return True
    in_group = meta.group != "root" if groups is None else meta.gid in groups
    return bool((in_group and meta.mode & 0o040) or meta.mode & 0o004)


def _fix_wrong_owner(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    user = _user(backend, seen) or ""
    for declared, state in readable(backend, seen):
        if declared.path == finding.subject:
            script = undo.given_to(backend, state, user)
            yield Change(script, f"{declared.path}: give it to {user}")


def _detect_readable_by_others(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """Judge files alone: what is in a unit, systemd tells everybody (systemd.exec(5))."""
    user = _user(backend, seen)
    for declared, state in readable(backend, seen):
        if declared.is_unit or not state.meta.mode & 0o007:
            continue
        groups = _groups(user, seen) if user else None
        needed = _needs_rights_of_others(user, state.meta, groups)
        reads_itself = "python-dotenv" in declared.readers
        yield Finding(
            f"{declared.path} can be read by every user of the host",
            subject=declared.path,
            seen=f"mode {state.meta.mode:04o}, owner {state.meta.owner}",
            expected=f"mode {state.meta.mode & ~0o007:04o}",
            remedy=f"chown it to {user} first: the backend reads it as that user"
            if needed and reads_itself
            else "the rights of others are taken away",
            by_person=needed and reads_itself,
        )


def _needs_rights_of_others(
    user: str | None, meta: FileMeta, groups: tuple[int, ...] | None
) -> bool:
    """Tell whether a user can only read a file as everybody can."""
    in_group = user == meta.group if groups is None else meta.gid in groups
    by_group = in_group and meta.mode & 0o040
    return not (user in {None, "", "root", meta.owner} or by_group)


def _fix_readable_by_others(
    backend: Backend, seen: Observation, finding: Finding
) -> Iterator[Change]:
    for declared, state in readable(backend, seen):
        if declared.path == finding.subject:
            yield Change(
                undo.narrowed(backend, state), f"{declared.path}: take the rights of others away"
            )


WRONG_OWNER = Fault(
    "env_file.wrong-owner",
    _detect_wrong_owner,
    _fix_wrong_owner,
    about="the backend's user cannot read the env file that it reads itself",
    remedy="it is given to that user, with the mode that it has",
    check=(
        "stat -c '%U:%G %a %n' ENV_FILE",
        "id USER",
        "runuser -u USER -- test -r ENV_FILE && echo it can",
    ),
)
READABLE_BY_OTHERS = Fault(
    "env_file.readable-by-others",
    _detect_readable_by_others,
    _fix_readable_by_others,
    severity=Severity.WARNING,
    about="every user of the host can read the env file",
    remedy="the rights of others are taken away",
    check=("stat -c '%a %U:%G %n' ENV_FILE",),
)
