"""Changes of what is installed in a virtual environment: the former distributions, whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from relogin import shell
from relogin.undo.store import store

if TYPE_CHECKING:
    from relogin.backend import Backend

# Runs in the venv's own Python (3.6 or newer), as its owner. A distribution is what its RECORD
# lists (packaging.python.org, "Recording installed projects") and its byte code; whatever lies
# outside of the venv is left alone. More than a gigabyte of them is not kept. Two are the same
# whose files are: what is installed anew in the same version may have been changed by hand (a file
# of 16 MiB or more is told by its size).
PROGRAM = r"""
import csv, glob, hashlib, json, os, re, sys, tarfile
mode, names = sys.argv[1], set(sys.argv[3:])
inside = sys.prefix + os.sep
own = [path for path in sys.path if path.startswith(inside) and os.path.isdir(path)]
def canonical(name): return re.sub(r"[-_.]+", "-", name).lower()
def read(path):
    try:
        with open(path, "rb") as file: return file.read()
    except OSError: return b""
def found():
    for folder in own:
        for entry in sorted(os.listdir(folder)):
            info = os.path.join(folder, entry)
            if entry.startswith("~") or not entry.endswith((".dist-info", ".egg-info")): continue
            text = read(info + "/METADATA") or read(info + "/PKG-INFO") or read(info)
            text = re.split(r"\r?\n\r?\n", text.decode("utf-8", "replace"))[0]
            head = dict(re.findall(r"(?m)^(Name|Version): *(\S+)", text))
            if "Name" in head:
                yield canonical(head["Name"]), head.get("Version", "?"), folder, info
def files(folder, info):
    record = read(info + "/RECORD").decode("utf-8", "replace").splitlines()
    paths = {os.path.normpath(os.path.join(folder, row[0])) for row in csv.reader(record) if row}
    paths |= {os.path.join(top, name) for top, _, some in os.walk(info) for name in some}
    for path in list(paths):
        if path.endswith(".py"):
            place, name = os.path.split(path[:-3])
            paths |= set(glob.glob(glob.escape(place + "/__pycache__/" + name) + ".*.pyc"))
    return {path for path in paths if path.startswith(inside) and os.path.lexists(path)}
def content(folder, info):
    known = hashlib.sha256(read(info + "/RECORD"))
    for path in sorted(files(folder, info)):
        if not path.endswith(".pyc"):
            size = os.lstat(path).st_size
            known.update(os.fsencode(path) + b"%d" % size + (read(path) if size < 1 << 24 else b""))
    return known.hexdigest()
def folders(paths):
    above = set()
    for path in paths:
        path = os.path.dirname(path)
        while any(path.startswith(each + os.sep) for each in own):
            above.add(path); path = os.path.dirname(path)
    return sorted(above)
if mode == "list":
    for name, version, folder, info in found():
        print(name, version, content(folder, info), info)
elif mode == "risk":
    due = {canonical(each["metadata"]["name"]) for each in json.load(sys.stdin)["install"]}
    left = 1 << 30
    for name, _, folder, info in found():
        size = sum(os.lstat(path).st_size for path in files(folder, info))
        if name in due and read(info + "/RECORD") and size <= left:
            left -= size; print(name)
else:
    paths = set()
    for name, _, folder, info in list(found()):
        if name in names: paths |= files(folder, info)
    if mode == "tar":
        with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
            for path in folders(paths) + sorted(paths):
                archive.add(path, os.path.relpath(path, sys.prefix), recursive=False)
    else:
        for path in paths: os.remove(path)
        for path in reversed(folders(paths)):
            try: os.rmdir(path)
            except OSError: pass
        trusted = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
        if sys.stdin.buffer.peek(1):
            with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
                for member in archive: archive.extract(member, sys.prefix, **trusted)
"""

# What pip is about to replace it says itself, since 22.2; where it cannot, what is known to be
# wrong is kept, and whatever else it replaces is noted as lost.
_KEPT = """\
keep distributions {venv} {what}
{first}if python -c {can_report}; then
  said=$(install --dry-run --report - 2>&1 >"$v/report") || tell "$?"
  python_of risk "$path" <"$v/report" >"$v/risk"
else
  printf '%s\\n' {wrong} >"$v/wrong"; only "$v/wrong" <"$v/list" | cut -d ' ' -f 1 >"$v/risk"
fi
{removed}[ ! -s "$v/risk" ] || python_of tar "$path" $(cat "$v/risk") </dev/null >"$v/former"
"""


_CAN_REPORT = (
    "import pip, sys; sys.exit([int(n) for n in pip.__version__.split('.')[:2]] < [22, 2])"
)


def distributions_kept(
    backend: Backend, venv: str, *, first: str, wrong: Iterable[str], removed: Iterable[str] = ()
) -> str:
    """Give the shell lines that keep what `install` (pip install …) is about to replace.

    `python` runs the venv's interpreter, `tell` ends with a status and what was said. `first` is
    done once the venv is noted as it is. `wrong` are the distributions, by their canonical names,
    that are known to be replaced, `removed` those that are uninstalled besides.
    """
    too = shell.words(removed)
    return f"{store(backend)}program={shell.quote(PROGRAM)}\n" + _KEPT.format(
        venv=shell.quote(venv),
        what=shell.quote(f"distributions in {venv}"),
        first=first,
        can_report=shell.quote(_CAN_REPORT),
        wrong=shell.words(wrong) or "''",
        removed=f"printf '%s\\n' {too} >>\"$v/risk\"\n" if too else "",
    )
