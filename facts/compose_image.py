"""What a service's image was built from, beside what its project's files ask for today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from relogin import requirements, shell
from relogin.facts import alone
from relogin.facts.compose_files import NO_CONTAINER, with_copies
from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.parts.runtime import Compose
    from relogin.remote import Answer
    from relogin.requirements import Requirement


@dataclass(frozen=True)
class Asked:
    """A requirements file of the host, and the one in the image; None where there is none."""

    path: str
    today: tuple[Requirement, ...] | None
    built: tuple[Requirement, ...] | None

    @property
    def changed(self) -> tuple[str, ...]:
        """Say what today's file asks for, and the one in the image does not."""
        if self.today is None or self.built is None:
            return ()
        was = {one.name: f"{one}" for one in self.built}
        return tuple(
            f"{one} (image: {was.get(one.name, 'not asked for')})"
            for one in self.today
            if was.get(one.name) != f"{one}"
        )


@dataclass(frozen=True)
class ImageState:
    """What the image of a service was built from; `versions` are those of a few distributions.

    These are only known of a container that runs.
    """

    asked: tuple[Asked, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        asked = {one.path: list(one.changed) for one in self.asked}
        return {"changed": asked, "versions": dict(self.versions)}


# One of them refuses every password where the other is too new: see operations/image.py.
_NAMES = ("bcrypt", "passlib")
_VERSIONS = f"""\
import importlib.metadata as m
for n in {_NAMES!r}:
    try: print(n, m.version(n))
    except m.PackageNotFoundError: pass
"""
_INSIDE = 'for p in python python3; do "$p" -I -B -c "$0" 2>/dev/null && exit; done; exit 1'


def script(part: Compose) -> str:
    """Give the part of the look that reads the declared requirements files, here and there."""
    lines = []
    for number, (here, there) in enumerate(part.requirements.items()):
        path = shell.quote(f"{part.directory}/{here}")
        copied = f'"$copied"{shell.quote(there)}'
        lines.append(f"part today_{number} cat {path}")
        lines.append(f"fetch {shell.quote(there)}; part built_{number} cat {copied}")
    inside = shell.words(["sh", "-c", _INSIDE, _VERSIONS])
    lines.append(f'part versions within 10 docker exec "$id" {inside}')
    return with_copies(part, "\n".join(lines))


def parse(part: Compose, answer: Answer) -> ImageState | Unreadable:
    """Take the part's answer apart; without a container there is nothing to compare."""
    if answer.status == NO_CONTAINER:
        return ImageState()
    answers = alone.answers(answer.lines)
    if "versions" not in answers:
        return Unreadable("the files of the backend's container could not be copied")
    versions = answers["versions"]
    lines = versions.lines if versions.status == 0 else []
    pairs = (line.split(" ")[:2] for line in lines if " " in line)
    return ImageState(tuple(_asked(part, answers)), dict(pairs))


def _asked(part: Compose, answers: Mapping[str, Answer]) -> Iterator[Asked]:
    for number, path in enumerate(part.requirements):
        both = (answers.get(f"{name}_{number}") for name in ("today", "built"))
        yield Asked(f"{part.directory}/{path}", *(_parsed(path, one) for one in both))


def _parsed(path: str, answer: Answer | None) -> tuple[Requirement, ...] | None:
    if answer is None or answer.status != 0:
        return None
    try:
        found = requirements.parse(path, answer.text)
        return tuple(one for one in found if isinstance(one, requirements.Requirement))
    except (UnicodeDecodeError, LookupError):
        return None
