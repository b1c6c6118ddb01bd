"""All mistakes of a description in one go: a part that has one stands there, and is not judged.

Else the first one raises, which is what a run needs: see `part.refuse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_MARK = "_mistaken"
_collecting: list[list[str]] = []


@contextmanager
def collected() -> Iterator[list[str]]:
    """Collect the mistakes of the parts that are made meanwhile, one line for each."""
    found: list[str] = []
    _collecting.append(found)
    try:
        yield found
    finally:
        _collecting.remove(found)


def made(
    self: Any, init: Callable[..., None], args: tuple[Any, ...], fields: Mapping[str, Any]
) -> None:
    """Make a part; where mistakes are collected, keep its own, and leave out what follows from one.

    What is made of a mistaken part may seem wrong for that alone: it is judged by the next check.
    """
    if not _collecting:
        init(self, *args, **fields)
        return
    follows = any(map(mistaken, (*args, *fields.values())))
    try:
        init(self, *args, **fields)
        wrong = False
    except Exception as error:
        from relogin.errors import ProfileError  # pyinfra takes long to import

        wrong = True
        if not follows and not isinstance(error, ProfileError):
            raise
        if not follows:
            _collecting[-1].append(str(error))
    if wrong or follows:
        object.__setattr__(self, _MARK, True)


def mistaken(value: object) -> bool:
    """Tell whether a part has a mistake, or holds one that has."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(mistaken, _parts(value)))
    return getattr(value, _MARK, False) is True


def _parts(values: Iterable[object]) -> Iterator[object]:
    return (one for one in values if not isinstance(one, str))
