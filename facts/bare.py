"""What a host has of what a backend needs: whose it is, its distribution, room, packages, code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import shell
from relogin.facts import alone, key_files, postgres
from relogin.finding import Unreadable, legible
from relogin.parts.database import AdminUrl, Peer
from relogin.parts.runtime import Compose, Systemd
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.remote import Answer

_LOCAL = {"", "127.0.0.1", "::1", "localhost"}
# `say KEY VALUE`: one line each. Whether sudo asked is what its own list says (sudo(8), -l).
_SCRIPT = """\
say() {{ printf '%s\\t%s\\n' "$1" "$2"; }}
say uid "$uid"; say user "${{SUDO_USER:-$me}}"; say arch "$(uname -m)"
[ -z "${{SUDO_USER:-}}" ] || [ "$uid" != 0 ] ||
  sudo -n -l -U "$SUDO_USER" 2>/dev/null | grep -q NOPASSWD || say asks yes
( . /etc/os-release && printf 'id\\t%s\\nlike\\t%s\\nos\\t%s\\n' \\
  "$ID" "${{ID_LIKE:-}}" "${{PRETTY_NAME:-$ID}}" )
[ ! -d /run/systemd/system ] || say systemd yes
command -v apt-get >/dev/null && say apt yes
[ -z "$(dpkg --audit 2>/dev/null)" ] || say half yes
for place in {places}; do
  while [ ! -e "$place" ] && [ -n "$place" ]; do place=${{place%/*}}; done
  say room "$(df -Pk "${{place:-/}}" | awk 'END {{ print $(NF - 2) }}') ${{place:-/}}"
done
for folder in {folders}; do [ -d "$folder" ] || say lacks "$folder"; done
for user in {users}; do id -u "$user" >/dev/null 2>&1 || say stranger "$user"; done
{packages}{code}{offered}{named}"""
_CODE = """\
tree={tree}
if [ -e "$tree/.git" ]; then say code git
elif [ -n "$(ls -A "$tree" 2>/dev/null)" ]; then say code "files $(stat -Lc %U "$tree")"
elif [ -e "$tree" ]; then say code empty
else say code none; fi
"""
_NAMED = """\
grep -RqsE {pattern} /etc/nginx/sites-enabled /etc/nginx/conf.d /etc/nginx/nginx.conf ||
  say unnamed {name}
"""
_PROBES = {
    "python3-venv": "python3 -c 'import ensurepip, venv'",
    "postgresql": "ls /usr/lib/postgresql/[1-9]*/bin/postgres",
    "postgresql-client": "command -v psql",
    "git": "command -v git",
    "nginx": "command -v nginx",
    "openssl": "command -v openssl",
    "docker.io": "command -v dockerd",
    "docker-cli": "command -v docker",
    "docker-compose": "docker compose version",
}
# `newest`: the version that apt would install of a package, where it knows one.
COMPOSE_PACKAGES = ("docker-compose", "docker-compose-v2", "docker-compose-plugin")
NEWEST = """\
newest() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \\([0-9].*\\)$/\\1/p'; }
"""
_OFFERED = f"""{NEWEST}for name in {" ".join(COMPOSE_PACKAGES)}; do
  version=$(newest "$name"); [ -z "$version" ] || say compose "$version"
done
"""
_INSTALLED = """dpkg-query -W -f '${{db:Status-Status}}' {name} | grep -qx installed"""


@dataclass(frozen=True)
class Bare:
    """What there is: `missing` are packages, `strangers` users, `lacking` folders, that are not.

    `code` is what lies where the working tree belongs: none, empty, files (and their folder's
    owner), git; empty where no source is declared. `room` are KiB by the place that has them.
    `asks` says that sudo wants a password, `half` that dpkg was interrupted. `unnamed` are declared
    server names that nginx has nowhere. `offered` are versions of Docker Compose.
    """

    uid: int
    user: str
    arch: str
    os: str = ""
    debian: bool = False
    systemd: bool = False
    asks: bool = False
    half: bool = False
    room: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    code: str = ""
    unnamed: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()


def users(backend: Backend) -> tuple[str, ...]:
    """Give the system's accounts that are named; the backend belongs to the first, and runs as it.

    Nobody says so where there is none.
    """
    named = [
        backend.onboard.user if backend.onboard else None,
        getattr(backend.service, "user", None),
        backend.venv.owner if backend.venv else None,
        *(file.owner for file in backend.env_files),
    ]
    return tuple(dict.fromkeys(filter(None, named)))


def owner(backend: Backend) -> str:
    """Give the account that the backend belongs to."""
    return next(iter(users(backend)), "root")


def packages(backend: Backend) -> dict[str, str]:
    """Give the packages that the backend needs, each with the command that says it is there."""
    own = backend.onboard.packages if backend.onboard else ()
    names = dict.fromkeys([*_asked_for(backend), *own])
    return {name: _PROBES.get(name, _INSTALLED.format(name=name)) for name in names}


def _asked_for(backend: Backend) -> Iterable[str]:
    python = backend.venv.python if backend.venv else ""
    if named := re.fullmatch(r"(/usr/bin/)?(python3(\.\d+)?)", python):
        yield f"{named[2]}-venv"
    admin, target = backend.database and backend.database.admin, postgres.declared_target(backend)
    if isinstance(admin, Peer) and target is not None:
        if target.host in _LOCAL or target.host.startswith("/"):
            yield "postgresql"
    elif isinstance(admin, AdminUrl):
        yield "postgresql-client"
    if backend.source is not None:
        yield "git"
    if key_files.declared(backend) is not None:
        yield "openssl"
    if isinstance(backend.service, Compose):
        yield from ("docker.io", "docker-cli", "docker-compose")
    needs = backend.service.needs if isinstance(backend.service, Systemd) else ()
    served = backend.onboard is not None and backend.onboard.server_name
    if served or "nginx" in needs or "nginx.service" in needs:
        yield "nginx"


def folders(backend: Backend) -> tuple[str, ...]:
    """Give the folders that must be there and that the working tree does not bring."""
    wanted = [file.path.rpartition("/")[0] for file in backend.env_files]
    if backend.venv is not None:
        wanted.append(backend.venv.path.rpartition("/")[0])
    tree = f"{backend.source.directory.rstrip('/')}/" if backend.source else None
    return tuple(
        dict.fromkeys(one for one in wanted if one and not (tree and f"{one}/".startswith(tree)))
    )


def site_path(backend: Backend) -> str:
    """Give where nginx's server of the backend is written (Debian's nginx: sites-enabled)."""
    return f"/etc/nginx/sites-available/{backend.name}"


def script(backend: Backend) -> str:
    """Give the part of the look that onboarding asks for: read-only, as root where it can be."""
    wanted = packages(backend)
    probes = "".join(
        f"{{ {probe}; }} >/dev/null 2>&1 || say missing {shell.quote(name)}\n"
        for name, probe in wanted.items()
    )
    tree = backend.source.directory.rstrip("/") if backend.source else ""
    names = backend.onboard.server_name if backend.onboard else ()
    return _SCRIPT.format(
        places=shell.words(dict.fromkeys(["/", "/var/lib", backend.directory])),
        folders=shell.words([backend.directory, *folders(backend)]),
        users=shell.words(users(backend)),
        packages=probes,
        code=_CODE.format(tree=shell.quote(tree)) if tree else "",
        offered=_OFFERED if isinstance(backend.service, Compose) else "",
        named="".join(map(_named, names)),
    )


def _named(name: str) -> str:
    literal = re.sub(r"[][.*]", r"\\\g<0>", name)
    pattern = rf"server_name[^;]*[[:space:]]{literal}[;[:space:]]"
    return _NAMED.format(pattern=shell.quote(pattern), name=shell.quote(name))


def parse(answer: Answer) -> Bare | Unreadable:
    """Take the part's answer apart."""
    said: dict[str, list[str]] = {}
    for line in answer.lines:
        key, tab, value = line.partition("\t")
        if tab:
            said.setdefault(key, []).append(legible(value))
    uid = (said.get("uid") or [""])[0]
    if not uid.isdigit():
        return Unreadable("the host did not say what it has")
    likes = " ".join([*said.get("id", ()), *said.get("like", ())]).split()
    return Bare(
        int(uid),
        _first(said, "user"),
        _first(said, "arch"),
        _first(said, "os"),
        debian="debian" in likes and "apt" in said,
        systemd="systemd" in said,
        asks="asks" in said,
        half="half" in said,
        room=_room(said.get("room", ())),
        missing=tuple(said.get("missing", ())),
        strangers=tuple(said.get("stranger", ())),
        lacking=tuple(said.get("lacks", ())),
        code=_first(said, "code"),
        unnamed=tuple(said.get("unnamed", ())),
        offered=tuple(said.get("compose", ())),
    )


def _first(said: Mapping[str, list[str]], name: str) -> str:
    return (said.get(name) or [""])[0]


def _room(lines: Iterable[str]) -> dict[str, int]:
    pairs = (line.partition(" ") for line in lines)
    return {place: int(left) for left, _, place in pairs if left.isdigit()}


class Packages(FactBase[Any]):
    """Give which of these packages of the distribution are not there.

    + names: the packages
    """

    def command(self, names: list[str]) -> StringCommand:
        quoted = {
            name: _PROBES.get(name, _INSTALLED.format(name=shell.quote(name))) for name in names
        }
        lines = [
            f"{{ {probe}; }} >/dev/null 2>&1 || printf '%s\\n' {shell.quote(name)}"
            for name, probe in quoted.items()
        ]
        return alone.command({"packages": "\n".join([*lines, ":"])})

    def process(self, output: Iterable[str]) -> list[str] | Unreadable:
        return alone.parsed(output, "packages", lambda answer: answer.lines)
