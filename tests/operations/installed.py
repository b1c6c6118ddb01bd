"""A venv's backend, whatever was installed into it, and what is found and mended of that."""

import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

from relogin.backend import Backend
from relogin.facts import venv as fact
from relogin.facts.machine import Machine
from relogin.facts.service import ServiceState
from relogin.finding import Finding
from relogin.operations import venv
from relogin.parts.runtime import Venv
from tests.facts.answers import run

WELL = ServiceState("api.service", exists=True, active=True, state="active", started=1.0)
DOWN = ServiceState("api.service", exists=True, active=False, state="failed")


def saying(*exceptions: str, state: ServiceState = DOWN) -> ServiceState:
    return ServiceState(**{**vars(state), "exceptions": exceptions})


def described(env: Path, wheels: Path, requirements: str, **more: object) -> Backend:
    """Describe a venv and its requirements."""
    path = env.parent / "requirements.txt"
    path.write_text(requirements)
    pip_args = ("--no-index", "--find-links", str(wheels))
    return Backend("demo", venv=Venv(str(env), str(path), pip_args=pip_args, **more))


def pip(backend: Backend, *words: str) -> None:
    """Run pip there, as whoever made the fault did."""
    assert backend.venv is not None
    python = [f"{backend.venv.path}/bin/python", "-m", "pip", "-q", *words]
    arguments = backend.venv.pip_args if words[0] == "install" else ("-y",)
    done = subprocess.run([*python, *arguments], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr


def look(backend: Backend, service: object = None, status: int | None = None) -> SimpleNamespace:
    assert backend.venv is not None
    return SimpleNamespace(
        venv=fact.parse(run(fact.script(backend.venv))),
        service=service,
        login=SimpleNamespace(status=status) if status else None,
        machine=Machine(time.time(), "root", 0, "Linux"),
    )


def found(backend: Backend, service: object = None, status: int | None = None) -> list[Finding]:
    seen = look(backend, service, status)
    return [finding for fault in venv.FAULTS for finding in fault.found(backend, seen)]


def mended(backend: Backend, service: object = None) -> list[str]:
    """Mend what is found, the first first; give the faults."""
    seen, done = look(backend, service), []
    for fault in venv.FAULTS:
        for finding in fault.found(backend, seen):
            assert fault.fix is not None
            assert not finding.by_person
            (change,) = fault.fix(backend, seen, finding)
            answer = run(f"(\n{change.script}\n)")
            assert 0 == answer.status, answer.text.decode()
            done.append(finding.fault)
    return done


def version(backend: Backend, module: str) -> str:
    """Ask the interpreter itself which version of a module it imports."""
    assert backend.venv is not None
    program = f"import {module}; print({module}.version)"
    python = [f"{backend.venv.path}/bin/python", "-I", "-c", program]
    done = subprocess.run(python, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]
