"""Frozen dataclasses that share their methods: a hundred of them are made as a run begins.

`dataclasses` compiles six methods for each class, which took 0.6 ms a class with Python 3.11, a
tenth of a short run; here it compiles `__init__` alone. All else of them is as the library has it.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool) -> Callable[[type], type]:
        """Make a class a frozen dataclass, as `dataclasses.dataclass(frozen=True)` does."""
        assert frozen  # noqa: S101 # for the others there is the library's own
        return _made


__all__ = ["dataclass"]


def _made(cls: type) -> type:
    cls.__doc__ = cls.__doc__ or cls.__name__  # else the library works a signature out
    made: type = dataclasses.dataclass(eq=False, repr=False)(cls)
    for method in (__eq__, __hash__, __repr__, __setattr__, __delattr__):
        if method.__name__ not in cls.__dict__:
            setattr(made, method.__name__, method)
    return made


@cache
def _compared(cls: Any) -> tuple[str, ...]:
    fields = dataclasses.fields(cls)
    return tuple(one.name for one in fields if one.compare)


def _values(self: Any) -> tuple[Any, ...]:
    names = _compared(type(self))  # type: ignore[arg-type] # every class is hashable
    return tuple(getattr(self, name) for name in names)


def __eq__(self: Any, other: object) -> Any:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def __hash__(self: Any) -> int:
    return hash(_values(self))


def __repr__(self: Any) -> str:
    shown = [one.name for one in dataclasses.fields(self) if one.repr]
    fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{type(self).__qualname__}({fields})"


def __setattr__(self: Any, name: str, value: object) -> None:
    """Let `__init__` set each field once, and nobody anything after that."""
    if name in self.__dict__ or name not in self.__dataclass_fields__:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def __delattr__(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
