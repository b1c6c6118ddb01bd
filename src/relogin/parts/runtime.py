"""What the backend runs in: its process manager, its containers, its virtual environment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from relogin import carried
from relogin.parts.part import absolute, fits, listed, part, refuse_unless


@part
class Systemd:
    """Run as a systemd unit; `needs` are other units without which nobody gets in (nginx).

    Where `exec_start` (as in the unit's ExecStart=) and `user` are declared, a unit that is missing
    is written.
    """

    unit: str
    working_directory: str | None = None
    environment_files: tuple[str, ...] = ()
    user: str | None = None
    exec_start: str | None = None
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        listed(self, "environment_files", "needs")
        paths = (self.working_directory, *self.environment_files)
        absolute(f"Systemd({self.unit!r})", *paths)
        fits("Systemd", carried.unit_name, self.unit, *self.needs)
        fits(f"Systemd({self.unit!r})", carried.unit_path, *paths)
        fits(f"Systemd({self.unit!r}): user", carried.os_user, self.user)
        command = self.exec_start
        one_line = command is None or (command.strip() and command.isprintable())
        what = f"Systemd({self.unit!r}): exec_start is {command!r}, expected a line"
        refuse_unless(one_line, what)

    @property
    def full_name(self) -> str:
        return self.unit if "." in self.unit else f"{self.unit}.service"


@part
class Supervisor:
    """Run as a program of supervisord, whose configuration file is `config`.

    `user` is as whom it has to run.
    """

    program: str
    config: str = "/etc/supervisor/supervisord.conf"
    working_directory: str | None = None
    supervisorctl: str = "supervisorctl"
    user: str | None = None

    def __post_init__(self) -> None:
        absolute(f"Supervisor({self.program!r})", self.config, self.working_directory)


@part
class Compose:
    """Run as a service of a Docker Compose project (Compose v2, driven by its own command line).

    `files` and `env_files` are what `-f` and `--env-file` name, relative to `directory`; without
    them Compose looks for its own. `project` is its name, where it is not the one that Compose
    makes of the files. `database_service` holds PostgreSQL; `needs` are other services without
    which nobody gets in; `volumes` must exist, by the names that the files give them.
    `requirements` maps requirements files of the host, relative to `directory`, to where the image
    has them: where they differ it is built anew.
    """

    directory: str
    service: str
    files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    project: str | None = None
    database_service: str | None = None
    needs: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    requirements: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        listed(self, "files", "env_files", "needs", "volumes")
        where = f"Compose({self.service!r})"
        absolute(where, self.directory, *self.requirements.values())

    @property
    def working_directory(self) -> str:
        return self.directory

    @property
    def options(self) -> list[str]:
        """The words between `docker compose` and its command."""
        return [
            *(word for name in self.env_files for word in ("--env-file", name)),
            *(word for name in self.files for word in ("-f", name)),
            *(("-p", self.project) if self.project else ()),
        ]


Runtime = Systemd | Supervisor | Compose


@part
class Venv:
    """Name the virtual environment and the requirements that it has to meet.

    `pip_args` is passed to every `pip install` (an index, a wheelhouse, constraints). With
    `install_unlisted` a module that the backend imports is installed although no requirements file
    asks for it, if it is known for certain in which distribution it is.
    """

    path: str
    requirements: tuple[str, ...] = ()
    python: str = "python3"
    owner: str | None = None
    pip_args: tuple[str, ...] = ()
    install_unlisted: bool = False

    def __post_init__(self) -> None:
        listed(self, "requirements", "pip_args")
        absolute("Venv", self.path, *self.requirements)
        fits("Venv: owner", carried.os_user, self.owner)
