"""An env file whose keys are sick or sound, and faults of a user's own about them."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pyinfra.api import operation

from relogin import Backend, EnvFile, Fault, Finding
from relogin.fault import Change
from relogin.mend import mend

CATALOGUE = "NEEDED"  # a key that the catalogue's own env_file layer minds


@dataclasses.dataclass
class Place:
    """An env file whose keys are what is sick (0) or sound (1)."""

    file: Path
    faults: tuple[Fault, ...] = ()
    keys: dict[str, Any] = dataclasses.field(default_factory=dict)
    accepted: dict[str, str] = dataclasses.field(default_factory=dict)

    def write(self, text: str) -> None:
        self.file.write_text(text)
        self.file.chmod(0o600)

    @property
    def text(self) -> str:
        return self.file.read_text()

    def backend(self) -> Backend:
        env_file = EnvFile(str(self.file), keys=self.keys)
        return Backend("mine", env_file=env_file, faults=self.faults, accepted=self.accepted)

    def sets(self, key: str, value: str = "1") -> str:
        return f"sed -i 's/^{key}=.*/{key}={value}/' {self.file}"


def fault(key: str, *scripts: str, fix: Callable[..., Any] | None = None, **fields: Any) -> Fault:
    """Find a key that is 0; mend it by these scripts."""

    def detect(backend, seen):
        if seen.env(key) == "0":
            return Finding(f"{key} is sick", subject=key, remedy="it is mended")
        return None

    def by_scripts(backend, seen, finding) -> Iterator[Change]:
        for script in scripts:
            yield Change(script, f"mend {key}", deadline=5)

    chosen = fix or (by_scripts if scripts else None)
    return Fault(f"mine.{key.lower()}", detect, chosen, **fields)


def layer(*faults: Fault) -> Any:
    @operation()
    def mine(backend: Backend) -> Iterator[Any]:
        yield from mend(backend, faults)

    return mine
