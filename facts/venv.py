"""The virtual environment: its interpreter, its distributions, what its requirements ask for."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
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

# The head of a script that was made for a venv, as pip, distlib and uv write it; a path that is too
# long for the kernel (127 bytes), or has blanks, goes by way of sh. Groups 2 and 3: the interpreter
# and its arguments.
SHEBANG = (
    r"#!(/bin/sh\n\'\'\'exec\' [\"\']?)?(/[^\"\'\n]*/bin/python[\w.]*)"
    r"((?(1)[\"\']? \"\$0\" \"\$@\"\n\' \'\'\'|[^\n]*))\n"
)
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
def strays():
    own = os.path.join(sys.prefix, "bin"); found = {}
    for name in sorted(os.listdir(own)):
        path = os.path.join(own, name)
        if os.path.islink(path) or not os.path.isfile(path): continue
        with open(path, "rb") as script: shebang = re.match(rb"@SHEBANG@", script.read(4096))
        if not shebang: continue
        python = os.fsdecode(shebang.group(2)); folder = os.path.dirname(python)
        if os.path.realpath(folder) == os.path.realpath(own): continue
        if folder in ("/bin", "/usr/bin", "/usr/local/bin"): continue
        of_a_venv = os.path.exists(os.path.join(os.path.dirname(folder), "pyvenv.cfg"))
        if of_a_venv or not os.path.exists(python): found[name] = python
    ours = set(scripts()) if found else ()
    return {name: python for name, python in found.items() if name in ours}
def scripts():
    for folder in sys.path:
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            try: record = open(os.path.join(folder, name, "RECORD"), encoding="utf-8")
            except OSError: continue
            with record:
                for line in record:
                    if line.startswith("../") and "/bin/" in line:
                        yield line.split(",")[0].strip('"').split("/")[-1]
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
    "strays": strays(),
    "installed": [[each.get("Name"), each.get("Version")] for each in installed()],
    "files": [[path, read(path, [])] for path in sys.argv[1:]]}))
""".replace("@SHEBANG@", SHEBANG)
# The venv's Python runs what lies in its site-packages (.pth files) at every start, so it is never
# started as root where somebody else owns it. Only of one that does not run is more asked: where
# another interpreter of its minor version is, which its packages would work with.
_SCRIPT = """\
venv={path}
printf '%s\\n' "$venv"; meta "$venv"; meta "$venv/pyvenv.cfg"; meta "$venv/bin/python"
made=$(sed -n '/^version\\(_info\\)\\{{0,1\\}} *= */{{s///p;q;}}' "$venv/pyvenv.cfg" 2>/dev/null)
printf '%s\\n' "$made"
limit=env; if command -v timeout >/dev/null; then limit='timeout 15'; fi
owner=$me; [ "$uid" != 0 ] || owner=$(stat -Lc %U "$venv" 2>/dev/null)
status=127; [ ! -e "$venv/bin/python" ] || status=126
if [ -x "$venv/bin/python" ]; then
  as_user "$owner" $limit "$venv/bin/python" -I -B -c {collector} {files}; status=$?
fi
[ "$status" != 0 ] || return 0
{{
  printf '\\n#broken\\n%s\\n%s\\n' "$status" "$uid"
  meta "${{venv%/*}}/"; owner=${{owner:-$(stat -Lc %U "${{venv%/*}}/")}}
  readlink -f "$venv/bin/python" || readlink "$venv/bin/python" || echo
  minor=$(printf '%s' "$made" | cut -d . -f 1,2)
  home=$(sed -n '/^home *= */{{s///p;q;}}' "$venv/pyvenv.cfg")
  for python in "$home/python$minor" "python$minor" {python}; do
    [ -n "$minor" ] && python=$(command -v "$python") || continue
    is=$(as_user "$owner" $limit "$python" -I -c {which})
    if [ "$is" = "$minor" ]; then printf '%s\\n' "$python"; break; fi
  done
}} 2>/dev/null"""
_WHICH = "import sys, venv; print('%d.%d' % sys.version_info[:2])"


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
    site-packages in epoch seconds: when something was last installed. `strays` are its scripts
    whose first line names the interpreter of another place, with that one: it was moved.
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
    strays: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class BrokenVenv:
    """What is where a virtual environment should be, and cannot work.

    `there` tells whether there is a folder, `is_venv` whether it has a pyvenv.cfg. `made` is the
    version of Python that it was made with, `python` the one that it runs ("": none), `link` where
    its bin/python leads, `same` an interpreter of the minor version that it was made with. `owner`
    is its owner, or, where nothing is, that of the folder that it belongs in ("": not there).
    """

    path: str
    there: bool
    is_venv: bool
    owner: str
    made: str = ""
    python: str = ""
    link: str = ""
    same: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def script(part: Venv) -> str:
    """Give the part of the look that asks a venv what it is and what is in it."""
    return _SCRIPT.format(
        path=shell.quote(part.path),
        collector=shell.quote(_COLLECTOR),
        files=shell.words(part.requirements),
        python=shell.quote(part.python),
        which=shell.quote(_WHICH),
    )


def parse(answer: Answer) -> VenvState | BrokenVenv | Unreadable:
    """Take the part's answer apart; what does not run for another reason is Unreadable."""
    lines = answer.lines
    end = lines.index("#broken") if "#broken" in lines else len(lines)
    path, folder, configuration, python, made, *rest = [*lines[:end], *[""] * 5]
    status, uid, parent, link, same, *_ = [*lines[end + 1 :], *[""] * 5]
    there = file.parse(folder)
    if end == len(lines) and not any(rest):
        return Unreadable("its answer broke off")
    if isinstance(there, Unreadable):
        return there
    if there is None:
        owner = file.parse(parent)
        return BrokenVenv(path, False, False, getattr(owner, "owner", ""))
    if not isinstance(file.parse(configuration), file.FileMeta):
        return BrokenVenv(path, True, False, there.owner)
    said = [line for line in rest if line]
    if status in {"", "0"} and said:
        return _state(path, there.owner, made, json.loads(said[-1]))
    hidden = python == "dangling" and uid not in {"0", str(there.uid)}
    if not hidden and _gone(status, said):
        return BrokenVenv(path, True, True, there.owner, made, "", link, same)
    last = ": ".join([f"{path}/bin/python does not run", *said[-1:]])
    return Unreadable(redact_foreign(last))


def _gone(status: str, said: list[str]) -> bool:
    """Tell whether an interpreter, a library of it, or all of its standard library is missing."""
    return status == "127" or any("No module named 'encodings'" in line for line in said)


def _state(
    path: str, owner: str, made: str, seen: Mapping[str, Any]
) -> VenvState | BrokenVenv | Unreadable:
    python = seen["environment"]["python_full_version"]
    if made and made.split(".")[:2] != python.split(".")[:2]:
        return BrokenVenv(path, True, True, owner, made, python)
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
        strays=seen["strays"],
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

    def process(self, output: Iterable[str]) -> VenvState | BrokenVenv | Unreadable:
        return alone.parsed(output, "venv", parse)
