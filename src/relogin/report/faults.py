"""The catalogue for readers: what is found, what is done about it, and who does it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relogin.finding import Severity

if TYPE_CHECKING:
    from relogin.fault import Fault

# What stands for a name of one's own in the commands of `Fault.check`.
PLACEHOLDERS = {
    "UNIT": "the systemd unit",
    "PROGRAM": "the supervisord program",
    "CONFIG": "supervisord's configuration file",
    "DIRECTORY": "the folder that the backend runs in",
    "VENV": "its virtual environment",
    "REQUIREMENTS": "its requirements file",
    "PACKAGE": "a distribution that it asks for",
    "ENV_FILE": "its .env file",
    "KEY": "a key of that file",
    "USER": "the user that it runs as",
    "DATABASE": "its database",
    "ROLE": "its role in PostgreSQL",
    "TABLE": "its table of users, or the one that is named",
    "INDEX": "an index of the database",
    "ACCOUNT": "the login of an account",
    "API_URL": "an endpoint of the API",
    "LOGIN_URL": "where people log in",
    "PROTECTED_URL": "a route that needs a token",
    "PROBE_URL": "what a declared probe asks",
    "PUBLIC_URL": "where people log in from outside",
    "PUBLIC_HOST": "the name in that address",
    "ORIGIN": "where the page that logs people in comes from",
    "SERVICE": "a service of the Docker Compose project",
    "CONTAINER": "its container",
    "PORT": "the port that it listens on",
}
_BEGIN, _END = "relogin.report.faults` -->\n", "<!-- /faults -->"


def markdown() -> str:
    """Give the README's table of faults, in the catalogue's order."""
    rows = (f"| `{one.id}` | {one.about} | {_mended_by(one)} |" for one in _catalogue())
    return "\n".join(("| fault | what is wrong | who mends it |", "|---|---|---|", *rows))


def page() -> str:
    """Give docs/faults.md: every fault with what is done, and how to look for it by hand."""
    by_layer = groupby(_catalogue(), key=lambda fault: fault.layer)
    layers = (_section(layer, tuple(faults)) for layer, faults in by_layer)
    legend = "\n".join(f"| `{name}` | {what} |" for name, what in PLACEHOLDERS.items())
    return f"{_INTRODUCTION}{legend}\n\n" + "\n".join(layers)


_INTRODUCTION = """\
# What relogin finds

This page is the output of `relogin faults`, made by `make docs`. A fault's layer comes before its
dot; layers stand in the order in which one can cause the next, and so do the faults of a layer.

The commands are how a person would look for the same by hand, as root on the host. They change
nothing, and no secret is in them. What is written in capitals is yours to fill in:

| | |
|---|---|
"""


def _section(layer: str, faults: tuple[Fault, ...]) -> str:
    return f"## {layer}\n\n" + "\n".join("\n".join(_told(fault)) for fault in faults)


def _told(fault: Fault) -> Iterator[str]:
    yield f"### {fault.id}\n"
    yield f"{_sentence(fault.about)} ({fault.severity.name.lower()})\n"
    yield f"*Who mends it:* {_mended_by(fault)}. {_sentence(fault.remedy)}\n"
    for what, of in relations(fault):
        yield f"*{what}:* {', '.join(f'`{one}`' for one in of)}\n"
    if fault.check:
        yield "\n".join(("```sh", *fault.check, "```\n"))


def relations(fault: Fault) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Say with which layers or faults it has to do, and how."""
    if fault.symptom_of:
        yield "Follows from", fault.symptom_of
    if others := tuple(one for one in fault.unless if one not in fault.symptom_of):
        yield "Not mended while there is", others


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def who(fault: Fault) -> str:
    """Say who mends it: `relogin`, `you`, or `its cause` where it is but a consequence."""
    if fault.fix is not None:
        return "relogin"
    return "its cause" if fault.symptom_of else "you"


def _mended_by(fault: Fault) -> str:
    names = {"its cause": "what causes it", "you": "you: the next step is said"}
    name = names.get(who(fault), who(fault))
    return name if fault.severity is Severity.CRITICAL else f"{name} (a {_degree(fault)})"


def _degree(fault: Fault) -> str:
    return fault.severity.name.lower()


def as_json(faults: Iterable[Fault]) -> dict[str, Any]:
    """Give the catalogue as `relogin faults --json` writes it; `version` is that of this shape."""
    return {"version": 1, "faults": [_json(fault) for fault in faults]}


def _json(fault: Fault) -> dict[str, Any]:
    return {
        "id": fault.id,
        "layer": fault.layer,
        "severity": _degree(fault),
        "seen": fault.about,
        "done": fault.remedy,
        "by": who(fault),
        "person": who(fault) == "you",
        "follows_from": list(fault.symptom_of),
        "not_while": list(fault.unless),
        "check": list(fault.check),
    }


def placeholders(check: tuple[str, ...]) -> dict[str, str]:
    """Give those placeholders that some commands have, with what stands in their place."""
    words = set(re.findall(r"[A-Z_]+", " ".join(check)))
    return {name: what for name, what in PLACEHOLDERS.items() if name in words}


def _catalogue() -> tuple[Fault, ...]:
    from relogin.operations.catalogue import FAULTS

    return FAULTS


def write(root: Path) -> None:
    """Bring the README's table and docs/faults.md up to date."""
    readme = root / "README.md"
    before, begin, rest = readme.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    readme.write_text(f"{before}{begin}{markdown()}\n{_END}{after}")
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs" / "faults.md").write_text(page())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
