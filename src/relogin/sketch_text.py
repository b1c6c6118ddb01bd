"""The text of a first description: a file of group data for a person to read, without a secret.

Above a guess that may be wrong there is a comment that begins with `# ?`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from relogin import sketch
from relogin.redaction import redact_foreign
from relogin.sketch_proof import MARK, call, login, token

if TYPE_CHECKING:
    from relogin.sketch import Sketch

_HEAD = '''\
"""{title}, as `relogin init` found it on {host} ({day}).

Read it, and decide where a comment begins with `# ?`: it is about the line below. No secret is in
here, only where each comes from. Then:

    relogin check INVENTORY
    relogin diagnose INVENTORY
"""

from relogin import (
{imports}
)

_root = {root}
# ? an account that you may log in with; {password} has its password
_account = {account}

{variable} = Backend(
    {name},
{body})
'''
_NAMES = (
    *("Account", "Accounts", "Alembic", "Backend", "Columns", "Compose", "Cookie", "Csrf"),
    *("DatabaseUrl", "Django", "EnvFile", "FromEnv", "FromParts", "Jwt", "KeyFile", "Login"),
    *("Postgres", "Secret", "Supervisor", "Systemd", "Uuid", "Venv"),
)


def text(made: Sketch, host: str, day: str) -> str:
    """Give the file; `day` is when it was seen."""
    body = "".join(f"    {line}\n" for whole in _body(made) for line in _marked(whole))
    used = [name for name in _NAMES if re.search(rf"\b{name}[(.]", body) or name == "Backend"]
    return _HEAD.format(
        title=made.name,
        name=json.dumps(made.name),
        host=host,
        day=day,
        imports="\n".join(f"    {name}," for name in used),
        account=json.dumps(made.table.first if made.table and made.table.first else "ops"),
        password=f"{made.variable.upper()}_PASSWORD",
        root=json.dumps(made.service.directory or "/"),
        variable=made.variable,
        body=body,
    )


def _marked(line: str) -> Iterator[str]:
    """Put a line's mark above it, and its texts in double quotes."""
    code, mark, why = line.partition(MARK)
    indent = code[: len(code) - len(code.lstrip())]
    if mark:
        yield f"{indent}# ? {why}"
    if code.strip():
        plain = code.lstrip().startswith("#")
        yield code if plain else re.sub(r"'([^'\"\\]*)'", r'"\1"', code)


def _body(made: Sketch) -> Iterator[str]:
    yield from _service(made)
    yield from _venv(made)
    yield from _env_files(made)
    yield from _database(made)
    yield from _accounts(made)
    yield from login(made)
    yield from token(made)


def _service(made: Sketch) -> Iterator[str]:
    service = made.service
    if service.kind == "container":
        yield from call("service=Compose", _compose(made))
    elif service.kind == "program":
        yield from call("service=Supervisor", [f"{service.name!r},", "working_directory=_root,"])
    else:
        lines = [f"{service.name.removesuffix('.service')!r},", "working_directory=_root,"]
        if service.env_files:
            files = ", ".join(_path(made, one) for one in service.env_files)
            lines.append(f"environment_files=[{files}],")
        lines += [f"user={service.user!r},"] if service.user else []
        if redact_foreign(service.start) == service.start:
            lines.append(f"exec_start={_path(made, service.start)},")
        else:
            lines.append("# exec_start= is left out: an argument of it may be a secret")
        yield from call("service=Systemd", lines)


def _compose(made: Sketch) -> Iterator[str]:
    service, beside = made.service, made.database_service
    yield "_root,"
    yield f"service={service.name!r},"
    files = [_relative(made, one) for one in service.files]
    if files and files != ["docker-compose.yml"]:
        yield f"files={files!r},".replace("'", '"')
    given = [_relative(made, one) for one in service.given]
    if given and given != [".env"]:
        yield f"env_files={given!r},".replace("'", '"')
    if service.project != PurePosixPath(service.directory).name:
        yield f"project={service.project!r},"
    if beside is not None:
        yield f"database_service={beside.name!r},"
        start = f"{service.project}_"
        own = [one.removeprefix(start) for one in beside.volumes if one.startswith(start)]
        if own:
            yield f"volumes={own!r},".replace("'", '"')


def _relative(made: Sketch, path: str) -> str:
    return path.removeprefix(f"{made.service.directory.rstrip('/')}/")


def _path(made: Sketch, path: str) -> str:
    root = made.service.directory.rstrip("/")
    inside = root and path.startswith(f"{root}/")
    return f'f"{{_root}}{path[len(root) :]}"' if inside else repr(path)


def _venv(made: Sketch) -> Iterator[str]:
    if not made.venv or made.service.kind == "container":
        return
    venv = _path(made, made.venv)
    if made.folder and "requirements.txt" in made.folder.has:
        requirements = _path(made, f"{made.service.directory}/requirements.txt")
        yield f"venv=Venv({venv}, requirements={requirements}),"
    else:
        yield f"venv=Venv({venv}),{MARK}requirements=, the file that it was made from"


def _env_files(made: Sketch) -> Iterator[str]:
    if not made.env_files:
        return
    yield "env_file=["
    for number, file in enumerate(made.env_files):
        keys = _keys(made, file.keys)
        lines = [f"{_path(made, file.path)},", *_readers(made, file.path)]
        if file.owner != "root":
            lines.append(f"owner={file.owner!r},")
        lines += ["keys={", *(f"    {line}" for line in keys), "},"] if keys else []
        yield from (f"    {line}" for line in call("EnvFile", lines))
        others = sorted(set(file.keys) - {line.split('"')[1] for line in keys if '"' in line})
        if others and number == 0:
            yield f"    # left alone: {', '.join(others)}"
    yield "],"


def _readers(made: Sketch, path: str) -> Iterator[str]:
    by_unit = path in made.service.env_files
    code = made.folder.code if made.folder else {}
    by_code = any(word in code for word in ("load_dotenv", "BaseSettings"))
    if made.service.kind == "container":
        yield 'readers="compose",'
    elif by_unit and not by_code:
        yield 'readers="systemd",'
    elif by_code and not by_unit:
        yield 'readers="python-dotenv",'
    elif not (by_code or by_unit):
        yield f'readers="python-dotenv",{MARK}who reads it: the code, or a start script (sh)'


def _keys(made: Sketch, keys: Mapping[str, tuple[str, str]]) -> list[str]:
    """Give the lines for the keys that the login depends on."""
    lines = []
    url, parts = made.url_key(), made.parts()
    for key, (_, told) in keys.items():
        if key == url:
            lines.append(f'"{key}": {_url(told)},')
        elif not url and key == parts.get("password"):
            lines.append(f'"{key}": Secret.generated(),')
        elif not url and key in parts.values():
            lines.append(f'"{key}": {told!r},')
        elif key == made.secret:
            lines.append(f'"{key}": Secret.generated(),  # made only where it is nowhere')
        elif key == made.code:
            lines.append(f'"{key}": Secret.env("{made.variable.upper()}_{key}"),')
    return lines


def _url(told: str) -> str:
    """Give the declaration of a URL that is told as its driver, user, and host and database."""
    driver, user, rest = [*told.split(" "), "", ""][:3]
    place, _, database = rest.partition("/")
    host, _, port = place.partition(":")
    words = [f"user={user!r}", f"database={database!r}"]
    words += [f"host={host!r}"] if host not in {"127.0.0.1", "localhost", ""} else []
    words += [f"port={port}"] if port not in {"", "5432"} else []
    words += [f"driver={driver!r}"] if driver != "postgresql" else []
    return f"DatabaseUrl({', '.join(words)})"


def _database(made: Sketch) -> Iterator[str]:
    table = made.table
    schema = f", schema={table.schema!r}" if table and table.schema != "public" else ""
    if key := made.url_key():
        yield f'database=Postgres(url=FromEnv("{key}"){schema}),'
    elif {"user", "password", "database"} <= made.parts().keys():
        words = ", ".join(f"{part}={key!r}" for part, key in made.parts().items())
        if made.database_service is not None and "host" not in made.parts():
            words += f", default_host={made.database_service.name!r}"
        yield f"database=Postgres(url=FromParts({words}){schema}),"
    has = made.folder.has if made.folder else ()
    python = made.venv.removeprefix(f"{made.service.directory.rstrip('/')}/")
    inside = made.service.inside
    if inside is not None and has:
        command = "alembic upgrade head" if "alembic.ini" in has else "python manage.py migrate"
        kind = "Alembic" if "alembic.ini" in has else "Django"
        yield f'migrations={kind}("{inside.path}", command="{command}"),'
    elif "alembic.ini" in has:
        yield f'migrations=Alembic(_root, command="{python}/bin/alembic upgrade head"),'
    elif "manage.py" in has:
        yield f'migrations=Django(_root, command="{python}/bin/python manage.py migrate"),'


def _accounts(made: Sketch) -> Iterator[str]:
    table = made.table
    lines = []
    if table is not None:
        lines += [f"table={table.name!r},"] if table.name != "users" else []
        if fields := sketch.columns(table):
            lines.append(f"columns=Columns({', '.join(f'{k}={v!r}' for k, v in fields.items())}),")
        if needed := dict(sketch.required(table)):
            values = ", ".join(f"{name!r}: {_value(kind)}" for name, kind in needed.items())
            lines.append(f"values={{{values}}},{MARK}what a new row has to have")
        if len(table.schemes) == 1:
            lines.append(f"scheme={table.schemes[0]!r},")
        elif table.schemes:
            lines.append(f"# its hashes are of several schemes: {', '.join(table.schemes)}")
    name = f"{made.variable.upper()}_PASSWORD"
    lines.append(f'present=[Account(_account, password=Secret.env("{name}"))],')
    yield from call("accounts=Accounts", lines)


def _value(kind: str) -> str:
    for start, value in _VALUES.items():
        if kind.startswith(start):
            return value
    return '""'


_VALUES = {
    **{"uuid": "Uuid()", "timestamp": '"now"', "date": '"now"', "boolean": "False"},
    **{"integer": "0", "bigint": "0", "smallint": "0", "numeric": "0", "json": '"{}"'},
}
