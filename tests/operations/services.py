"""The recorded states of a service, as the faults of its layer see them."""

from types import SimpleNamespace

from relogin.backend import Backend
from relogin.facts import service as fact
from relogin.facts.env_file import EnvFileState
from relogin.facts.file import FileMeta
from relogin.facts.machine import Machine
from relogin.facts.proof import Proof
from relogin.facts.service import ServiceState
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations import service
from relogin.parts.configuration import EnvFile
from relogin.parts.runtime import Systemd
from relogin.run import Done
from tests.facts.answers import recorded

UVICORN = "/srv/halext.org/halext-org/backend/env/bin/uvicorn"
KEYS = {"DEV_MODE": "false", "ACCESS_CODE": "open sesame #7"}
HALEXT = Backend("halext", service=Systemd("halext-api"), env_file=EnvFile("/srv/.env", KEYS))


def state(name: str) -> ServiceState:
    seen = fact.parse(recorded(f"systemd-{name}"))
    assert isinstance(seen, ServiceState)
    return seen


def file(*, changed: float, **values: str | None) -> EnvFileState:
    meta = FileMeta("regular file", 0o600, "halext", "halext", 1, 1, 10, changed)
    return EnvFileState("/srv/.env", "/srv/.env", meta, "", values)


def observation(
    seen: object, *files: object, now: float = 4e9, done: tuple[str, ...] = (),
    login: Proof | None = None,
) -> SimpleNamespace:  # fmt: skip
    """Give a look at this service; `done` is what this run has changed before it."""
    return SimpleNamespace(
        service=seen,
        venv=None,
        login=login,
        env_files=files or (None,),
        machine=Machine(now, "root", 0, "Linux"),
        began=None,
        done=tuple(Done(why, ok=True) for why in done),
    )


def found(seen: SimpleNamespace, backend: Backend = HALEXT) -> list[Finding]:
    """Give what the layer finds, but for the warning that the recorded unit is not enabled."""
    findings = [one for fault in service.FAULTS for one in fault.found(backend, seen)]
    return [one for one in findings if one.fault != "service.disabled"]


def named(*names: str, **known: object) -> list[str]:
    """Give the ids of what is found in recorded states."""
    backend = known.pop("backend", HALEXT)
    return [
        one.fault for name in names for one in found(observation(state(name), **known), backend)
    ]


def changes(fault: Fault, seen: SimpleNamespace, backend: Backend = HALEXT) -> list[Change]:
    """Give the changes that mend what one fault finds."""
    return [
        change
        for finding in fault.found(backend, seen)
        if fault.fix is not None and not finding.by_person
        for change in fault.fix(backend, seen, finding)
    ]
