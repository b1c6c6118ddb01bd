"""What onboarding would do on a host, in the lines that are shown before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts import bare as facts
from relogin.facts import key_files, postgres
from relogin.facts.accounts import Table
from relogin.facts.env_file import MissingEnvFile
from relogin.facts.postgres_state import Server
from relogin.facts.service_state import ServiceState
from relogin.facts.venv import BrokenVenv
from relogin.operations import key_pair, project
from relogin.operations.service_files import path_of_unit
from relogin.parts.runtime import Compose, Systemd
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.bare import Bare
    from relogin.facts.observation import Observation
    from relogin.parts.configuration import EnvFile


def lines(backend: Backend, seen: Observation, bare: Bare, revision: str) -> Iterator[str]:
    """Give what would be done, in its order; nothing where all of it is there."""
    owner = facts.owner(backend)
    if bare.missing:
        yield f"install {', '.join(bare.missing)} by apt"
    for user in bare.strangers:
        yield f"make the system's user {user}, as whom nobody logs in"
    if backend.source is not None and bare.code != "git":
        how = "push" if backend.source.checkout else "fetch"
        yield f"{how} {revision} to {backend.source.directory}, for {owner}"
    if bare.unnamed:
        upstream = backend.onboard.upstream if backend.onboard else ""
        yield f"have nginx hand requests for {', '.join(bare.unnamed)} on to {upstream}"
    yield from _of_the_catalogue(backend, seen)


def _of_the_catalogue(backend: Backend, seen: Observation) -> Iterator[str]:
    declared_keys = key_files.declared(backend)
    if declared_keys is not None and key_pair.wanted(backend, seen):
        yield f"make the keys {declared_keys.private} and {declared_keys.path}"
    if backend.venv is not None and isinstance(seen.venv, BrokenVenv):
        files = ", ".join(backend.venv.requirements) or "nothing"
        yield f"build {backend.venv.path}, with what {files} asks for"
    for declared, state in zip(backend.env_files, seen.env_files, strict=True):
        if isinstance(state, MissingEnvFile):
            yield f"write {declared.path}: {_values(declared)}"
    if isinstance(backend.service, Compose):
        yield from _of_the_project(backend.service, seen)
    target = postgres.declared_target(backend)
    server = seen.postgres if isinstance(seen.postgres, Server) else None
    if target is not None and (server is None or server.role is None or server.database is None):
        yield f"make the role {target.role} and the database {target.database}, where they are not"
    if backend.migrations is not None and not isinstance(seen.accounts, Table):
        yield "run the migrations"
    if isinstance(backend.service, Systemd):
        known = isinstance(seen.service, ServiceState) and seen.service.load != "not-found"
        if not known:
            path = path_of_unit(backend.service)
            yield f"write {path}, hardened, and start it now and with the host"
    if backend.accounts is not None and not isinstance(seen.accounts, Table):
        names = ", ".join(account.login for account in backend.accounts.present)
        yield f"make the account{'s' * (len(backend.accounts.present) > 1)} {names}"


def _of_the_project(part: Compose, seen: Observation) -> Iterator[str]:
    known = project.project_of(seen)
    lacking = project.without_container(known) if known is not None else ["each service"]
    if lacking:
        made = f", the volumes {', '.join(part.volumes)}" if part.volumes else ""
        what = f"the images{made} and the containers of {', '.join(lacking)}"
        yield f"make {what} in {part.directory}, and start them (docker compose up -d)"


def _values(declared: EnvFile) -> str:
    made = [key for key, value in declared.keys.items() if _generated(value)]
    said = f"{', '.join(made)} made anew; " if made else ""
    return f"{said}{', '.join(key for key in declared.keys if key not in made)} as declared"


def _generated(value: object) -> bool:
    secret = getattr(value, "password", value)
    return isinstance(secret, Secret) and secret.source == "generated"
