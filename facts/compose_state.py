"""What is known of a Docker Compose project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from relogin.finding import shortened
from relogin.values import dataclass


@dataclass(frozen=True)
class Port:
    """A container's port, and the host's address and port that lead to it."""

    inside: int
    address: str
    outside: int


@dataclass(frozen=True)
class Volume:
    """A named volume; `project` and `declared` (its name in the files) are Compose's labels."""

    name: str
    project: str = ""
    declared: str = ""


@dataclass(frozen=True)
class Container:
    """A container of the project, in the engine's own words.

    `state` is created, running, restarting, exited, paused or dead; `health` is empty without a
    health check. `image` is the id that it was made from, `tag` the name that it was made by.
    Times are epoch seconds. `log` are the last lines of another service that does not run.
    """

    id: str
    service: str
    state: str
    health: str = ""
    health_said: str = ""
    exit_status: int | None = None
    error: str = ""
    out_of_memory: bool = False
    created: float | None = None
    started: float | None = None
    pid: int | None = None
    restarts: int = 0
    image: str = ""
    tag: str = ""
    addresses: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    volumes: tuple[str, ...] = ()
    log: tuple[str, ...] = ()

    @property
    def ended(self) -> str:
        """Say how it is: its state, and of one that does not run its status and last words."""
        if self.state not in {"exited", "dead", "restarting"}:
            return self.state
        again = f", restarted {self.restarts} times" if self.restarts else ""
        last = next((line.strip() for line in reversed(self.log) if line.strip()), "")
        words = f"; its log ends: {shortened(last, 200)}" if last else ""
        return f"{self.error or self.state} (status {self.exit_status}{again}){words}"


# What an engine (moby, Podman) may set by itself, and Compose for the proxies that its user's
# configuration names (docs.docker.com/engine/cli/proxy).
_SET_BY_ITSELF = {"PATH", "HOME", "HOSTNAME", "TERM", "container"}
_PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"}


@dataclass(frozen=True)
class Project:
    """A project: what its files say (`config`, with secrets; None if they cannot be read) and runs.

    `service` is the backend's, `image` the id that its image's name means today, `built_in` the
    variables that the image of its container sets (None: not seen); `folders` pairs each project
    that has containers on the host with the folder that it was started from.
    `engine_error` is why Docker itself does not answer, `config_error` why Compose refuses the
    files.
    """

    name: str
    config: Mapping[str, Any] | None = field(default=None, repr=False)
    config_error: str = ""
    engine_error: str = ""
    containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
    image: str = ""
    service: str = ""
    built_in: Mapping[str, str] | None = field(default=None, repr=False)

    def given(self, key: str) -> str | None:
        """Give a value that the backend's container would be started with, if made now."""
        return (self.environment(self.service) or {}).get(key) or None

    def container(self, service: str) -> Container | None:
        """Give a service's container: the running one, where there are several."""
        found = [one for one in self.containers if one.service == service]
        running = [one for one in found if one.state == "running"]
        return next(iter([*running, *found]), None)

    def address(self, name: str) -> str | None:
        """Give the address of the service that containers of the project reach by this name."""
        found = self.container(name)
        return found.addresses[0] if found is not None and found.addresses else None

    def environment(self, service: str) -> dict[str, str] | None:
        """Give what a container that is made now would be started with; values may be secrets."""
        declared = self._declared(service)
        if declared is None:
            return None
        variables = declared.get("environment") or {}
        return {
            key: str(value).replace("$$", "$")
            for key, value in variables.items()
            if value is not None
        }

    def published(self, service: str) -> set[int]:
        """Give the host's ports that the files have for a service; a range of them is left out."""
        declared = self._declared(service) or {}
        ports = (str(one.get("published", "")) for one in declared.get("ports") or ())
        return {int(port) for port in ports if port.isdigit()}

    def differing(self, service: str, environ: Mapping[str, str] | None) -> list[str]:
        """Give the keys that a container made now would have other values of, or would lack."""
        wanted = self.environment(service)
        if wanted is None or environ is None:
            return []
        changed = (key for key, value in wanted.items() if environ.get(key) != value)
        return sorted([*changed, *self.dropped(service, environ)])

    def dropped(self, service: str, environ: Mapping[str, str] | None) -> list[str]:
        """Give the backend's keys that a container made now would lack: no env file has them.

        What its image set is none of them, nor what Compose or the engine sets by itself; where
        Compose sets what cannot be known here (`provider`, `models`), none is named.
        """
        declared, built_in = self._declared(service), self.built_in
        services = (self.config or {}).get("services", {}).values()
        if declared is None or environ is None or built_in is None or service != self.service:
            return []
        if "models" in declared or any("provider" in one for one in services):
            return []
        named = {*(declared.get("environment") or {}), *_SET_BY_ITSELF}
        return sorted(
            key
            for key, value in environ.items()
            if key not in named and key.upper() not in _PROXIES and built_in.get(key) != value
        )

    def _declared(self, service: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = (self.config or {}).get("services", {}).get(service)
        return found

    def to_json(self) -> dict[str, Any]:
        """Give everything but what the files say, which holds secrets."""
        return {
            "name": self.name,
            "config_error": self.config_error,
            "engine_error": self.engine_error,
            "image": self.image,
            "containers": [
                dict(vars(one), ports=[vars(port) for port in one.ports]) for one in self.containers
            ],
            "volumes": [vars(one) for one in self.volumes],
        }
