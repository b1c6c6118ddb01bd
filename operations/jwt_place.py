"""Where the secret that signs the tokens stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.facts.env_file import EnvFileState
from relogin.parts.configuration import EnvFile, FromEnv
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


@dataclass(frozen=True)
class Place:
    """The secret's key, and the env file that has to have it, as declared and as it is."""

    key: str
    declared: EnvFile
    state: EnvFileState

    @property
    def value(self) -> str | None:
        return self.state.value(self.key)


def place(backend: Backend, seen: Observation) -> Place | None:
    """Give where the secret stands; None where it is in no env file that could be read."""
    secret = backend.token.secret if backend.token else None
    if not isinstance(secret, FromEnv):
        return None
    for declared, state in zip(backend.env_files, seen.env_files, strict=True):
        if secret.key in declared.keys and isinstance(state, EnvFileState):
            return Place(secret.key, declared, state)
    return None
