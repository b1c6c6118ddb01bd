"""The commands that are compared."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.lab import canaries
from tests.lab.host import Host

from . import floor
from .measure import Command

NAMES = {
    "floor": "floor: OpenSSH, one script, curl",
    "login": "plain pyinfra, the floor's requests",
    "proof": "plain pyinfra, the full proof",
    "command": "relogin restore, the floor's requests",
    "command-proof": "relogin restore, the full proof",
}


@dataclass(frozen=True)
class Bench:
    """Hosts, a folder that holds what the commands read, and the pyinfra that is measured."""

    folder: Path
    pyinfra: Path
    hosts: list[Host]

    def command(self, variant: str, addresses: list[str]) -> Command:
        """Give a variant's command on hosts, each `ADDRESS:PORT`."""
        if variant == "floor":
            return Command([str(floor.SCRIPT), str(self.folder), *addresses], {})
        words = [str(self.pyinfra), "benchmarks/inventory.py", "deploys/restore_access.py", "-y"]
        if variant.startswith("command"):
            words = [str(self.pyinfra.with_name("relogin")), "restore", "benchmarks/inventory.py"]
        return Command(words, self._environment(variant, addresses))

    def drift(self, addresses: list[str], *more: str) -> Command:
        """Give relogin's own command: what it mended is a success, however often it did so.

        An address that is there several times is a host each time.
        """
        words = [str(self.pyinfra.with_name("relogin")), "drift", "benchmarks/inventory.py"]
        limits = ["--healed-ok", "--cooldown", "0", "--cap", "1000000"]
        return Command([*words, *limits, *more], self._environment("drift", addresses))

    def transport(self, addresses: list[str], parallel: int) -> Command:
        """Give what only connects: the part of a pass that is SSH's."""
        given = self._environment("transport", addresses)
        python = self.pyinfra.with_name("python")
        words = [str(python), "-m", "benchmarks.transport", given["RELOGIN_BENCHMARK"]]
        return Command([*words, str(parallel)], given)

    def _environment(self, variant: str, addresses: list[str]) -> dict[str, str]:
        given = self.folder / f"{variant}.json"
        given.write_text(json.dumps(self._given(variant, addresses)))
        return {
            "RELOGIN_BENCHMARK": str(given),
            "RELOGIN_BENCHMARK_PASSWORD": floor.PASSWORD,
            "HALEXT_ACCESS_CODE": canaries.ACCESS_CODE,
            "HOME": str(self.folder),
        }

    def _given(self, variant: str, addresses: list[str]) -> dict[str, object]:
        return {
            "addresses": addresses,
            "account": floor.ACCOUNT,
            "email": floor.ME["email"],
            "refusals": variant in {"proof", "command-proof"},
            "key": str(self.hosts[0].key),
            "known_hosts": str(self.folder / "known_hosts"),
        }
