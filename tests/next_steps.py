"""What a next step has to be for a person: it names what to look at, to run or to change."""

import re

# How a name looks that no sentence has: in quotes, a path, a file, a key, a call, a number, an
# option.
_SHAPE = re.compile(r"^['\"`]\w|[/_=]\w|\w\.\w|\w\(|\d|^--?[a-z]")


def named(step: str) -> list[str]:
    """List the words of a next step that are names, by how they look."""
    return [word for word in step.split() if _SHAPE.search(word)]
