"""The answers of a look's parts, each taken apart by its own parser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from relogin.facts import env_file
from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.parts.configuration import EnvFile
    from relogin.remote import Answer


@dataclass(frozen=True)
class Answers:
    """The parts' answers; one part's nonsense makes that part Unreadable, and no other.

    They came `between` two moments of our clock, in epoch seconds.
    """

    by_name: Mapping[str, Answer]
    between: tuple[float, float] = (0.0, 0.0)

    def part(self, name: str, parse: Callable[[Answer], Any]) -> Any:
        """Give what `parse` makes of a part's answer, or that it did not come or made no sense."""
        if name not in self.by_name:
            return Unreadable("its part of the answer did not arrive")
        try:
            return parse(self.by_name[name])
        except Exception as error:  # noqa: BLE001 # see above
            return Unreadable(f"its answer could not be understood ({type(error).__name__})")

    def env_file(self, number: int, declared: EnvFile, public: set[str]) -> Any:
        """Give an env file, with what is kept of it where it lacks something."""
        path, reader = declared.path, declared.readers[0]
        state = self.part(
            f"env_{number}", lambda it: env_file.parse(path, it, public=public, reader=reader)
        )
        lacking = isinstance(state, env_file.EnvFileState | env_file.MissingEnvFile)
        if f"kept_{number}" not in self.by_name or not lacking:
            return state
        return self.part(
            f"kept_{number}", lambda it: env_file.with_kept(state, declared, it, public=public)
        )
