"""Whether a JSON body is as a schema says; the body itself is never told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relogin.finding import Unreadable, legible

if TYPE_CHECKING:
    from relogin.parts.asked import Schema
    from relogin.web import Reply

_SHOWN = 3


def wrong(schema: Schema, reply: Reply) -> str | Unreadable:
    """Say in a line where a body breaks its schema, in the schema's own words; empty if nowhere.

    A schema that is none, or cannot be read, is Unreadable. References lead into the schema alone:
    nothing is fetched (JSON Schema, draft 2020-12, unless `$schema` names another).
    """
    from jsonschema import SchemaError, validators
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    rules = _read(schema)
    if isinstance(rules, Unreadable):
        return rules
    kind = validators.validator_for(rules, default=validators.Draft202012Validator)
    try:
        kind.check_schema(rules)
        broken = list(kind(rules, registry=Registry()).iter_errors(reply.json))
    except SchemaError as error:
        return Unreadable(f"the schema is none: {_short(error.json_path)}")
    except Unresolvable as error:
        return Unreadable(f"the schema has no {_short(error.ref)}")
    except (RecursionError, ValueError, TypeError) as error:  # a pattern that is none, and the like
        return Unreadable(f"the schema cannot be used ({type(error).__name__})")
    if broken and reply.json is None:
        return f"the body is no JSON ({_short(_media(reply)) or 'it has none'})"
    told = [f"{_short(one.json_path)}: {_rule(one)}" for one in broken[:_SHOWN]]
    more = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
    return "; ".join(told) + more


def _read(schema: Schema) -> dict[str, Any] | Unreadable:
    if isinstance(schema, Mapping):
        return dict(schema)
    path = Path(str(schema))
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return Unreadable(f"{path}: {error.strerror}")
    except (ValueError, RecursionError):
        return Unreadable(f"{path} is no JSON")
    return read if isinstance(read, dict) else Unreadable(f"{path} holds no JSON Schema")


def _rule(error: Any) -> str:
    """Give the rule that is broken: of what is required, the names that there are not."""
    if error.validator == "required" and isinstance(error.instance, Mapping):
        lacking = [name for name in error.validator_value if name not in error.instance]
        return f"lacks {_short(', '.join(lacking))}"
    return f"is not {error.validator} {_short(json.dumps(error.validator_value, default=str))}"


def _media(reply: Reply) -> str:
    return reply.headers.get("content-type", "").partition(";")[0].strip()


def _short(text: str) -> str:
    return legible(text if len(text) <= 80 else f"{text[:79]}…")
