"""Take what a run has changed back, as the deploy does."""

from relogin import Backend
from relogin.facts import alone, elsewhere
from relogin.remote import Answer
from relogin.undo import back
from tests.facts.answers import run


def looked(backend: Backend, wanted: str = "") -> tuple[list[str], str, dict[str, list[str]]]:
    """Give the names of all runs, the one that is meant, and its values' lines."""
    names, meant, *values = run(elsewhere.functions(backend) + back.look(backend, wanted)).lines
    answers = alone.answers(values)
    return names.split(), meant, {number: answer.lines for number, answer in answers.items()}


def taken_back(backend: Backend, wanted: str = "") -> list[Answer]:
    """Bring each value that is as the last run left it back, the last one first."""
    answers = []
    _, meant, values = looked(backend, wanted)
    for number in sorted(values, reverse=True):
        _, _, before, after, now, *_ = looked(backend, meant)[2][number]
        if after == now != before:
            script = elsewhere.functions(backend) + back.taken_back(backend, meant, number)
            answers.append(run(f"(\n{script}\n)"))
    return answers
