"""A look at a healthy host, as its parts answered it, and small edits of it: the sick ones."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relogin import (
    Account,
    Accounts,
    Alembic,
    Backend,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Jwt,
    Login,
    Postgres,
    Probe,
    Secret,
    Systemd,
    Venv,
)
from relogin.facts import (
    accounts,
    env_file,
    jwt,
    machine,
    migrations,
    observation,
    postgres,
    service,
    source,
    venv,
)
from relogin.facts.observation import Observation
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.remote import Answer
from tests.facts.answers import run
from tests.lab import canaries

Answers = dict[str, Answer]
Edit = Callable[[Answers], Answers]

ROOT = "/srv/halext.org/halext-org/backend"
ENV = f"{ROOT}/.env"
RECORDED = Path(__file__).parent / "recorded"

HOST_CLOCK = 1795259233.6

KEYS: dict[str, str | Secret | DatabaseUrl] = {
    "DEV_MODE": "false",
    "DATABASE_URL": DatabaseUrl(user="halext_user", database="halext_org"),
    "ACCESS_CODE": Secret.seen(canaries.ACCESS_CODE),
    "SECRET_KEY": Secret.generated(),
}
OPS = Account(
    "ops", email="ops@example.com", password=Secret.seen(canaries.OPS_PASSWORD), admin=True
)


def halext(**changed: Any) -> Backend:
    """Describe the recorded backend, as inventories/group_data/halext.py does."""
    known: dict[str, Any] = {
        "service": Systemd("halext-api", working_directory=ROOT, needs=["nginx"]),
        "venv": Venv(f"{ROOT}/env", requirements=f"{ROOT}/requirements.txt"),
        "env_file": EnvFile(ENV, keys=KEYS),
        "database": Postgres(url=FromEnv("DATABASE_URL")),
        "migrations": Alembic(ROOT, command="env/bin/alembic upgrade head"),
        "accounts": Accounts(present=[OPS]),
        "login": Login(
            "http://127.0.0.1/token",
            account="ops",
            headers={"X-Halext-Code": FromEnv("ACCESS_CODE")},
            protected="http://127.0.0.1/users/me",
            identity="username",
        ),
        "token": Jwt(secret=FromEnv("SECRET_KEY")),
        "probes": [Probe("http://127.0.0.1/api/health", host_header="org.halext.org")],
    }
    return Backend("halext", **{**known, **changed})


HALEXT = halext()


NOW = HOST_CLOCK - 0.2, HOST_CLOCK + 0.3


def look(*edits: Edit, backend: Backend = HALEXT) -> Observation:
    """Give what the facts make of the recorded answers, once they have been edited."""
    answers = recorded("halext")
    for edit in edits:
        answers = edit(answers)
    return edited(answers, backend)


def edited(answers: Answers, backend: Backend = HALEXT, *, resized: bool = True) -> Observation:
    """Give what the facts make of these answers; env files have the size that they have then."""
    file = sized(answers["env_0"]) if resized else answers["env_0"]
    nested = {"service": _nested("service", answers), "env_0": file}
    part = observation.Answers({**answers, **nested}).part
    return Observation(
        machine=part("machine", lambda answer: machine.parse(answer, NOW)),
        env_files=tuple(
            part(
                "env_0",
                lambda answer, it=declared: env_file.parse(it.path, answer, reader=it.readers[0]),
            )
            for declared in backend.env_files[:1]
        ),
        venv=part("venv", venv.parse),
        source=part("source", lambda answer: source.parse(ROOT, answer)),
        secrets=part("secrets", jwt.parse),
        service=part("service", service.parse),
        postgres=part("postgres", postgres.parse),
        migrations=backend.migrations
        and part("postgres", lambda answer: migrations.parse(answers["migrations"], answer)),
        accounts=part("postgres", lambda answer: accounts.parse(backend, answer)),
    )


def recorded(name: str) -> Answers:
    """Give each part's answer; it is kept as text under `=== name status`, nested ones dotted."""
    answers = {}
    for frame in (RECORDED / f"{name}.txt").read_bytes().split(b"=== ")[1:]:
        head, _, text = frame.partition(b"\n")
        part, status = head.decode().split(" ")
        answers[part] = Answer(text.removesuffix(b"\n"), int(status))
    return answers


def sized(answer: Answer) -> Answer:
    """Give the size that an env file has after its edits to what `stat` said of it."""
    meta, path, text = (*answer.text.split(b"\n", 2), b"", b"")[:3]
    fields = meta.split(b"|")
    if len(fields) == 9:
        fields[6] = str(len(text)).encode()
    return Answer(b"\n".join([b"|".join(fields), path, text]), answer.status)


def _nested(name: str, answers: Answers) -> Answer:
    lines = [answers[name].text.decode()]
    for key, inner in answers.items():
        outer, _, part = key.partition(".")
        if outer == name and part:
            framed = base64.b64encode(inner.text + f"\n#rc={inner.status}".encode())
            lines.append(f"{part}\t{framed.decode()}")
    return Answer("\n".join(lines).encode(), answers[name].status)


def text(part: str, before: str, after: str) -> Edit:
    """Replace a text of a part, which has to be there."""

    def edit(answers: Answers) -> Answers:
        said = answers[part].text.decode()
        assert before in said
        raw = said.replace(before, after).encode("utf-8", "surrogateescape")
        return answers | {part: Answer(raw, answers[part].status)}

    return edit


def env(before: str, after: str) -> Edit:
    """Replace a text of the env file."""
    return text("env_0", before, after)


def everywhere(before: str, after: str) -> Edit:
    """Replace a text of the env file, and in the process that was started on it."""
    changed, process = env(before, after), text("service.environ", before, after)
    return lambda answers: process(changed(answers))


def without(key: str) -> Edit:
    """Take a key out of the env file."""

    def edit(answers: Answers) -> Answers:
        lines = answers["env_0"].text.split(b"\n")
        kept = [line for line in lines if not line.startswith(f"{key}=".encode())]
        assert len(kept) == len(lines) - 1
        return answers | {"env_0": Answer(b"\n".join(kept), 0)}

    return edit


def said(part: str, answer: str, status: int = 0) -> Edit:
    """Let a part answer something else altogether."""
    return lambda answers: answers | {part: Answer(answer.encode(), status)}


def stopped(answers: Answers) -> Answers:
    """Let the service not run: then nothing can be had from its environment."""
    show = answers["service.show"].text.replace(
        b"ActiveState=active\nSubState=running", b"ActiveState=inactive\nSubState=dead", 1
    )
    changed = {"service.show": Answer(show, 0), "service.environ": Answer(b"", 3)}
    return answers | changed


def psql(part: str, *keys: str, **fields: Any) -> Edit:
    """Change fields of one of the JSON rows that psql wrote, or of an object in it."""

    def edit(answers: Answers) -> Answers:
        rows = postgres.rows(answers["postgres"])
        changed = rows[part]
        for key in keys:
            changed = changed[int(key) if key.isdecimal() else key]
        assert fields.keys() <= changed.keys()
        changed.update(fields)
        return answers | {"postgres": _written(rows)}

    return edit


def unwritten(*parts: str) -> Edit:
    """Leave rows of psql out, as where the database could not be entered."""

    def edit(answers: Answers) -> Answers:
        rows = postgres.rows(answers["postgres"])
        return answers | {
            "postgres": _written({name: row for name, row in rows.items() if name not in parts})
        }

    return edit


def said_too(part: str, **fields: Any) -> Edit:
    """Let psql write one more row, as it does where there is something to say."""

    def edit(answers: Answers) -> Answers:
        rows = postgres.rows(answers["postgres"])
        return answers | {"postgres": _written(rows | {part: {"part": part, **fields}})}

    return edit


def _written(rows: dict[str, dict[str, Any]]) -> Answer:
    return Answer("\n".join(map(json.dumps, rows.values())).encode(), 0)


def found(faults: tuple[Fault, ...], seen: Observation, backend: Backend = HALEXT) -> list[Finding]:
    """Give all that a layer's faults find."""
    return [finding for fault in faults for finding in fault.found(backend, seen)]


def changes(
    faults: tuple[Fault, ...], seen: Observation, backend: Backend = HALEXT
) -> list[Change]:
    """Give the changes that mend what the faults find, person's ones aside."""
    return [
        change
        for fault in faults
        for finding in fault.found(backend, seen)
        if fault.fix is not None and not finding.by_person
        for change in fault.fix(backend, seen, finding)
    ]


def carried_out(change: Change) -> Answer:
    """Run a change here, as the private channel runs it on a host."""
    return run(f"(\n{change.script}\n)")
