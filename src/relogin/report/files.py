"""The forms in which a run is told: JSON on stdout; JUnit, Prometheus and the page in files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relogin.errors import UsageError
from relogin.places import write_whole
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.report.view import View


Form = Callable[[dict[str, Any]], bytes]
PRIVATE = 0o600  # log lines and names of accounts are nobody else's business


@dataclass(frozen=True)
class Outputs:
    """What a run is to write besides its text."""

    as_json: bool = False
    junit: Path | None = None
    prometheus: Path | None = None
    html: Path | None = None

    @property
    def given(self) -> bool:
        """Tell whether it is to be written in any of these forms."""
        return self.as_json or bool(self.junit or self.prometheus or self.html)

    def refuse_unwritable(self) -> None:
        """See, before anything is touched, that the files can be written.

        Raises:
            UsageError: one cannot.
        """
        named = {"--junit": self.junit, "--prometheus": self.prometheus, "--html": self.html}
        for option, path in named.items():
            if path is not None:
                refuse_unwritable(option, path)

    def write(self, document: dict[str, Any]) -> list[str]:
        """Write the files, each whole or not at all; give a line for each that could not be."""
        problems = []
        for path, form, mode in self._forms():
            try:
                if path is not None:
                    write_whole(path.absolute(), form(document), mode=mode)
            except OSError as error:
                problems.append(f"{path} was not written: {error}")
        return problems

    def _forms(self) -> Iterator[tuple[Path | None, Form, int]]:
        from relogin.report import junit

        yield self.junit, junit.written, 0o644
        yield self.prometheus, _with_successes, 0o644
        yield self.html, _page, PRIVATE


def refuse_unwritable(option: str, path: Path) -> None:
    """See that a file can be written there, which an option names.

    Raises:
        UsageError: there is no folder for it, or none that we can write in.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{option} {path}: nothing can be written in {folder}")


def as_json(document: dict[str, Any]) -> str:
    """Give a run's document as text; what is no ASCII is escaped, so that every pipe carries it."""
    return json.dumps(document, indent=2)


def schema(of: str = "run") -> dict[str, Any]:
    """Give the JSON schema (draft 2020-12) that every such document fits.

    `of` is what is told: a run, the history (`relogin history`), the faults, or a check.
    """
    text = Path(__file__).with_name(f"{of}.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def with_history(document: dict[str, Any]) -> View:
    """Give a run's document as a person reads it, with what the history knows of its past."""
    from relogin.ledger.store import LedgerError
    from relogin.ledger.whole import earlier
    from relogin.report.view import view

    try:
        return view(document, earlier(document))
    except LedgerError as error:
        return view(document, {}, problem=str(error))


def _with_successes(document: dict[str, Any]) -> bytes:
    from relogin.ledger.read import successes
    from relogin.ledger.store import LedgerError
    from relogin.report import prometheus

    try:
        former = successes()
    except LedgerError:  # the first run, or a history that cannot be read: this run's are known
        former = {}
    return prometheus.written(document, former)


def _page(document: dict[str, Any]) -> bytes:
    from relogin.report.page import page

    return page(with_history(document))
