"""What a page does with an API, one request after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from relogin.parts.asked import (
    SAFE,
    Schema,
    at_path,
    body_of,
    fields_fillable,
    headers_of,
    schema_of,
    status_of,
)
from relogin.parts.configuration import FromEnv
from relogin.parts.part import fillable, listed, part, refuse, refuse_unless
from relogin.secret import Secret

_GIVEN = ("login", "email", "password", "totp")


@part
class Step:
    """Declare one request of a journey, and what is taken from its answer.

    `path`, `headers` and `fields` may hold `{login}`, `{email}`, `{password}`, `{totp}` and what an
    earlier step has kept. `keep` says what is kept: a name, and the dotted path in the JSON answer
    (`items.0.id`). What is kept as `token` goes along from then on as a bearer token; cookies do as
    in a browser. A method that can change something has to be declared `safe` to be sent.
    """

    method: str
    path: str
    fields: Mapping[str, Any] | None = None
    body: str = "json"
    headers: Mapping[str, str | Secret | FromEnv] = dataclasses.field(default_factory=dict)
    status: int = 200
    schema: Schema = None
    keep: Mapping[str, str] = dataclasses.field(default_factory=dict)
    safe: bool = False

    def __post_init__(self) -> None:
        at_path("Step", self.method, self.path)
        status_of("Step", self.status)
        body_of("Step", self.body)
        headers_of("Step", self.headers)
        object.__setattr__(self, "schema", schema_of("Step", self.schema))
        refuse_unless(
            self.safe or self.method in SAFE,
            f"Step: {self.name} can change something; say safe=True where it may be sent",
        )
        for name, path in self.keep.items():
            right = name.isidentifier() and name not in _GIVEN and isinstance(path, str) and path
            refuse_unless(
                right, f"Step: keep {name!r}: {path!r}; expected a name and a path in the answer"
            )

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@part
class Journey:
    """Name what a page does for an account, step by step; it ends at the first one that fails.

    `totp` is the key of its second factor (base32, as it is shown to people): `{totp}` is the code
    of the moment (RFC 6238: SHA-1, 30 s, 6 digits).
    """

    name: str
    account: str
    steps: tuple[Step, ...]
    totp: Secret | None = None

    def __post_init__(self) -> None:
        listed(self, "steps")
        refuse_unless(self.steps, f"Journey: {self.name!r} has no steps")
        known: tuple[str, ...] = _GIVEN if self.totp is not None else _GIVEN[:-1]
        for step in self.steps:
            if not isinstance(step, Step):
                refuse(f"Journey: steps has a {type(step).__name__}, expected Step(…)")
            what = f"Journey {self.name!r}: {step.name}"
            fillable(what, step.path, known)
            fields_fillable(what, step.fields, known)
            texts = {k: v for k, v in step.headers.items() if isinstance(v, str)}
            fields_fillable(what, texts, known)
            known += tuple(step.keep)
