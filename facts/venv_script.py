"""The script that asks a virtual environment what it is: its shell part, and its Python part."""

from __future__ import annotations

from relogin import shell
from relogin.parts.runtime import Venv

# The head of a script that was made for a venv, as pip, distlib and uv write it; a path that is too
# long for the kernel (127 bytes), or has blanks, goes by way of sh. Groups 2 and 3: the interpreter
# and its arguments.
SHEBANG = (
    r"#!(/bin/sh\n\'\'\'exec\' [\"\']?)?(/[^\"\'\n]*/bin/python[\w.]*)"
    r"((?(1)[\"\']? \"\$0\" \"\$@\"\n\' \'\'\'|[^\n]*))\n"
)
# Runs in the target's Python (3.6 or newer), with the requirements files as its arguments. It reads
# what importlib.metadata reads in half the time: importing that costs more than all the rest, and
# parsing long descriptions more still; of a marker's environment it tells what `platform` would. A
# name that begins with ~ is what an interrupted pip left behind, and is not installed. What its
# judgement leaves in doubt is judged by `packaging` here: names are taken from the requirements as
# they look, versions are compared where they are numbers.
COLLECTOR = r"""
import binascii, json, os, re, sys
def canonical(name): return re.sub(r"[-_.]+", "-", name).lower()
def head(path):
    found = {"Requires-Dist": []}
    try: text = open(path, encoding="utf-8", errors="replace")
    except OSError: return found
    with text:
        for line in text:
            if not line.strip(): break
            name, _, value = line.partition(":")
            if name == "Requires-Dist": found[name].append(value.strip())
            elif name in ("Name", "Version"): found.setdefault(name, value.strip())
    return found
def installed():
    for folder in sys.path:
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            path = os.path.join(folder, name)
            if name.startswith("~"): continue
            if name.endswith(".dist-info"): each = head(os.path.join(path, "METADATA"))
            elif name.endswith(".egg-info"):
                each = head(os.path.join(path, "PKG-INFO") if os.path.isdir(path) else path)
            else: continue
            each["info"] = path
            yield each
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
def record(info):
    try: return open(os.path.join(info, "RECORD"), encoding="utf-8").read().split("\n")
    except OSError: return []
def scripts():
    for each in found:
        for line in record(each["info"]):
            if line.startswith("../") and "/bin/" in line:
                yield line.split(",")[0].strip('"').split("/")[-1]
def read(path, files):
    if os.path.realpath(path) in [os.path.realpath(name) for name, _, _ in files]: return files
    try: raw = open(path, "rb").read()
    except OSError as error: return files.append([path, None, error.strerror]) or files
    asked.update(canonical(name.decode()) for name in re.findall(rb"(?m)^\s*(\w[\w.-]*)", raw))
    extras.update(re.findall(r"[\w.-]+", " ".join(re.findall(r"(?m)^\s*\w[\w.-]*\s*\[([^]\n]*)\]",
        raw.decode("latin-1")))))
    files.append([path, binascii.b2a_base64(raw).decode(), None])
    for more in re.findall(rb"(?m)^\s*(?:-r|--requirement(?=[\s=]))[\s=]*([^\s#]+)", raw):
        if b"://" not in more: read(os.path.join(os.path.dirname(path), os.fsdecode(more)), files)
    return files
def needs(each):
    for line in each["Requires-Dist"]:
        extra = re.search(r"extra\s*==\s*[\"']([^\"']*)", line)
        if not extra or extra.group(1) in extras: yield line, bool(extra)
def needed():
    due, seen = list(asked), set()
    while due:
        name = due.pop()
        if name in seen or name not in first: continue
        seen.add(name)
        due += [canonical(re.match(r"[\w.-]*", line).group()) for line, _ in needs(first[name])]
    return seen if asked else set(first)
def number(text, width):
    return tuple(map(int, text.split("."))) + (0,) * (width - text.count(".") - 1)
def holds(clause, version):
    said = re.match(r"(>=|<=|!=|==|>|<)\s*(\d+(?:\.\d+)*)$", clause.strip())
    if not said or not re.match(r"\d+(\.\d+)*$", version): return False
    width = max(version.count("."), said.group(2).count(".")) + 1
    a, b = number(version, width), number(said.group(2), width)
    return {">=": a >= b, "<=": a <= b, "!=": a != b, "==": a == b, ">": a > b,
        "<": a < b}[said.group(1)]
def doubtful():
    for name in sorted(chain):
        for line, extra in needs(first[name]):
            said = re.match(r"([\w.-]+)\s*(?:\[[^]]*\])?\s*\(?([^;()]*)\)?", line)
            have = said and first.get(canonical(said.group(1)), {}).get("Version")
            clauses = [c for c in said.group(2).split(",") if c.strip()] if said else [""]
            if not extra and (not have or not all(holds(c, have) for c in clauses)):
                yield name, line
def gone(name):
    folder = os.path.dirname(first[name]["info"]); paths = []
    for line in record(first[name]["info"]):
        path = line.split(",")[0].strip('"')
        if path.endswith((".py", ".so")) and path.count("/") < 2 and not path.startswith(".."):
            if not os.path.exists(os.path.join(folder, path)): paths.append(path)
    return paths[:3]
def modules():
    for folder in sys.path:
        for name in os.listdir(folder) if folder.endswith("-packages") else ():
            name = name.split(".")[0] if name.endswith((".py", ".so")) else name
            if re.match(r"[A-Za-z]\w*$", name) and canonical(name) not in first: yield name
v, system = sys.version.split()[0], os.uname()
named = {"cpython": "CPython", "pypy": "PyPy"}
own = [path for path in sys.path if path.startswith(sys.prefix + os.sep)]
asked, extras, first = set(), set(), {}
files = [[path, read(path, [])] for path in sys.argv[1:]]
found = list(installed())
for each in found:
    if "Name" in each and "Version" in each: first.setdefault(canonical(each["Name"]), each)
chain = needed()
lost = [(name, gone(name)) for name in sorted(asked & set(first))]
print(json.dumps({
    "environment": {
        "implementation_name": sys.implementation.name, "implementation_version": v,
        "os_name": os.name, "platform_machine": system.machine,
        "platform_python_implementation": named.get(sys.implementation.name, ""),
        "platform_release": system.release, "platform_system": system.sysname,
        "platform_version": system.version, "python_full_version": v,
        "python_version": ".".join(v.split(".")[:2]), "sys_platform": sys.platform},
    "site_packages": own[:1],
    "changed": max([os.stat(first[name]["info"]).st_ctime for name in chain] or [0]),
    "pip": any(finder.find_spec("pip", None) for finder in sys.meta_path
        if hasattr(finder, "find_spec")),
    "strays": strays(),
    "installed": [[each.get("Name"), each.get("Version")] for each in found],
    "doubtful": list(doubtful()),
    "gone": {name: paths for name, paths in lost if paths},
    "modules": sorted(set(modules())),
    "files": files}))
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


def script(part: Venv) -> str:
    """Give the part of the look that asks a venv what it is and what is in it."""
    return _SCRIPT.format(
        path=shell.quote(part.path),
        collector=shell.quote(COLLECTOR),
        files=shell.words(part.requirements),
        python=shell.quote(part.python),
        which=shell.quote(_WHICH),
    )
