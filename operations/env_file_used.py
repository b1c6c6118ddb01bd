"""Env files that are not the ones that count, and those that git spreads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import tokens
from relogin.facts.env_file import EnvFileState
from relogin.facts.service import ServiceState
from relogin.facts.source import Source
from relogin.facts.unit_files import plain
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.env_file_keys import (
    KEY_EMPTY,
    KEY_MISSING,
    KEY_NOT_DECLARED_VALUE,
)
from relogin.operations.env_file_lines import UNPARSABLE_LINE
from relogin.operations.env_file_placeholder import PLACEHOLDER
from relogin.operations.env_file_readers import READERS_DISAGREE
from relogin.operations.env_file_url import DATABASE_URL_UNPARSABLE
from relogin.operations.env_values import own_keys, readable
from relogin.parts.configuration import FromEnv
from relogin.parts.runtime import Supervisor, Systemd

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


_OF_KEYS = (
    *(READERS_DISAGREE, UNPARSABLE_LINE, KEY_MISSING, KEY_EMPTY, PLACEHOLDER),
    *(DATABASE_URL_UNPARSABLE, KEY_NOT_DECLARED_VALUE),
)


def from_elsewhere(backend: Backend, seen: Observation, key: str) -> bool:
    """Tell whether the running process got a key from no env file, though all are older than it.

    What its unit reads by mistake, and what it has not read yet, are faults of the service.
    """
    service, running = seen.service, seen.in_process(key)
    if not isinstance(service, ServiceState) or not service.active or running is None:
        return False
    if service.started is None or not _reads_as_declared(backend, service):
        return False
    files = [file for file in seen.env_files if isinstance(file, EnvFileState)]
    changed = [file.changed for file in files] + [one.changed for one in service.files]
    if not files or len(files) != len(backend.env_files) or max(changed) >= service.started:
        return False
    told = False
    for value in (file.reading(reader).get(key) for file in files for reader in file.all_readers):
        if value == running:  # mostly what the first reader makes of it: the others are not asked
            return False
        told = told or value is not None
    return told


def _reads_as_declared(backend: Backend, service: ServiceState) -> bool:
    if isinstance(backend.service, Supervisor):
        return True
    if not isinstance(backend.service, Systemd) or service.stale:
        return False
    declared = tuple(map(plain, backend.service.environment_files))
    return not declared or declared == tuple(map(plain, service.environment_files))


def source_of(backend: Backend, seen: Observation) -> str:
    """Say where a person finds what else puts values into the process."""
    if isinstance(backend.service, Supervisor):
        return "environment= in supervisord's configuration, and its own environment"
    files = [file.path for file in backend.env_files]
    service = seen.service
    others = service.environment_files if isinstance(service, ServiceState) else ()
    named = [path for path in others if path not in files]
    unit = getattr(backend.service, "full_name", "its unit")
    return (
        f"systemctl cat {unit}: {', '.join([*named, 'Environment=, PassEnvironment=, ExecStart='])}"
    )


def _other_values(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """Find keys that are right in the file: of any other the file has to be mended first."""
    for declared, state in readable(backend, seen):
        own = [key for key in own_keys(backend, declared, state) if key in declared.keys]
        keys = [key for key in own if from_elsewhere(backend, seen, key)]
        found = (one for fault in _OF_KEYS if keys for one in fault.found(backend, seen))
        wrong = {one.subject for one in found}
        if keys := [key for key in keys if f"{declared.path}:{key}" not in wrong]:
            yield Finding(
                f"the running backend has other values than {declared.path}",
                subject=declared.path,
                seen=f"{', '.join(keys)}: from none of its env files, and it was started after they"
                " last changed",
                expected="what the env file has",
                remedy=f"find what else sets them, and take it out: {source_of(backend, seen)}",
            )


def _other_file(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """Find the file whose secret has signed the token, where the declared one's has not."""
    secret = backend.token.secret if backend.token else None
    if seen.login is None or seen.login.token is None or not isinstance(seen.source, Source):
        return
    if not isinstance(secret, FromEnv) or seen.login.check("signature") is not False:
        return
    token = seen.login.token.reveal()
    for path, values in seen.source.others.items():
        value = values.get(secret.key)
        if value and backend.token and tokens.signed_by(token, value, backend.token.algorithm):
            files = ", ".join(file.path for file in backend.env_files if secret.key in file.keys)
            yield Finding(
                f"the running backend reads {path}, not {files}",
                subject=path,
                seen=f"its tokens are signed with the {secret.key} of {path}",
                expected=f"the one of {files}",
                remedy="let its code read the declared file (load_dotenv takes the one nearest to"
                f" the source file that calls it), or declare {path}",
            )


def _detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
    yield from _other_file(backend, seen)
    yield from _other_values(backend, seen)


def _detect_tracked(backend: Backend, seen: Observation) -> Iterator[Finding]:
    tracked = seen.source.tracked if isinstance(seen.source, Source) else {}
    for path, repository in tracked.items():
        yield Finding(
            f"{path} is in the git repository {repository}",
            subject=path,
            seen="git ls-files names it: each clone has its secrets, and a pull may replace it",
            remedy=f"git -C {repository} rm --cached {path}, name it in .gitignore, and give new"
            " values to whatever was in it: its history keeps the old ones",
        )


OTHER_FILE_USED = Fault(
    "env_file.other-file-used",
    _detect,
    symptom_of=("service.wrong-command",),
    about="the running backend has its values from elsewhere than the declared env file",
    remedy="the other file, or what else may set them, is named to you",
    check=(
        "systemctl cat UNIT",
        "find DIRECTORY -name .env -not -path '*/node_modules/*'",
        "tr '\\0' '\\n' </proc/$(systemctl show -p MainPID --value UNIT)/environ | cut -d = -f 1",
    ),
)
TRACKED_BY_GIT = Fault(
    "env_file.tracked-by-git",
    _detect_tracked,
    severity=Severity.WARNING,
    about="an env file is tracked by git",
    remedy="take it out of the index, ignore it, and replace the secrets that it held",
    check=("git -C DIRECTORY ls-files --error-unmatch ENV_FILE",),
)
