"""How a person reads what a backend's service wrote."""

import shlex

from relogin.parts.runtime import Compose, Runtime, Supervisor


def command(service: Runtime | None) -> str:
    """Give the command that shows the end of the log; for Compose, in the project's folder."""
    if isinstance(service, Supervisor):
        return shlex.join(["supervisorctl", "-c", service.config, "tail", service.program])
    if isinstance(service, Compose):
        return of_container(service, service.service)
    return shlex.join(["journalctl", *(["-u", service.unit] if service else []), "-n", "80"])


def of_container(project: Compose, name: str) -> str:
    """Give the same of any service of a project."""
    return (
        f"cd {shlex.quote(project.directory)} && docker compose logs --tail 80 {shlex.quote(name)}"
    )
