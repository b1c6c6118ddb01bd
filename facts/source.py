"""What lies in the backend's own folder: secrets in its code, further env files, a git repository.

It is only looked through where the description says that the backend lives there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import env_text, shell
from relogin.facts import alone
from relogin.finding import Unreadable
from relogin.parts.configuration import FromEnv
from relogin.secret import Secret
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.remote import Answer

_SHARED = {"/", "/etc", "/home", "/opt", "/root", "/srv", "/usr", "/usr/local", "/var", "/var/www"}
_PRUNED = (
    *("node_modules", "site-packages", "__pycache__", "env", "venv", "virtualenv", "tests", "test"),
    *("docs", "static", "media", "uploads", "logs"),
)
# Of a line of code only its place leaves the host. What a repository's configuration has git run is
# its owner's (core.fsmonitor, git-config(1)), so it is never run as root for somebody else's.
_SCRIPT = """\
tracked() {{
  for file in {files}; do
    top=${{file%/*}}
    while [ -n "$top" ] && [ ! -e "$top/.git" ]; do top=${{top%/*}}; done
    [ -n "$top" ] && [ -f "$file" ] && [ ! -L "$file" ] || continue
    as_user "$(stat -Lc %U "$top/.git")" git -c core.fsmonitor=false -C "$top" \\
      ls-files --error-unmatch -- "$file" >/dev/null 2>&1 &&
      printf '#tracked %s\\t%s\\n' "$file" "$top"
  done
}}
tracked
cd {directory} 2>/dev/null || return 0
{{ within 3 find . -xdev -maxdepth 5 \\( -type d \\( -name '.?*' -o {pruned} \\) -prune \\) -o \\
  -type f \\( -name '*.py' ! -name 'test_*' ! -name conftest.py \\
    -exec grep -nE -e {pattern} /dev/null {{}} + -o {named} -print \\)
  echo "#rc $?"
}} 2>/dev/null |
  sed -n -e 's/^\\(\\.[^:]*\\.py:[0-9]\\{{1,\\}}\\):.*/\\1/p; /^#rc /p; /^\\.[^:]*$/p; 40q' |
  while IFS= read -r line; do
    case $line in
      '#rc '* | *.py:*) printf '%s\\n' "$line"; continue ;;
    esac
    for file in {files}; do [ ! "$line" -ef "$file" ] || line=; done
    [ -z "$line" ] || part "$line" cat "$line"
  done"""


@dataclass(frozen=True)
class Source:
    """What was found in `directory`; where time ran out, `complete` is False.

    `fallbacks` are the places (`main.py:17`) in which the code itself holds a value for the JWT
    secret. `others` are env files with the name of a declared one: what python-dotenv reads there,
    which is secret. `tracked` maps declared env files to the git repository that tracks them.
    """

    directory: str
    fallbacks: tuple[str, ...] = ()
    others: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict, repr=False)
    tracked: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True


def directory(backend: Backend) -> str | None:
    """Give the folder that is the backend's own; None where nobody says so."""
    named = getattr(backend.service, "working_directory", None) or backend.venv
    folder = backend.directory.rstrip("/") or "/"
    return folder if named and folder not in _SHARED else None


def script(backend: Backend, folder: str) -> str:
    """Give the part of the look that looks through the folder, for three seconds at most."""
    secret = backend.token.secret if backend.token else None
    files = [file.path for file in backend.env_files]
    return _script(folder, secret.key if isinstance(secret, FromEnv) else "", files)


def _script(folder: str, key: str, files: list[str]) -> str:
    names = dict.fromkeys(path.rpartition("/")[2] for path in files)
    named = " -o ".join(f"-name {shell.quote(_literal(name))}" for name in names)
    return _SCRIPT.format(
        directory=shell.quote(folder),
        files=shell.words(files) or "/nosuch",
        pruned=" -o ".join(f"-name {name}" for name in _PRUNED),
        pattern=shell.quote(_pattern(key) if key else "^$^"),
        named=f"\\( {named} \\)" if named else "-name /",
    )


def _literal(name: str) -> str:
    """Write a file's name so that find(1) takes it for no pattern."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", name)


def _pattern(key: str) -> str:
    """Give the extended regular expression of a value that is written into Python code.

    A default of a call that reads the environment, the other side of an `or`, a constant, a
    default of a settings class.
    """
    text = """[bru]?["'][^"']"""
    call = r"(getenv|environ\.(get|setdefault)|[Ee]nv(\.str|iron)?|config)\("
    name = f"""["']{key}["']"""
    field_ = rf"^ *({key}|{key.lower()}) *: *[A-Za-z_., |]+(\[[^]]*\])? *="
    return "|".join(
        (
            rf"{call} *{name} *, *(default *= *)?{text}",
            rf"{name} *[])]+ *or +{text}",
            rf"\.({key}|{key.lower()}) +or +{text}",
            rf"^ *{key} *= *{text}",
            rf"{field_} *(Field\( *(default *= *)?)?(SecretStr\( *)?{text}",
        )
    )


def parse(folder: str, answer: Answer, *, public: Collection[str] = ()) -> Source:
    """Take the part's answer apart; of other files a value is secret unless it is public."""
    lines = [line for line in answer.lines if "\t" not in line]
    tracked = (line.removeprefix("#tracked ") for line in answer.lines if line[:9] == "#tracked ")
    return Source(
        folder,
        tuple(line.removeprefix("./") for line in lines if line[:1] == "."),
        {f"{folder}/{name[2:]}": each for name, each in _others(answer, public)},
        dict(line.split("\t", 1) for line in tracked),
        not any(line.startswith("#rc 124") for line in lines),
    )


def _others(
    answer: Answer, public: Collection[str]
) -> Iterable[tuple[str, Mapping[str, str | None]]]:
    for name, other in alone.answers(answer.lines).items():
        values = env_text.values(other.text.decode("utf-8-sig", "replace"))
        for value in values.values():
            if (
                value and len(value) >= 8 and value not in public
            ):  # as for the declared files: a port is no secret
                Secret.seen(value)
        yield name, values


class Fallbacks(FactBase[Any]):
    """Give the places in Python code, as `main.py:17`, that hold a value for a secret themselves.

    + directory: the backend's folder
    + key: the secret's name in the environment
    """

    def command(self, directory: str, key: str = "SECRET_KEY") -> StringCommand:
        self.directory = directory
        return alone.command({"source": _script(directory, key, [])})

    def process(self, output: Iterable[str]) -> list[str] | Unreadable:
        found = alone.parsed(output, "source", lambda answer: parse(self.directory, answer))
        return found if isinstance(found, Unreadable) else list(found.fallbacks)
