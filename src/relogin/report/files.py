"""The forms in which a run is told to programs: JSON on stdout, JUnit and Prometheus in files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from relogin.errors import UsageError
from relogin.places import write_whole


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What a run is to write besides its text."""

    as_json: bool = False
    junit: Path | None = None
    prometheus: Path | None = None

    def refuse_unwritable(self) -> None:
        """See, before anything is touched, that there are folders for the files.

        Raises:
            UsageError: there is none.
        """
        for option, path in (("--junit", self.junit), ("--prometheus", self.prometheus)):
            if path is not None and not path.absolute().parent.is_dir():
                raise UsageError(f"{option} {path}: there is no folder {path.absolute().parent}")

    def write(self, document: dict[str, Any]) -> list[str]:
        """Write the files, each whole or not at all; give a line for each that could not be."""
        from relogin.report import junit

        problems = []
        forms = {self.junit: junit.written, self.prometheus: _with_successes}
        for path, form in forms.items():
            try:
                if path is not None:
                    write_whole(path.absolute(), form(document), mode=0o644)
            except OSError as error:
                problems.append(f"{path} was not written: {error}")
        return problems


def as_json(document: dict[str, Any]) -> str:
    """Give a run's document as text; what is no ASCII is escaped, so that every pipe carries it."""
    return json.dumps(document, indent=2)


def schema() -> dict[str, Any]:
    """Give the JSON schema (draft 2020-12) that every such document fits."""
    text = Path(__file__).with_name("run.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _with_successes(document: dict[str, Any]) -> bytes:
    from relogin.ledger.read import successes
    from relogin.ledger.store import LedgerError
    from relogin.report import prometheus

    try:
        former = successes()
    except LedgerError:  # the first run, or a history that cannot be read: this run's are known
        former = {}
    return prometheus.written(document, former)
