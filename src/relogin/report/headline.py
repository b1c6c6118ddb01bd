"""What became of one backend, in a line, and how good that is."""

from __future__ import annotations

import enum
from typing import Any

from relogin.report.lines import counted
from relogin.report.wording import NOT_OUTSIDE, NOT_PROVEN, SUBJECTS

Document = dict[str, Any]


class Tone(enum.IntEnum):
    """How good it is; the worst is the greatest."""

    GOOD = 0
    PLAIN = 1
    WARN = 2
    BAD = 3

    @property
    def word(self) -> str:
        return self.name.lower()


_TONES = {
    "proven": Tone.GOOD,
    "healthy": Tone.GOOD,
    "planned": Tone.PLAIN,
    "done": Tone.PLAIN,
    "findings": Tone.WARN,
}


def headline(one: Document, purpose: str) -> tuple[str, Tone]:
    """Give the line for a backend of a run's document, and its tone."""
    if purpose == "undo":
        return _undone(one)
    if purpose in {"check", "probe"} and one["outcome"] in {"healthy", "findings"}:
        return _checked(one), _TONES.get(one["outcome"], Tone.BAD)
    if purpose in {"check", "probe"}:
        return "it could not be looked at as a whole", Tone.BAD
    tone = _TONES.get(one["outcome"], Tone.BAD)
    return _said(one, purpose), tone


def _said(one: Document, purpose: str) -> str:
    if one["outcome"] == "done":
        return ", ".join(change["why"] for change in one["changes"]) or "done"
    if one["outcome"] == "planned":
        return "nothing was changed: this is what would be"
    if one["outcome"] == "refused":
        return f"{_of_login(one)}; relogin refused to change anything" + _left(one)
    if one["outcome"] in {"healthy", "findings"} and one["proof"] is None:
        return "no login is declared" + (_left(one) or "; nothing is wrong")
    changed = any(change["ok"] for change in one["changes"])
    if not _proven(one):
        return _of_login(one)
    if purpose in {"release", "onboard", "rotate"}:
        return "people can log in" + ("" if changed else "; nothing was changed")
    if not changed:
        return "people can log in" + (_left(one) or "; nothing was changed")
    return f"people can log in again{_left(one)} ({one['seconds']:.0f} s)"


def _of_login(one: Document) -> str:
    proof = one["proof"]
    if proof is None:
        return "the login is not proven"
    if proof["proven"]:
        return "people can log in"
    failed = {check["name"].partition(":")[0] for check in proof["checks"] if _failed(check)}
    if "public" in failed:
        return NOT_OUTSIDE
    login = next((check["ok"] for check in proof["checks"] if check["name"] == "login"), None)
    return NOT_PROVEN[login]


def _failed(check: Document) -> bool:
    return check["ok"] is False and not check["accepted"]


def _proven(one: Document) -> bool:
    return one["proof"] is not None and bool(one["proof"]["proven"])


def _findings_left(one: Document) -> list[Document]:
    return [found for found in one["findings"] if found["state"] == "left"]


def _left(one: Document) -> str:
    left = _findings_left(one)
    if not left:
        return ""
    return f", but {len(left)} finding{' is' if len(left) == 1 else 's are'} left"


def _checked(one: Document) -> str:
    left = _findings_left(one)
    titles = {document["title"] for document in one.get("reports", [])}
    about = [words for title, words in SUBJECTS.items() if title in titles]
    about = about or [SUBJECTS["Database health"]]
    if left:
        return f"{' and '.join(subject for subject, _ in about)}: {counted(left)}"
    return ", ".join(f"{subject} {well}" for subject, well in about)


def _undone(one: Document) -> tuple[str, Tone]:
    if one["halted"] or not all(change["ok"] for change in one["changes"]):
        return "not all that was overwritten is back", Tone.BAD
    if not one["changes"]:
        return "nothing was brought back", Tone.PLAIN
    return "what was overwritten is back; whether people can log in was not tried", Tone.PLAIN
