"""Commands for a person, to be pasted on the host: as this backend's own service has them."""

from __future__ import annotations

import dataclasses
import shlex

from relogin.parts.runtime import Compose, Runtime, Supervisor


def log(service: Runtime | None) -> str:
    """Give the command that shows the end of what the service wrote."""
    if isinstance(service, Supervisor):
        return shlex.join(["supervisorctl", "-c", service.config, "tail", service.program])
    if isinstance(service, Compose):
        return log_of(service, service.service)
    return shlex.join(["journalctl", *(["-u", service.unit] if service else []), "-n", "80"])


def log_of(project: Compose, name: str) -> str:
    """Give the same of any service of a project."""
    return in_folder(project, compose(project, "logs", "--tail", "80", name))


def built(project: Compose) -> str:
    """Give the commands that build the backend's image, and start its container anew."""
    build = compose(project, "build", project.service)
    return in_folder(project, build, compose(project, "up", "-d", "--no-deps", project.service))


def compose(project: Compose, *words: str, name: str | None = None) -> str:
    """Give a command of Docker Compose, with the declared files; `name` is another project's."""
    options = dataclasses.replace(project, project=name or project.project).options
    return shlex.join(["docker", "compose", *options, *words])


def in_folder(project: Compose, *commands: str) -> str:
    """Give commands that follow one another, in the folder that the project's files are in."""
    return " && ".join([f"cd {shlex.quote(project.directory)}", *commands])
