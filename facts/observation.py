"""The one look: all that a pass needs of a backend on a host, from one remote command."""

from __future__ import annotations

import dataclasses
import importlib
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import gevent

from relogin import remote
from relogin.facts import (
    accounts,
    compose_image,
    databases_in_use,
    env_file,
    hold,
    jwt,
    key_files,
    machine,
    migrations,
    own,
    postgres,
    service,
    source,
    venv,
)
from relogin.facts.postgres_state import Server
from relogin.fault import internal_error
from relogin.finding import Unreadable
from relogin.parts.configuration import FromEnv
from relogin.parts.proof import KeyFile
from relogin.parts.runtime import Compose, Systemd
from relogin.tunnel import Tunnel

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.drift import Former
    from relogin.facts.connection import Connection
    from relogin.facts.proof import Proof
    from relogin.parts.configuration import EnvFile
    from relogin.remote import Answer
    from relogin.run import Done

DEADLINE = 45.0
_SENT = 0.03


@dataclasses.dataclass(frozen=True)
class Observation:
    """What was seen of a backend on a host, in one moment.

    What was not asked for is None; what could not be seen is Unreadable. `login` is None until
    tried; `connection` (the backend's own URL) and `databases` (those that its process has open)
    are only asked for where the login failed. `done` is what this run has changed, or tried to,
    before the look. `own` are the answers to a user's own faults that look for something
    themselves, by their ids. `secrets` are the service's processes by the JWT secret that they
    were started with: one group, or none, where all is well. `keys` are the files of the keys that
    sign and check tokens, where they are declared. `former` is what the history knows.
    `hold` says that somebody has disabled relogin there.
    """

    machine: machine.Machine | Unreadable
    env_files: tuple[env_file.Seen | Unreadable, ...] = ()
    venv: venv.VenvState | venv.BrokenVenv | Unreadable | None = None
    service: service.ServiceState | Unreadable | None = None
    image: compose_image.ImageState | Unreadable | None = None
    postgres: Server | Unreadable | None = None
    migrations: migrations.Migrations | Unreadable | None = None
    accounts: accounts.Table | Unreadable | None = None
    source: source.Source | Unreadable | None = None
    secrets: tuple[tuple[int, ...], ...] | Unreadable | None = None
    keys: key_files.Keys | Unreadable | None = None
    login: Proof | None = None
    connection: Connection | Unreadable | None = None
    databases: databases_in_use.DatabasesInUse | Unreadable | None = None
    done: tuple[Done, ...] = ()
    own: Mapping[str, Answer | Unreadable] = dataclasses.field(default_factory=dict)
    former: Former | None = None
    hold: hold.Hold | Unreadable | None = None

    def env(self, key: str) -> str | None:
        """Give the value in force of an env key: the last file that has it wins.

        Of a Docker Compose project it is what a container that is made now would be given, if it
        would be given any: which file that comes from, the project's own files say.
        """
        if (given := self._composed(key)) is not None:
            return given
        files = [file for file in self.env_files if isinstance(file, env_file.EnvFileState)]
        values = [value for file in files if (value := file.value(key)) is not None]
        return values[-1] if values else None

    def _composed(self, key: str) -> str | None:
        """Give what Compose resolves a key to; None where it is no business of the service."""
        state = self.service
        project = state.project if isinstance(state, service.ServiceState) else None
        return project.given(key) if project is not None else None

    def in_process(self, key: str) -> str | None:
        """Give the value that the running process was started with, where that can be seen."""
        if not isinstance(self.service, service.ServiceState):
            return None
        return (self.service.environ or {}).get(key) or None

    def unreadable(self) -> Iterator[tuple[str, str]]:
        """Give what could not be seen: layer and reason."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Unreadable):
                    yield _LAYER_OF.get(field.name, field.name), item.reason
        for fault, answer in self.own.items():
            if isinstance(answer, Unreadable):
                yield fault.partition(".")[0], answer.reason
        room = getattr(self.machine, "file_systems", None)
        if isinstance(room, Unreadable):
            yield "disks", room.reason


_LAYER_OF = {"env_files": "env_file", "keys": "jwt", "connection": "postgres"}


def look(host: Host, backend: Backend) -> Observation | Unreadable:
    """Look at a backend: one remote command (a second one only where DATABASE_URL is undeclared).

    Never raises: an answer that makes no sense is Unreadable, for its part alone.
    """
    if backend.login is not None:  # httpx takes 30 ms to import; so long the host has to work
        gevent.spawn_later(_SENT, importlib.import_module, "relogin.web")
    try:
        asked = time.time()
        answers = remote.ask(host, scripts(backend), deadline=DEADLINE)
        if isinstance(answers, Unreadable):
            return answers
        return _parsed(host, backend, _Answers(answers, between=(asked, time.time())))
    except Exception as error:  # noqa: BLE001 # out of an operation it would abort every host
        return Unreadable(f"relogin itself failed in the look: {internal_error(error, '').seen}")


def with_login(host: Host, backend: Backend, seen: Observation, proof: Proof) -> Observation:
    """Add a proof to a look; where it failed, which database the backend uses, and can reach."""
    seen = dataclasses.replace(seen, login=proof)
    if proof.works or backend.database is None:
        return seen
    if (proof.status or 0) >= 400:
        seen = dataclasses.replace(seen, databases=databases_in_use.ask(host, backend, seen))
    url = postgres.url_in_force(backend, seen.env)
    if isinstance(url, Unreadable):
        return dataclasses.replace(seen, connection=url)
    from relogin.facts import connection, peer

    if peer.is_for_a_peer(url):
        return dataclasses.replace(seen, connection=peer.connect(host, seen.service, url))
    where = _address_of(seen, url.host or "")
    connected = connection.connect(Tunnel.to(host, backend), url, at=where)
    return dataclasses.replace(seen, connection=connected)


def _address_of(seen: Observation, name: str) -> str | None:
    """Give the address of a container that the backend reaches by the name of its service."""
    state = seen.service
    project = state.project if isinstance(state, service.ServiceState) else None
    return project.address(name) if project is not None else None


def scripts(backend: Backend) -> dict[str, str]:
    """Give the parts of the look, by name; all but what an undeclared DATABASE_URL leads to."""
    parts = {"machine": machine.script(machine.places(backend)), **own.scripts(backend)}
    parts["hold"] = hold.script(backend)
    for number, declared in enumerate(backend.env_files):
        parts[f"env_{number}"] = env_file.script(declared.path)
        if env_file.must_be_kept(declared):
            parts[f"kept_{number}"] = env_file.kept_script(backend, declared)
    if backend.venv is not None:
        parts["venv"] = venv.script(backend.venv)
    folder = source.directory(backend)
    if folder is not None:
        parts["source"] = source.script(backend, folder)
    secret = backend.token.secret if backend.token else None
    if isinstance(backend.service, Systemd) and isinstance(secret, FromEnv):
        parts["secrets"] = jwt.script(backend.service.full_name, secret.key)
    if (key := key_file(backend)) is not None:
        parts["keys"] = key_files.script(key, getattr(backend.service, "user", None))
    if backend.service is not None:
        keys = [key for file in backend.env_files for key in file.keys]
        parts["service"] = service.script(backend.service, tuple(keys))
    if isinstance(backend.service, Compose) and backend.service.requirements:
        parts["image"] = compose_image.script(backend.service)
    if backend.migrations is not None and backend.database is not None:
        inside = backend.service if isinstance(backend.service, Compose) else None
        parts["migrations"] = migrations.script_of(backend.migrations, backend.venv, inside)
    target = postgres.declared_target(backend)
    if target is not None:
        parts["postgres"] = postgres.script(backend, target)
    return parts


def key_file(backend: Backend) -> KeyFile | None:
    """Give the files of the keys of a backend's tokens, where they are declared."""
    key = backend.token.public_key if backend.token else None
    return key if isinstance(key, KeyFile) else None


@dataclasses.dataclass(frozen=True)
class _Answers:
    """The parts' answers; one part's nonsense makes that part Unreadable, and no other.

    They came `between` two moments of our clock, in epoch seconds.
    """

    by_name: Mapping[str, Answer]
    between: tuple[float, float] = (0.0, 0.0)

    def part(self, name: str, parse: Callable[[Answer], Any]) -> Any:
        if name not in self.by_name:
            return Unreadable("its part of the answer did not arrive")
        try:
            return parse(self.by_name[name])
        except Exception as error:  # noqa: BLE001 # see above
            return Unreadable(f"its answer could not be understood ({type(error).__name__})")

    def env_file(self, number: int, declared: EnvFile, public: set[str]) -> Any:
        path, reader = declared.path, declared.readers[0]
        state = self.part(
            f"env_{number}", lambda it: env_file.parse(path, it, public=public, reader=reader)
        )
        lacking = isinstance(state, env_file.EnvFileState | env_file.MissingEnvFile)
        if f"kept_{number}" not in self.by_name or not lacking:
            return state
        return self.part(
            f"kept_{number}", lambda it: env_file.with_kept(state, declared, it, public=public)
        )


def _parsed(host: Host, backend: Backend, answers: _Answers) -> Observation:
    files = enumerate(backend.env_files)
    public = backend.public()
    folder, key = source.directory(backend), key_file(backend)
    seen = Observation(
        machine=answers.part("machine", lambda it: machine.parse(it, answers.between)),
        env_files=tuple(answers.env_file(number, file, public) for number, file in files),
        venv=answers.part("venv", venv.parse) if backend.venv else None,
        source=answers.part("source", lambda it: source.parse(folder, it, public=public))
        if folder
        else None,
        secrets=answers.part("secrets", jwt.parse) if "secrets" in answers.by_name else None,
        keys=answers.part("keys", lambda it: key_files.parse(key, it)) if key else None,
        service=answers.part("service", service.parse) if backend.service else None,
        image=_image(backend, answers),
        hold=answers.part("hold", hold.parse),
        own=own.answers(backend, lambda name: answers.part(name, lambda answer: answer)),
    )
    return seen if backend.database is None else _with_database(host, backend, seen, answers)


def _image(backend: Backend, answers: _Answers) -> Any:
    part = backend.service
    if not isinstance(part, Compose) or not part.requirements:
        return None
    return answers.part("image", lambda answer: compose_image.parse(part, answer))


def _with_database(
    host: Host, backend: Backend, seen: Observation, answers: _Answers
) -> Observation:
    asked = answers
    if "postgres" not in answers.by_name:
        alone = _ask_postgres(host, backend, seen)
        if isinstance(alone, Unreadable):
            return dataclasses.replace(seen, postgres=alone, accounts=alone)
        asked = _Answers({**answers.by_name, **alone.by_name})
    return dataclasses.replace(
        seen,
        postgres=asked.part("postgres", postgres.parse),
        migrations=_migrations(backend, asked) if backend.migrations else None,
        accounts=asked.part("postgres", lambda answer: accounts.parse(backend, answer)),
    )


def _migrations(backend: Backend, answers: _Answers) -> Any:
    files = answers.by_name.get("migrations")
    if files is None:
        return Unreadable("its part of the answer did not arrive")
    return answers.part("postgres", lambda it: migrations.parse(files, it, backend.migrations))


def _ask_postgres(host: Host, backend: Backend, seen: Observation) -> _Answers | Unreadable:
    target = postgres.target_in_force(backend, seen.env)
    if isinstance(target, Unreadable):
        return target
    answer = remote.ask(host, {"postgres": postgres.script(backend, target)}, deadline=DEADLINE)
    return answer if isinstance(answer, Unreadable) else _Answers(answer)
