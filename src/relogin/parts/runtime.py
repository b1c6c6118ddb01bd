"""What the backend runs in: its process manager and its virtual environment."""

from __future__ import annotations

from relogin.parts.part import absolute, listed, part


@part
class Systemd:
    """Run as a systemd unit; `needs` are other units without which nobody gets in (nginx)."""

    unit: str
    working_directory: str | None = None
    environment_files: tuple[str, ...] = ()
    user: str | None = None
    exec_start: str | None = None
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        listed(self, "environment_files", "needs")
        absolute(f"Systemd({self.unit!r})", self.working_directory, *self.environment_files)

    @property
    def full_name(self) -> str:
        return self.unit if "." in self.unit else f"{self.unit}.service"


@part
class Supervisor:
    """Run as a program of supervisord, whose configuration file is `config`."""

    program: str
    config: str = "/etc/supervisor/supervisord.conf"
    working_directory: str | None = None
    supervisorctl: str = "supervisorctl"

    def __post_init__(self) -> None:
        absolute(f"Supervisor({self.program!r})", self.config, self.working_directory)


@part
class Venv:
    """Name the virtual environment and the requirements that it has to meet.

    `pip_args` is passed to every `pip install` (an index, a wheelhouse, constraints).
    """

    path: str
    requirements: tuple[str, ...] = ()
    python: str = "python3"
    owner: str | None = None
    pip_args: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        listed(self, "requirements", "pip_args")
        absolute("Venv", self.path, *self.requirements)
