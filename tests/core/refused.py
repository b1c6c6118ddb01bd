"""How a description is refused: in one line, with the place where it was written."""

from collections.abc import Callable
from typing import Any

import pytest

from relogin import ProfileError

Refusals = dict[str, tuple[Callable[[], Any], str]]


def is_refused(describe: Callable[[], Any], problem: str) -> None:
    with pytest.raises(ProfileError) as raised:
        describe()
    place, _, said = str(raised.value).partition(": ")
    assert problem == said
    code = describe.__code__
    assert f"{code.co_filename} line " == place[: len(code.co_filename) + 6]
    first = code.co_firstlineno
    assert first <= int(place.rpartition(" ")[2]) <= first + 6
    assert "\n" not in str(raised.value)
    assert "canary" not in str(raised.value).replace("u:canary@h", "")
