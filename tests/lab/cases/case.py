"""A fault on a lab host: how it is made, and what may differ once it has been mended."""

from dataclasses import dataclass, replace
from pathlib import Path

from tests.lab.host import Host
from tests.lab.wheels import bring

from . import halext, words
from .halext import HALEXT
from .words import Words, filled

BACKEND = HALEXT["root"]
ENV = (f"file:{BACKEND}/.env", f"env-text:{BACKEND}/.env")
UNIT = HALEXT["unit-file"]
UNDO, NOTHING, PSQL, ANY_COMMAND = words.UNDO, words.NOTHING, words.PSQL, words.ANY_COMMAND
RESTART = halext.RESTART


@dataclass(frozen=True)
class Case:
    """A fault: the root script that makes it, what its verdict says first, what may differ after.

    `differs` are beginnings of snapshot keys; `restless` those of what never comes to rest while
    the fault is there (a crash loop). `works` says that people can log in all the same. `profile`
    is how the example's description is changed for it, as arguments of dataclasses.replace; ADDRESS
    in it stands for the host's, CERTIFICATE for a file with the one that its nginx has. Where that
    alone makes the fault, `inject` is NOTHING. `stays` are beginnings of what taking the run back
    leaves: what the run made, or renamed. `wheels` are requirements that pip has to find there.
    """

    fault: str
    inject: str
    differs: tuple[str, ...] = ()
    restless: tuple[str, ...] = ()
    name: str = ""
    works: bool = False
    profile: str = ""
    stays: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name or self.fault

    def make(self, host: Host) -> None:
        """Break a host that is healthy."""
        if self.wheels:
            bring(host, self.wheels)
        host.root(self.inject)

    def described(self, host: Host, folder: Path) -> dict[str, str]:
        """Give how the product is told of the profile; a certificate is fetched into the folder."""
        return {"profile": self.profile_at(host, folder)} if self.profile else {}

    def profile_at(self, host: Host, folder: Path) -> str:
        if "CERTIFICATE" in self.profile:
            (folder / "own.crt").write_text(host.root("cat /etc/nginx/own.crt"))
        filled = self.profile.replace("ADDRESS", host.address)
        return filled.replace("CERTIFICATE", str(folder / "own.crt"))


def at(case: Case, place: Words, of: Words = HALEXT) -> Case | None:
    """Give the case as it is made on a backend of these words; nothing if it lacks some of them.

    Words are those that are there `of` any backend.
    """
    texts = [case.inject, case.profile, case.name]
    kept = [case.differs, case.restless, case.stays]
    told = [filled(text, place, of) for text in texts]
    keys = [[filled(key, place, of) for key in each] for each in kept]
    if None in told or any(None in each for each in keys):
        return None
    inject, profile, name = (text or "" for text in told)
    differs, restless, stays = (tuple(key or "" for key in each) for each in keys)
    return replace(
        case,
        inject=inject,
        profile=profile,
        name=name,
        differs=differs,
        restless=restless,
        stays=stays,
    )


def on_halext(text: str) -> str:
    """Give a script with the words of the example's backend."""
    return filled(text, HALEXT, HALEXT) or ""


UNINSTALL = on_halext(words.UNINSTALL)


def env(script: str) -> str:
    """Edit the env file in place, as a person with sed would, and restart on it."""
    return on_halext(words.env(script))


def drop_in(name: str, text: str, *, reload: bool = True) -> str:
    """Add a drop-in, as a person would."""
    return on_halext(words.drop_in(name, text, reload=reload))


def code(before: str, after: str, *, file: str = HALEXT["code"]) -> str:
    """Change a line of the backend's own code: what no machine may mend."""
    return on_halext(words.code(before, after, file=file))
