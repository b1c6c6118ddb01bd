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
    connected,
    database,
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
from relogin.facts.answers import Answers
from relogin.facts.postgres_state import Server
from relogin.fault import internal_error
from relogin.finding import Unreadable
from relogin.parts.configuration import FromEnv
from relogin.parts.runtime import Compose, Systemd
from relogin.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.drift import Former
    from relogin.facts.api_state import Probed
    from relogin.facts.bare import Bare
    from relogin.facts.connection import Connection
    from relogin.facts.database_state import DatabaseState
    from relogin.facts.proof import Proof
    from relogin.remote import Answer
    from relogin.run import Done

DEADLINE = 45.0
DEEP = 120.0  # the whole database: see relogin.facts.database_sql for what it may take


@dataclass(frozen=True)
class Observation:
    """What was seen of a backend on a host, in one moment.

    What was not asked for is None; what could not be seen is Unreadable. `login` is None until
    tried; `connection` (the backend's own URL) and `databases` (those that its process has open)
    are only asked for where the login failed. `done` is what this run has changed, or tried to,
    before the look. `own` are the answers to a user's own faults that look for something
    themselves, by their ids. `secrets` are the service's processes by the JWT secret that they
    were started with: one group, or none, where all is well. `keys` are the files of the keys that
    sign and check tokens, where they are declared. `former` is what the history knows.
    `hold` says that somebody has disabled relogin there. `database` is asked for by a check of it,
    `bare` by onboarding, `api` by a probe. `began` is when this run began, in Unix time.
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
    database: DatabaseState | Unreadable | None = None
    bare: Bare | Unreadable | None = None
    api: Probed | Unreadable | None = None
    began: float | None = None

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
        parts: list[tuple[str, object]] = [
            (fault.partition(".")[0], answer) for fault, answer in self.own.items()
        ]
        parts.append(("disks", getattr(self.machine, "file_systems", None)))
        for name in ("postgres", "accounts", "database"):
            parts.append((f"{name} in part", getattr(getattr(self, name), "unseen", None)))
        for name, part in parts:
            if isinstance(part, Unreadable):
                yield name, part.reason


_LAYER_OF = {"env_files": "env_file", "keys": "jwt", "connection": "postgres"}


def look(
    host: Host,
    backend: Backend,
    sent: Callable[[], object] | None = None,
    *,
    deep: bool = False,
    onboards: bool = False,
) -> Observation | Unreadable:
    """Look at a backend: one remote command (a second one only where DATABASE_URL is undeclared).

    Never raises: an answer that makes no sense is Unreadable, for its part alone. `sent` is called
    as the host begins: what takes us time is best done then. `deep` looks at the whole database as
    well, `onboards` at what the host has of what the backend needs.
    """

    def begun() -> None:
        if backend.login is not None:  # httpx takes 30 ms to import
            gevent.spawn(importlib.import_module, "relogin.web")
        if sent is not None:
            sent()

    try:
        asked = time.time()
        parts = scripts(backend, deep=deep)
        if onboards:  # no other run needs to load it
            from relogin.facts import bare

            parts["bare"] = bare.script(backend)
        answers = remote.ask(host, parts, deadline=DEEP if deep else DEADLINE, sent=begun)
        if isinstance(answers, Unreadable):
            return answers
        found = Answers(answers, between=(asked, time.time()))
        seen = _parsed(host, backend, found, deep=deep)
        return dataclasses.replace(seen, bare=found.part("bare", bare.parse)) if onboards else seen
    except Exception as error:  # noqa: BLE001 # out of an operation it would abort every host
        return Unreadable(f"relogin itself failed in the look: {internal_error(error, '').seen}")


def with_login(host: Host, backend: Backend, seen: Observation, proof: Proof) -> Observation:
    """Add a proof to a look; where it failed, which database the backend uses, and can reach."""
    seen = dataclasses.replace(seen, login=proof)
    if proof.works or backend.database is None:
        return seen
    if proof.status is not None:  # it answered: a form refuses with 200, too
        seen = dataclasses.replace(seen, databases=databases_in_use.ask(host, backend, seen))
    return dataclasses.replace(seen, connection=connected.ask(host, backend, seen))


def scripts(backend: Backend, *, deep: bool = False) -> dict[str, str]:
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
    if (key := key_files.declared(backend)) is not None:
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
    if target is not None and backend.database and backend.database.admin:
        parts["postgres"] = postgres.script(backend, target, deep=deep)
    return parts


def _parsed(host: Host, backend: Backend, answers: Answers, *, deep: bool = False) -> Observation:
    public = backend.public()
    folder, key = source.directory(backend), key_files.declared(backend)
    seen = Observation(
        machine=answers.part("machine", lambda it: machine.parse(it, answers.between)),
        env_files=tuple(answers.env_file(n, it, public) for n, it in enumerate(backend.env_files)),
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
    if backend.database is None:
        return seen
    return _with_database(host, backend, seen, answers, deep=deep)


def _image(backend: Backend, answers: Answers) -> Any:
    part = backend.service
    if not isinstance(part, Compose) or not part.requirements:
        return None
    return answers.part("image", lambda answer: compose_image.parse(part, answer))


def _with_database(
    host: Host, backend: Backend, seen: Observation, answers: Answers, *, deep: bool
) -> Observation:
    if backend.database is None or backend.database.admin is None:
        return dataclasses.replace(
            seen,
            postgres=_NO_ADMIN,
            migrations=_NO_ADMIN if backend.migrations else None,
            accounts=_NO_ADMIN if backend.accounts else None,
            database=_NO_ADMIN if deep else None,
        )
    asked = answers
    if "postgres" not in answers.by_name:
        alone = _ask_postgres(host, backend, seen, deep=deep)
        if isinstance(alone, Unreadable):
            unseen = alone if deep else None
            return dataclasses.replace(seen, postgres=alone, accounts=alone, database=unseen)
        asked = Answers({**answers.by_name, **alone.by_name})
    return dataclasses.replace(
        seen,
        postgres=asked.part("postgres", postgres.parse),
        migrations=_migrations(backend, asked) if backend.migrations else None,
        accounts=asked.part("postgres", lambda answer: accounts.parse(backend, answer)),
        database=asked.part("postgres", lambda answer: database.parse(answer, backend))
        if deep
        else None,
    )


_NO_ADMIN = Unreadable(
    "neither seen nor mended without an administrator's view (Postgres admin=None)"
)


def _migrations(backend: Backend, answers: Answers) -> Any:
    files = answers.by_name.get("migrations")
    if files is None:
        return Unreadable("its part of the answer did not arrive")
    return answers.part("postgres", lambda it: migrations.parse(files, it, backend.migrations))


def _ask_postgres(
    host: Host, backend: Backend, seen: Observation, *, deep: bool
) -> Answers | Unreadable:
    target = postgres.target_in_force(backend, seen.env)
    if isinstance(target, Unreadable):
        return target
    script = postgres.script(backend, target, deep=deep)
    answer = remote.ask(host, {"postgres": script}, deadline=DEEP if deep else DEADLINE)
    return answer if isinstance(answer, Unreadable) else Answers(answer)
