"""What we write of a systemd unit: a drop-in that sets what is declared, or the unit itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import shell, undo, unit_text
from relogin.facts.unit_files import OURS
from relogin.operations.service_control import RELOAD

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.parts.runtime import Systemd

_FOLDER = "/etc/systemd/system"
_WRITTEN = "# Written by relogin: what the backend's description declares."
_PLACE = """\
target={target}; folder=${{target%/*}}
for f in {needed}; do
  [ -e "$f" ] || {{ echo "$f does not exist: no start would find it"; exit 1; }}
done
for user in {user}; do
  id -u "$user" >/dev/null 2>&1 || {{ echo "there is no user $user on the host"; exit 1; }}
done
[ -d "$folder" ] || {{ keep "$folder"; mkdir -p -m 755 "$folder"; }}
beside "$target"
{text}
keep "$target"; becomes "$new"
chmod 644 "$new"; sync "$new" 2>/dev/null || sync
mv -f "$new" "$target"
{reload}
"""


def path_of_drop_in(part: Systemd) -> str:
    """Give where our drop-in of a unit is: after all others by its name."""
    return f"{_FOLDER}/{part.full_name}.d/{OURS}"


def path_of_unit(part: Systemd) -> str:
    """Give where we write a unit that is missing."""
    return f"{_FOLDER}/{part.full_name}"


def drop_in(part: Systemd) -> str:
    """Give the drop-in's text: an empty value takes back those before it."""
    lines = [_WRITTEN, "[Service]", *_folder_and_user(part)]
    if part.environment_files:
        lines += ["EnvironmentFile=", *_environment_files(part)]
    if part.exec_start is not None:
        lines += ["ExecStart=", f"ExecStart={part.exec_start}"]
    return "\n".join([*lines, ""])


def unit(part: Systemd, description: str, after: str, *, hardened: bool = False) -> str:
    """Give the text of the unit itself, which starts after these others."""
    lines = [_WRITTEN, "[Unit]", f"Description={description}", f"After={after}", "", "[Service]"]
    lines += [*_folder_and_user(part), *_environment_files(part), f"ExecStart={part.exec_start}"]
    lines += ["Restart=on-failure", "RestartSec=2", *(_hardening(part) if hardened else ())]
    lines += ["", "[Install]", "WantedBy=multi-user.target"]
    return "\n".join([*lines, ""])


# systemd.exec(5), "Sandboxing": nothing of it keeps a web backend from its database, its files or
# its port above 1023. Where it lives in a home, homes are not hidden from it.
_SANDBOX = (
    *unit_text.NO_KERNEL,
    *unit_text.NO_OTHERS,
    "CapabilityBoundingSet=",
    *unit_text.FEW_CALLS,
    "ProtectSystem=full",
    "RemoveIPC=yes",
)
_HOMES = ("/home/", "/root/", "/run/user/")


def _hardening(part: Systemd) -> Iterator[str]:
    yield from _SANDBOX
    places = [part.working_directory, *part.environment_files, part.exec_start]
    if not any(home in (place or "") for home in _HOMES for place in places):
        yield "ProtectHome=yes"


def _folder_and_user(part: Systemd) -> Iterator[str]:
    if part.working_directory is not None:
        yield f"WorkingDirectory={_escaped(part.working_directory)}"
    if part.user is not None:
        yield f"User={part.user}"


def _environment_files(part: Systemd) -> Iterator[str]:
    return (f"EnvironmentFile={_pattern(path)}" for path in part.environment_files)


def _escaped(path: str) -> str:
    """Write a path as a unit file has it: `%` doubled (systemd.unit(5), "Specifiers").

    What ends in a blank or a backslash gets `/.` behind it: the one is taken off a line, the other
    joins it to the next.
    """
    return path.replace("%", "%%") + ("/." if path.endswith((" ", "\t", "\\")) else "")


def _pattern(path: str) -> str:
    """Write a path as EnvironmentFile= has it: a pattern, of which nothing is wild."""
    literal = re.sub(r"[\\*?[]", r"\\\g<0>", path).replace("%", "%%")
    return re.sub(r"[ \t]$", r"[\g<0>]", literal)


def drop_in_written(backend: Backend, part: Systemd) -> str:
    """Give the script that writes the drop-in, and has systemd read it."""
    return _placed(backend, part, path_of_drop_in(part), drop_in(part))


def unit_written(backend: Backend, part: Systemd) -> str:
    """Give the script that writes the unit itself, and has systemd read it."""
    after = "network.target" + (" postgresql.service" if backend.database else "")
    text = unit(part, backend.name, after, hardened=backend.onboard is not None)
    return _placed(backend, part, path_of_unit(part), text)


def _placed(backend: Backend, part: Systemd, target: str, text: str) -> str:
    program = (part.exec_start or "").lstrip("@-:+!").partition(" ")[0]
    needed = [part.working_directory, *part.environment_files, program]
    return undo.store(backend) + _PLACE.format(
        target=shell.quote(target),
        needed=shell.words(each for each in needed if each and each.startswith("/")),
        user=shell.words([part.user] if part.user else []),
        text=shell.fed(text, 'cat >"$new"'),
        reload=RELOAD,
    )
