"""The steps of a release, each one remote command that can be repeated after a killed run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import shell, undo
from relogin.facts import own_url
from relogin.facts.venv import BrokenVenv, VenvState
from relogin.fault import Change
from relogin.finding import Unreadable
from relogin.operations import (
    release_backup,
    release_database,
    release_images,
    release_store,
    release_tree,
    release_venv,
    service_control,
)
from relogin.parts.runtime import Compose
from relogin.redaction import redact

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target
    from relogin.facts.proof import Check
    from relogin.facts.release_new import NewRevision
    from relogin.facts.release_state import ReleaseState
    from relogin.parts.source import Source

_SWITCHING = 1200
SCHEMA_LEFT = "the schema could not be brought back: it is still that of the new revision"


def fetch(source: Source, state: ReleaseState) -> Change:
    """Have the commit on the host, and its tree laid out beside; nothing of what runs changes."""
    script = release_tree.fetched(source, state)
    how = "lay out" if state.tree.present else "push" if source.checkout else "fetch"
    return Change(script, f"{how} {state.tree.wanted[:12]}", deadline=300)


def planned(backend: Backend, source: Source) -> tuple[str, ...]:
    """Say what is built and started, and when migrations run: which are new only a fetch shows."""
    order = "while the former code runs" if source.migrate_first else "while nothing runs"
    migrated = f"run its migrations, if any, {order}" if backend.migrations is not None else ""
    if isinstance(backend.service, Compose):
        service = backend.service.service
        before: tuple[str, ...] = (
            f"check it out and build the image of {service}, and of nothing else",
        )
        start = f"make the container of {service} anew"
    else:
        venv = "build the virtual environment beside, where its requirements differ"
        before = (venv if backend.venv is not None else "", "check it out")
        start = "start it"
    return tuple(filter(None, (*before, migrated, start)))


def clear(source: Source) -> Change:
    """Clear what a fetch has laid out, of a revision that is not released."""
    return Change(release_tree.cleared(source), "clear what was laid out beside", deadline=60)


def begin(
    backend: Backend,
    seen: Observation,
    state: ReleaseState,
    new: NewRevision,
    checks: tuple[Check, ...],
    backup: str,
) -> Change:
    """Note on the host what was and what is meant: from here on it can be gone on with."""
    run, token = undo.run_id("release"), seen.login.token if seen.login else None
    values = {
        "run": run,
        "from": state.tree.head,
        "to": state.tree.wanted,
        "branch": state.tree.branch,
        "phase": "forward",
        "steps": "",
        "recorded": new.undone if new.pending else "",
        "backup": backup,
        "token": token.reveal() if token else "",
    }
    lines = [f"release {run} of {values['to']} in the place of {values['from']}"]
    lines.append(f"ok fetched, and laid out beside: {values['to']}")
    lines += [
        f"{'ok' if check.ok else 'NO'} {check.name}: {redact(check.said)}" for check in checks
    ]
    return Change(release_store.begun(backend, values, lines), f"begin release {run}")


def prepare(
    backend: Backend, seen: Observation, source: Source, target: Target | None, new: str
) -> Iterator[Change]:
    """Give the steps before anything that runs changes: the backup, and what is built beside.

    Without a `target` the backup has been seen to just now.
    """
    reached = own_url.reached(backend, seen.env)
    if target is not None and not isinstance(reached, Unreadable):  # which is one of the checks
        script = release_database.backed_up(reached, target)
        yield _change(
            backend,
            "backup",
            script,
            release_backup.WHY,
            release_database.DEADLINE,
        )
    if isinstance(backend.service, Compose):
        yield _image(backend, backend.service, source, new)
    elif backend.venv is not None:
        script = release_venv.built(backend.venv, source, _owner(backend, seen))
        why = f"build {backend.venv.path} beside, where its requirements differ"
        yield _change(backend, "venv", script, why, release_venv.DEADLINE)


def noted(backend: Backend, new: NewRevision) -> Change:
    """Note what the schema goes back to, now that the new environment's own migrations are seen."""
    body = f"put recorded {shell.quote(new.undone if new.pending else '')}\n"
    return _change(backend, "migrations", body, "see which migrations are new", 60)


def _image(backend: Backend, part: Compose, source: Source, new: str) -> Change:
    """Check the new code out and build its image: what runs has its own in the former one."""
    checkout = _once("source", release_tree.switched(source, new))
    script = release_images.built(part, backend.name, f"mark touched\n{checkout}")
    why = f"check out {new[:12]} and build the image of {part.service}"
    return _change(backend, "image", script, why, release_images.DEADLINE)


def _owner(backend: Backend, seen: Observation) -> str:
    declared = backend.venv.owner if backend.venv else None
    found = seen.venv.owner if isinstance(seen.venv, VenvState | BrokenVenv) else ""
    return declared or found or "root"


def switch(
    backend: Backend, seen: Observation, source: Source, new: str, *, migrate: bool
) -> Change:
    """Put the new code and its environment in place, migrate, start: in one remote command.

    Where the running code does not bear the new schema, it is stopped while the migrations run.
    """
    stop = migrate and not source.migrate_first
    lines = [
        _once("stopped", service_control.released(backend, "stop")) if stop else "",
        _once("source", release_tree.switched(source, new)),
        _once("switched", release_venv.switched(backend.venv)) if backend.venv else "",
        _once("migrated", f"mark migrating\n{release_database.migrated(backend, seen)}")
        if migrate
        else "",
        _once("started", _started(backend)),
    ]
    in_place = isinstance(backend.service, Compose)
    how = "make its container anew" if in_place else f"check out {new[:12]}, and start it"
    why = f"migrate, and {how}" if migrate else how
    return _change(backend, "switch", f"mark touched\n{''.join(lines)}", why, _SWITCHING)


def _started(backend: Backend) -> str:
    return f"up() (\n{service_control.released(backend, 'restart')}\n)\nup || exit 1\n"


def back(
    backend: Backend,
    seen: Observation,
    source: Source,
    state: ReleaseState,
    *,
    failed: str,
    said: str,
) -> Change:
    """Put the former code, environment and, where it does not bear the new one, schema back."""
    assert state.under_way is not None  # noqa: S101 # it has begun
    old, recorded = state.under_way.old, state.under_way.recorded
    in_container = isinstance(backend.service, Compose)
    undo = recorded and not source.migrate_first and release_database.can_go_back(backend)
    lines = [
        release_store.ROOM,
        f"rm -rf {shell.quote(release_tree.stage(source))}\n",
        f"put phase back; put failed {shell.quote(failed)}\n",
        f"note {shell.quote(redact(f'{failed} failed: {said}'))}\n" if said else "",
        "if marked touched; then\n",
        _schema_back(backend, seen, recorded) if undo else "",
        _once("source back", release_tree.back(source, old, state.under_way.branch)),
        _once("venv back", release_venv.back(backend.venv)) if backend.venv else "",
        _once("image back", release_images.back(backend.name)) if in_container else "",
        _once("started again", _started(backend)),
        "fi\n",
    ]
    return _change(backend, "back", "".join(lines), f"go back to {old[:12]}", _SWITCHING)


def _schema_back(backend: Backend, seen: Observation, recorded: str) -> str:
    """Give the lines that undo what was migrated, by the new code, while nothing uses it."""
    down = release_database.downgraded(backend, seen, recorded)
    stop = service_control.released(backend, "stop")
    lines = f"{stop}\n( {down} ) || {{ mark 'schema left'; note '{SCHEMA_LEFT}'; }}"
    left = f"! marked 'schema left' || echo '{SCHEMA_LEFT}'\n"
    return f"if marked migrating; then\n{_once('schema back', lines)}{left}fi\n"


def _once(name: str, lines: str) -> str:
    return f"if ! marked {shell.quote(name)}; then\n{lines}\nmark {shell.quote(name)}\nfi\n"


def _change(backend: Backend, name: str, body: str, why: str, deadline: float) -> Change:
    return Change(release_store.step(backend, name, body), why, deadline=deadline)


def finish(backend: Backend, source: Source, old: str, new: str, lines: list[str]) -> Change:
    """Note what is proven, and clear what is not needed any more; the former venv is kept."""
    script = release_tree.pinned(source, old, new)
    ended = release_store.ended(backend, lines, running=new, keep=_kept(backend))
    return Change(f"{script}{ended}", "end the release")


def _kept(backend: Backend) -> int | None:
    return backend.backup.keep if backend.backup else None


def close(backend: Backend, source: Source, lines: list[str], *, running: str) -> Change:
    """Note that it was taken back; `running` is the former commit where that is proven."""
    clear = release_tree.cleared(source)
    if backend.venv is not None:
        clear += release_venv.cleared(backend.venv)
    script = f"{clear}{release_store.ended(backend, lines, running=running)}"
    return Change(script, "end the release, which was taken back")
