"""Lines of an env file that its readers read differently: which value is meant, and one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from relogin.facts.env_file import EnvFileState
from relogin.facts.service import ServiceState
from relogin.facts.unit_files import plain
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.env_values import Wanted, corrected, minded, readable, written
from relogin.parts.configuration import EnvFile
from relogin.parts.runtime import Systemd
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def in_force(backend: Backend, seen: Observation, declared: EnvFile) -> tuple[str, ...]:
    """Give the declared readers that really read the file: systemd only does where a unit says."""
    named: tuple[str, ...] = ()
    if isinstance(backend.service, Systemd):
        named = backend.service.environment_files
        if isinstance(seen.service, ServiceState):
            named = seen.service.environment_files or named
    read = plain(declared.path) in map(plain, named)
    return tuple(reader for reader in declared.readers if read or reader != "systemd")


def disagreements(
    backend: Backend, seen: Observation, file: EnvFile, state: EnvFileState
) -> dict[str, Mapping[str, str]]:
    """Give the declared keys that are read differently: what each reader takes them for.

    One that a reader does not see at all is none of them: another may well bring it.
    """
    readers = () if file.is_unit else in_force(backend, seen, file)
    found: dict[str, Mapping[str, str]] = {}
    for key in minded(backend, file, state):
        read = {name: value for name in readers if (value := state.reading(name).get(key))}
        if state.value(key) and len(set(read.values())) > 1:
            found[key] = read
    return found


def _detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for file, state in readable(backend, seen):
        for key, read in disagreements(backend, seen, file, state).items():
            wanted = minded(backend, file, state)[key].keys[key]
            value, source = _meant(seen, wanted, key, read)
            sizes = ", ".join(f"{len(each)} characters for {name}" for name, each in read.items())
            yield Finding(
                f"{key} in {file.path} is not the same for {' and '.join(read)}",
                subject=f"{file.path}:{key}",
                seen=f"{sizes}; a note behind the value, a backslash or ${{…}} does that",
                expected="a form that all of them read alike",
                remedy=f"{source} is written in one that they do"
                if value
                else f"write {key} in single quotes, with nothing behind them",
                by_person=value is None,
            )


def _meant(
    seen: Observation, wanted: Wanted, key: str, read: Mapping[str, str]
) -> tuple[str | None, str]:
    """Give the value that is meant: what is declared, else what is in force, which stays.

    What systemd has put into the environment, `load_dotenv` leaves there.
    """
    if isinstance(wanted, str) or (isinstance(wanted, Secret) and wanted.declared):
        return corrected(wanted, "")[0], "the declared value"
    if (running := seen.in_process(key)) in read.values():
        return running, "the value in the running process"
    return read.get("systemd"), "what systemd reads"


def _fix(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    for file, state in readable(backend, seen):
        for key, read in disagreements(backend, seen, file, state).items():
            wanted = minded(backend, file, state)[key].keys[key]
            value, _ = _meant(seen, wanted, key, read)
            if finding.subject == f"{file.path}:{key}" and value is not None:
                yield written(backend, file, state, {key: value})


READERS_DISAGREE = Fault(
    "env_file.readers-disagree",
    _detect,
    _fix,
    unless=("env_file.unparsable-line",),
    about="python-dotenv and systemd make different values of one line",
    remedy="the declared value, or the one in force, is written so that all read it alike",
    check=("grep -n '^KEY=' ENV_FILE", "systemctl show UNIT -p EnvironmentFiles"),
)
