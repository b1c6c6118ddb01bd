"""A Docker Compose project, as its own command line and the engine have it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin.facts import alone, auth_log, service_state
from relogin.facts.compose_script import script
from relogin.facts.compose_state import Container, Port, Project, Volume
from relogin.facts.service_state import ServiceState
from relogin.finding import CUT_SHORT, Unreadable
from relogin.parts.runtime import Compose
from relogin.redaction import redact_foreign

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.remote import Answer


def parse(
    service: str, answers: Mapping[str, Answer], keys: Iterable[str] = ()
) -> ServiceState | Unreadable:
    """Take the part's answers apart."""
    engine = answers["engine"]
    if engine.status != 0:
        return _without_engine(service, engine)
    unseen = [name for name in ("containers", "volumes") if answers[name].status]
    unseen += ["files"] if answers["show"].status in _CUT else []
    if unseen:
        return Unreadable(f"Docker did not say which {' and '.join(unseen)} the project has")
    environ, built_in = _environments(answers["environ"])
    project = dataclasses.replace(_project(answers, environ), service=service, built_in=built_in)
    own = project.container(service)
    lines = _log(answers["log"], environ)
    log = lines if isinstance(lines, Unreadable) else lines[-service_state.LOG_LINES :]
    state = ServiceState(
        name="/".join(filter(None, (project.name, service))),
        exists=own is not None,
        active=own is not None and own.state == "running",
        state=own.state if own else "",
        load="loaded" if own else "no-container",
        environ=environ,
        log=log,
        auth=auth_log.read([] if isinstance(lines, Unreadable) else lines),
        exceptions=_exceptions(log),
        project=project,
    )
    return _as_it_runs(state, own) if own else state


# How `timeout` ends what took too long: by itself, or on SIGKILL.
_CUT = {124, 137}


def _without_engine(service: str, engine: Answer) -> ServiceState | Unreadable:
    said = redact_foreign(" ".join(engine.lines[-1:]))
    if "permission denied" in said or engine.status == 127:
        return Unreadable(f"Docker does not answer us: {said}")
    project = Project(name="", engine_error=said or "docker version gave no answer")
    return ServiceState(
        service, exists=False, active=False, state="", load="unknown", project=project
    )


def _project(answers: Mapping[str, Answer], environ: Mapping[str, str] | None) -> Project:
    config, error = declared(answers["show"])
    image = answers["image"]
    lines = answers["containers"].lines
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    said = [service_state.clean(line, environ) for line in lines if not line.startswith("{")]
    named = answers["name"].text.decode()
    return Project(
        name=named or next((row["project"] for row in rows), ""),
        config_error=error,
        config=config,
        containers=tuple(_container(row, said) for row in rows),
        folders=tuple(_folder(line) for line in answers["projects"].lines),
        volumes=tuple(_volume(line) for line in answers["volumes"].lines),
        image=image.text.decode().strip() if image.status == 0 else "",
    )


def declared(show: Answer) -> tuple[dict[str, Any] | None, str]:
    """Give what `docker compose config` says is declared, or why it refuses the files."""
    text = show.text.decode("utf-8", "replace")
    if show.status:
        return None, _refusal(text) or f"status {show.status}"
    return (json.loads(text[text.index("{") :]) if "{" in text else None), ""


def _refusal(text: str) -> str:
    """Give why Compose refuses the files; its warnings name pieces of values that have a `$`."""
    said = [line for line in text.strip().split("\n") if "level=warning" not in line]
    return redact_foreign("\n".join(said[-2:])).replace("\n", " ")


def _folder(line: str) -> tuple[str, str]:
    project, _, folder = line.partition(" ")
    return project, folder


def _end(text: str) -> str:
    """Give what a health check said last: what it came to is at its end."""
    return text if len(text) <= 300 else f"{CUT_SHORT.strip()} {text[-300:]}"


def _volume(line: str) -> Volume:
    name, project, declared = [*line.split(" "), "", ""][:3]
    return Volume(name, project, declared)


def _container(row: Mapping[str, Any], said: Iterable[str]) -> Container:
    own = f"{row['service']} "
    return Container(
        id=row["id"],
        service=row["service"],
        state=row["state"],
        health=row.get("health", ""),
        health_said=_end(redact_foreign(row["said"].strip())),
        exit_status=row["exit"],
        error=redact_foreign(row["error"]),
        out_of_memory=row["oom"],
        created=_epoch(row["created"]),
        started=_epoch(row["started"]),
        pid=row["pid"] or None,
        restarts=row["restarts"],
        image=row["image"],
        tag=row["tag"],
        addresses=tuple(filter(None, row["addresses"])),
        ports=tuple(_ports(row["ports"] or {})),
        volumes=tuple(filter(None, row["mounts"])),
        log=tuple(line.removeprefix(own) for line in said if line.startswith(own)),
    )


def _ports(ports: Mapping[str, Any]) -> Iterable[Port]:
    for inside, published in ports.items():
        for one in published or ():
            yield Port(int(inside.split("/")[0]), one["HostIp"], int(one["HostPort"]))


def _epoch(text: str) -> float | None:
    """Read a time of the engine (RFC 3339, in nanoseconds); its zero time is None."""
    if text.startswith("0001"):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    return datetime.fromisoformat(text).timestamp()


def _environments(answer: Answer) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    """Give what the container was made with, and what its image has; None where it was not seen."""
    lines = answer.lines if answer.status == 0 else []
    own, built_in, *_ = [*(_environ(line) for line in lines if line), None, None]
    return own, built_in


def _environ(line: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in json.loads(line) or ())
    return {key: value for key, _, value in pairs}


def _log(answer: Answer, environ: Mapping[str, str] | None) -> tuple[str, ...] | Unreadable:
    if answer.status == 3:
        return ()
    if answer.status != 0:
        return Unreadable("docker logs gave no answer")
    text = service_state.clean(answer.text.decode("utf-8", "replace"), environ)
    return tuple(text.strip("\n").split("\n"))


def _exceptions(log: tuple[str, ...] | Unreadable) -> tuple[str, ...]:
    if isinstance(log, Unreadable):
        return ()
    return tuple(service_state.exceptions(("", line.partition(" ")[2]) for line in log))


# What a container ends with that `docker stop` ends: by itself, on SIGKILL or on SIGTERM.
_STOPPED = {0, 137, 143}


def _as_it_runs(state: ServiceState, own: Container) -> ServiceState:
    looping = own.state == "restarting"
    by_hand = own.state == "exited" and own.exit_status in _STOPPED and not own.out_of_memory
    ended = "exit-code" if own.state == "exited" or looping else ""
    return dataclasses.replace(
        state,
        state="stopped" if by_hand else own.state,
        sub="auto-restart" if looping else own.health,
        result="oom-kill" if own.out_of_memory else ended,
        reason=own.error,
        started=own.started,
        restarts=own.restarts,
        exit_status=own.exit_status if own.state in {"exited", "dead", "restarting"} else None,
        main_pid=own.pid,
    )


class ComposeProject(FactBase[Any]):
    """Give a Docker Compose project's containers, volumes and log, without secrets.

    + directory: the project's folder
    + service: the backend's service
    + files: what `-f` names, separated by commas
    + env_files: what `--env-file` names, separated by commas
    + project: the project's name, where it is not the one that Compose makes of the files
    """

    def command(
        self, directory: str, service: str, files: str = "", env_files: str = "", project: str = ""
    ) -> StringCommand:
        part = Compose(
            directory,
            service,
            files=tuple(filter(None, files.split(","))),
            env_files=tuple(filter(None, env_files.split(","))),
            project=project or None,
        )
        return alone.command({"service": script(part, redacted=True)})

    def process(self, output: Iterable[str]) -> ServiceState | Unreadable:
        from relogin.facts import service

        return alone.parsed(output, "service", service.parse)
