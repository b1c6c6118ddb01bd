"""With which JWT secret a fetched revision would start the backend: nobody may be logged out by it.

It is asked of the revision's tree beside what runs, in which links stand for what git does not
track, such as `.env`: so it is read as it will be in place.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from relogin import git, remote, shell
from relogin.facts import compose
from relogin.facts.compose_script import compose_function
from relogin.facts.compose_state import Project
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.parts.configuration import FromEnv
from relogin.parts.runtime import Compose
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.source import Source
    from relogin.remote import Answer

DEADLINE = 60.0
# A folder that only one of the two knows is linked as a whole: it may be an environment.
_LINKED = """\
tree_git ls-files --others --directory -z | as_user "$owner" xargs -0 sh -c '
  tree=$1 stage=$2; shift 2
  link() { [ -e "$stage/$1" ] || [ -L "$stage/$1" ] ||
    { mkdir -p "$(dirname "$stage/$1")" && ln -s "$tree/$1" "$stage/$1"; }; }
  for name; do
    name=${name%/}
    if [ ! -d "$stage/$name" ] || [ -L "$stage/$name" ]; then link "$name"; continue; fi
    find "$tree/$name" ! -type d | while IFS= read -r one; do link "${one#"$tree/"}"; done
  done' sh "$tree" "$stage"
"""
# Of a unit's files only what says the key counts: its own lines, and the env files that have it.
_OF_A_UNIT = """\
top=$(readlink -f "$tree") || return
told() {{
  sed -nE '/(^|[^A-Za-z0-9_])'{key}'=/p; s/^EnvironmentFile=-?(.*)/#file \\1/p' |
    while IFS= read -r line; do
      case $line in
        '#file '*)
          path=${{line#'#file '}}; here=$1${{path#"$tree"}}
          case $path in "$tree"/*) [ ! -e "$here" ] || path=$here ;; esac
          ! grep -qsE '^(export )?'{key}'=' "$path" || printf '%s\\n' "$line" ;;
        *) printf '%s\\n' "$line" ;;
      esac
    done
}}
for each in {files}; do
  real=$(readlink -f "$each") || continue
  case $real in "$top"/*) name=${{real#"$top"/}} ;; *) continue ;; esac
  tree_git cat-file -e HEAD:"$name" 2>/dev/null || tree_git cat-file -e {new}:"$name" 2>/dev/null ||
    continue
  [ "$(told "$tree" <"$real")" = "$(tree_git show {new}:"$name" 2>/dev/null | told {stage})" ] ||
    printf '%s\\n' "$name"
done"""


@dataclass(frozen=True)
class NewSecret:
    """What tells whether a new revision has another JWT secret.

    `project` is what the new Compose files are (None: not asked), and `changing` are the unit's
    files in the tree of which the revision has another setting of the key.
    """

    project: Project | None = dataclasses.field(default=None, repr=False)
    changing: tuple[str, ...] = ()


def key(backend: Backend) -> str:
    """Give the variable that holds the JWT secret; '' where none does."""
    secret = backend.token.secret if backend.token else None
    return secret.key if isinstance(secret, FromEnv) else ""


def look(
    host: Host, backend: Backend, source: Source, stage: str, new: str, before: Observation
) -> NewSecret | Unreadable:
    """Look at what lies in the stage of a fetched revision; `before` is what runs."""
    script = asked(backend, source, stage, new, before)
    if not script:
        return NewSecret()
    answers = remote.ask(host, {"secret": script}, deadline=DEADLINE)
    if isinstance(answers, Unreadable):
        return answers
    if "secret" not in answers:
        return Unreadable("a part of the answer did not arrive")
    return parse(backend, answers["secret"])


def asked(backend: Backend, source: Source, stage: str, new: str, before: Observation) -> str:
    """Give the script that asks for it; '' where nothing of it could be in the revision."""
    named, service = key(backend), before.service
    if not isinstance(service, ServiceState):
        return ""
    functions = git.functions(source.directory)
    if isinstance(backend.service, Compose):
        part = _staged(backend.service, source, stage, service)
        config = f"{compose_function(part)}\ncompose config --format json"
        return f"{functions}stage={shell.quote(stage)}\n{_LINKED}{config}"
    files = [service.fragment, *service.drop_ins, *service.environment_files]
    if not named or not any(files):
        return ""
    return functions + _OF_A_UNIT.format(
        key=shell.quote(re.escape(named)),
        files=shell.words(filter(None, files)),
        new=new,
        stage=shell.quote(stage),
    )


def _staged(part: Compose, source: Source, stage: str, service: ServiceState) -> Compose:
    """Give the project as its files are in the stage, by the name that it has in place."""
    top = source.directory.rstrip("/")

    def beside(path: str) -> str:
        inside = f"{path}/".startswith(f"{top}/")
        return f"{stage}{path.removeprefix(top)}" if inside else path

    return dataclasses.replace(
        part,
        directory=beside(part.directory),
        files=tuple(map(beside, part.files)),
        env_files=tuple(map(beside, part.env_files)),
        project=part.project or (service.project.name if service.project else None) or None,
    )


def parse(backend: Backend, answer: Answer) -> NewSecret | Unreadable:
    """Take the answer apart."""
    if isinstance(backend.service, Compose):
        config, error = compose.declared(answer)
        return NewSecret(Project("", config_error=error, config=config))
    if answer.status:
        return Unreadable("the unit's files in the new revision could not be compared")
    return NewSecret(changing=tuple(answer.lines))
