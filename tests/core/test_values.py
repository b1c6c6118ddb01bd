"""Our frozen dataclasses are what the library's are."""

import copy
import dataclasses
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from relogin.values import dataclass


class Point:
    x: int
    y: Any = 0
    hidden: str = field(default="kept back", repr=False)
    apart: int = field(default=0, compare=False)


class Named:
    """It says itself what it is."""

    x: int

    def __repr__(self) -> str:
        return "a name"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment] # as a class with __eq__ has it


def both(cls: type) -> list[Any]:
    """Make it by the library and by ours, from two classes of one text."""
    said = {name: it for name, it in vars(cls).items() if name not in {"__dict__", "__weakref__"}}
    copies = [type(cls.__name__, (), dict(said)) for _ in range(2)]
    return [dataclasses.dataclass(frozen=True)(copies[0]), dataclass(frozen=True)(copies[1])]


@pytest.mark.parametrize(
    "ask",
    [
        lambda cls: repr(cls(1, "two")),
        lambda cls: cls(1) == cls(1),
        lambda cls: cls(1) == cls(1, apart=5),
        lambda cls: cls(1) == cls(1, hidden="else"),
        lambda cls: cls(1) == (1, 0, "kept back"),
        lambda cls: cls(1) != cls(2),
        lambda cls: hash(cls(1)) == hash(cls(1, apart=5)),
        lambda cls: len({cls(1), cls(1), cls(2)}),
        lambda cls: repr(dataclasses.replace(cls(1), y=3)),
        lambda cls: dataclasses.asdict(copy.copy(cls(1))),
        lambda cls: dataclasses.astuple(copy.deepcopy(cls(1, [2]))),
        lambda cls: [one.name for one in dataclasses.fields(cls)],
        lambda cls: cls.__match_args__,
    ],
)
def test_it_answers_as_the_library_does(ask):
    theirs, ours = both(Point)
    assert ask(theirs) == ask(ours)


def test_what_is_in_another_class_is_not_equal():
    ours, others = (both(Point)[1] for _ in range(2))
    assert ours(1) != others(1)


@pytest.mark.parametrize("name", ["x", "apart", "unknown"])
def test_nothing_of_it_can_be_set_or_deleted(name):
    for cls in both(Point):
        made = cls(1)
        with pytest.raises(FrozenInstanceError):
            setattr(made, name, 5)
        with pytest.raises(FrozenInstanceError):
            delattr(made, name)
        assert "Point(x=1, y=0, apart=0)" == repr(made)


def test_what_cannot_be_hashed_says_so():
    for cls in both(Point):
        with pytest.raises(TypeError, match="unhashable type: 'list'"):
            hash(cls([]))


def test_what_a_class_says_itself_stays():
    for cls in both(Named):
        assert "a name" == repr(cls(1))
        assert cls(1) == cls(2)


def test_a_wrong_argument_is_refused_alike():
    for cls in both(Point):
        with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
            cls(1, z=2)
