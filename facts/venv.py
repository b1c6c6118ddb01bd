"""The virtual environment: its interpreter, its distributions, what its requirements ask for."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import requirements, shell
from relogin.facts import alone, file
from relogin.finding import Unreadable
from relogin.parts.runtime import Venv
from relogin.requirements import NotJudged, Requirement
from relogin.secret import redact_foreign

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.remote import Answer

# Runs in the target's Python (3.6 or newer), with the requirements files as its arguments. It reads
# what importlib.metadata reads in half the time: importing that costs more than all the rest, and
# parsing long descriptions more still. A name that begins with ~ is what an interrupted pip left
# behind, and is not installed.
_COLLECTOR = r"""
import binascii, importlib.util, json, os, platform, re, sys
def head(path):
    found = {}
    try: text = open(path, encoding="utf-8", errors="replace")
    except OSError: return found
    with text:
        for line in text:
            if not line.strip(): break
            name, _, value = line.partition(":")
            if name in ("Name", "Version"): found.setdefault(name, value.strip())
    return found
def installed():
    for folder in sys.path:
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            path = os.path.join(folder, name)
            if name.startswith("~"): continue
            if name.endswith(".dist-info"): yield head(os.path.join(path, "METADATA"))
            elif name.endswith(".egg-info"):
                yield head(os.path.join(path, "PKG-INFO") if os.path.isdir(path) else path)
def read(path, files):
    if os.path.realpath(path) in [os.path.realpath(name) for name, _, _ in files]: return files
    try: raw = open(path, "rb").read()
    except OSError as error: return files.append([path, None, error.strerror]) or files
    files.append([path, binascii.b2a_base64(raw).decode(), None])
    for more in re.findall(rb"(?m)^\s*(?:-r|--requirement(?=[\s=]))[\s=]*([^\s#]+)", raw):
        if b"://" not in more: read(os.path.join(os.path.dirname(path), os.fsdecode(more)), files)
    return files
v = platform.python_version()
own = [path for path in sys.path if path.startswith(sys.prefix + os.sep)]
print(json.dumps({
    "environment": {
        "implementation_name": sys.implementation.name, "implementation_version": v,
        "os_name": os.name, "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(), "platform_system": platform.system(),
        "platform_version": platform.version(), "python_full_version": v,
        "python_version": ".".join(v.split(".")[:2]), "sys_platform": sys.platform},
    "site_packages": own[:1], "changed": max([os.stat(path).st_ctime for path in own] or [0]),
    "pip": importlib.util.find_spec("pip") is not None,
    "installed": [[each.get("Name"), each.get("Version")] for each in installed()],
    "files": [[path, read(path, [])] for path in sys.argv[1:]]}))
"""
# The venv's Python runs what lies in its site-packages (.pth files) at every start, so it is never
# started as root where somebody else owns it.
_SCRIPT = """\
venv={path}
printf '%s\\n' "$venv"; meta "$venv"; meta "$venv/pyvenv.cfg"; meta "$venv/bin/python"
made=$(sed -n '/^version\\(_info\\)\\{{0,1\\}} *= */{{s///p;q;}}' "$venv/pyvenv.cfg" 2>/dev/null)
printf '%s\\n' "$made"
[ -x "$venv/bin/python" ] || return 0
limit=env; if command -v timeout >/dev/null; then limit='timeout 15'; fi
owner=$me; [ "$uid" != 0 ] || owner=$(stat -Lc %U "$venv")
as_user "$owner" $limit "$venv/bin/python" -I -B -c {collector} {files}"""


@dataclass(frozen=True)
class RequirementsFile:
    """A declared requirements file, with all that it includes by `-r`.

    `unreadable` says why it (or a file that it includes) could not be read, or is empty.
    """

    path: str
    requirements: tuple[Requirement, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True)
class VenvState:
    """A virtual environment whose interpreter works.

    `distributions` maps canonical names to versions, the one that is imported first.
    `environment` has all marker keys of PEP 508 but `extra`. `changed` is the change time of
    site-packages in epoch seconds: when something was last installed.
    """

    path: str
    owner: str
    python: str
    environment: Mapping[str, str]
    distributions: Mapping[str, tuple[str, ...]]
    requirements: tuple[RequirementsFile, ...]
    site_packages: str
    changed: float
    pip: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def script(part: Venv) -> str:
    """Give the part of the look that asks a venv what it is and what is in it."""
    return _SCRIPT.format(
        path=shell.quote(part.path),
        collector=shell.quote(_COLLECTOR),
        files=shell.words(part.requirements),
    )


def parse(answer: Answer) -> VenvState | Unreadable:
    """Take the part's answer apart; a venv that is not there or does not work is Unreadable."""
    path, folder, configuration, python, made, *rest = [*answer.lines, *[""] * 5]
    owner = file.parse(folder)
    if not isinstance(owner, file.FileMeta):
        return owner or Unreadable(f"{path} is not there")
    if not isinstance(file.parse(configuration), file.FileMeta):
        return Unreadable(f"{path} is no virtual environment that we can read: no pyvenv.cfg")
    if python in {"none", "dangling"}:
        return Unreadable(f"{path}/bin/python is gone, or a link to a Python that is gone")
    said = [line for line in rest if line]
    if not said or not said[-1].startswith("{"):
        last = ": ".join([f"{path}/bin/python does not run", *said[-1:]])
        return Unreadable(redact_foreign(last))
    return _state(path, owner.owner, made, json.loads(said[-1]))


def _state(path: str, owner: str, made: str, seen: Mapping[str, Any]) -> VenvState | Unreadable:
    python = seen["environment"]["python_full_version"]
    if made and made.split(".")[:2] != python.split(".")[:2]:
        return Unreadable(f"{path} was made for Python {made}, and its interpreter is {python} now")
    if not seen["site_packages"]:
        return Unreadable(f"{path}/bin/python has no site-packages of its own")
    return VenvState(
        path=path,
        owner=owner,
        python=python,
        environment=seen["environment"],
        distributions=_distributions(seen["installed"]),
        requirements=tuple(_file(path, files) for path, files in seen["files"]),
        site_packages=seen["site_packages"][0],
        changed=seen["changed"],
        pip=seen["pip"],
    )


def _distributions(
    installed: Iterable[tuple[str | None, str | None]],
) -> dict[str, tuple[str, ...]]:
    from packaging.utils import canonicalize_name

    found: dict[str, tuple[str, ...]] = {}
    for name, version in installed:
        if name and version:
            key = canonicalize_name(name)
            found[key] = (*found.get(key, ()), version)
    return found


def _file(path: str, files: Iterable[tuple[str, str | None, str | None]]) -> RequirementsFile:
    lines: list[Requirement | NotJudged] = []
    for name, text, problem in files:
        if text is None:
            return RequirementsFile(path, unreadable=f"{name}: {problem}")
        try:
            lines += requirements.parse(name, binascii.a2b_base64(text))
        except (UnicodeDecodeError, LookupError) as error:
            return RequirementsFile(path, unreadable=f"{name} cannot be decoded: {error}")
    return RequirementsFile(
        path,
        requirements=tuple(line for line in lines if isinstance(line, Requirement)),
        not_judged=tuple(line for line in lines if isinstance(line, NotJudged)),
    )


class Distributions(FactBase[Any]):
    """Give a virtual environment's interpreter and distributions.

    + path: the virtual environment
    """

    def command(self, path: str) -> StringCommand:
        return alone.command({"venv": script(Venv(path))})

    def process(self, output: Iterable[str]) -> VenvState | Unreadable:
        return alone.parsed(output, "venv", parse)
