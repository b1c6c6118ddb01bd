"""Looks at lab hosts with each fault, as they answered them, kept as what differs from health.

Each example of inventories/group_data has its folder. A file holds, under `=== name status`, each
part that differs from `healthy.txt`, in pieces: what follows `|` is a line, or the end of one, what
follows `>` goes on in the next, and `@3-7` stands for these pieces of the healthy part. The parts
of an answer within an answer (the service's) are named with a dot. `asked` is when it was asked,
`lost` names healthy parts that did not come.
"""

import base64
import re
import runpy
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import NamedTemporaryFile

from relogin.backend import Backend
from relogin.facts import observation
from relogin.facts.observation import Observation
from relogin.finding import Finding
from relogin.operations import catalogue
from relogin.remote import Answer
from relogin.report.text import ranked
from tests.lab import product

REPOSITORY = Path(__file__).parents[2]
CASES = Path(__file__).parent / "recorded/cases"
HALEXT, HEALTHY = "halext", "healthy"
NESTED = "service"
ASKED, LOST = "asked", "lost"
Answers = dict[str, Answer]
_NOTHING = Answer(b"", 0)
_LONG = 200  # of a line, in bytes


def described(example: str, profile: str = "") -> Backend:
    """Give a shipped example, which the lab's hosts are; `profile` is as a case has it."""
    path = REPOSITORY / f"inventories/group_data/{example}.py"
    with NamedTemporaryFile("w", suffix=".py") as file:
        if profile:
            file.write(product.changed(profile))
            file.flush()
        found: Backend = runpy.run_path(file.name if profile else str(path))[example]
    return found


def recorded(name: str, example: str = HALEXT) -> Answers:
    """Give what a host answered: the healthy one's parts, but for those that differ."""
    healthy = {} if name == HEALTHY else recorded(HEALTHY, example)
    differing = _frames(path(name, example))
    lost = differing.pop(LOST, _NOTHING).text.decode().split()
    whole = {
        part: _whole(answer, healthy.get(part, _NOTHING).text) for part, answer in differing.items()
    }
    return {part: it for part, it in (healthy | whole).items() if part not in lost}


def written(name: str, answers: Answers, example: str = HALEXT) -> None:
    """Write a file of answers."""
    healthy = recorded(HEALTHY, example) if name != HEALTHY else {}
    text = b"".join(
        _frame(part, answer.status, _differing(answer.text, healthy.get(part, _NOTHING).text))
        for part, answer in answers.items()
        if answer != healthy.get(part)
    )
    if lost := healthy.keys() - answers.keys():
        text += _frame(LOST, 0, " ".join(sorted(lost)).encode())
    (CASES / example).mkdir(exist_ok=True)
    path(name, example).write_bytes(text)


def path(name: str, example: str = HALEXT) -> Path:
    """Give the path of a file of answers."""
    return CASES / example / f"{name}.txt"


def seen(backend: Backend, answers: Answers) -> Observation:
    """Give what the facts make of answers."""
    inner = {name.partition(".")[2]: it for name, it in answers.items() if "." in name}
    first, last = map(float, answers[ASKED].text.split())
    by_name = {name: it for name, it in answers.items() if "." not in name and name != ASKED}
    by_name.setdefault("hold", Answer(b"", 0))  # older than that part: nobody had disabled it
    by_name[NESTED] = _nesting(by_name[NESTED], inner)
    found = observation.Answers(by_name, between=(first, last))
    return observation._parsed(None, backend, found)  # type: ignore[arg-type] # asks no host


def judged(backend: Backend, answers: Answers) -> tuple[list[Finding], list[Finding]]:
    """Give the findings as a verdict shows them: what leads, and what follows from it."""
    look = seen(backend, answers)
    faults = catalogue.of(backend)
    return ranked(backend, [one for fault in faults for one in fault.found(backend, look)])


def _frames(path: Path) -> Answers:
    frames = {}
    whole = path.read_bytes().removesuffix(b"\n")
    for frame in whole.removeprefix(b"=== ").split(b"\n=== "):
        head, _, text = frame.partition(b"\n")
        part, status = head.decode().split(" ")
        frames[part] = Answer(text, int(status))
    return frames


def _frame(name: str, status: int, text: bytes) -> bytes:
    return f"=== {name} {status}\n".encode() + text + b"\n"


def _whole(answer: Answer, healthy: bytes) -> Answer:
    """Put the healthy part's pieces in the place of their numbers."""
    known, text = _pieces(healthy), b""
    for line in answer.text.split(b"\n"):
        same = re.fullmatch(rb"@(\d+)-(\d+)", line)
        pieces = known[int(same[1]) - 1 : int(same[2])] if same else [line]
        text += b"".join(piece[1:] + b"\n" * (piece[:1] == b"|") for piece in pieces)
    return Answer(text.removesuffix(b"\n"), answer.status)


def _pieces(text: bytes) -> list[bytes]:
    """Divide a text in lines, and long ones (JSON) further, each after a mark that says which."""
    pieces = []
    for line in text.split(b"\n"):
        *inner, last = re.split(rb"(?<=, )", line) if len(line) > _LONG else [line]
        pieces += [*(b">" + piece for piece in inner), b"|" + last]
    return pieces


def _nesting(outer: Answer, inner: Answers) -> Answer:
    lines = [outer.text] if outer.text else []
    for name, answer in inner.items():
        framed = base64.b64encode(answer.text + f"\n#rc={answer.status}".encode())
        lines.append(name.encode() + b"\t" + framed)
    return Answer(b"\n".join(lines), outer.status)


def _differing(text: bytes, healthy: bytes) -> bytes:
    known, pieces = _pieces(healthy), _pieces(text)
    kept = []
    matcher = SequenceMatcher(None, known, pieces, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        kept += [b"@%d-%d" % (start + 1, end)] if kind == "equal" else pieces[first:last]
    return b"\n".join(kept)
