"""Lines of an env file that cannot be parsed, and keys that come twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from relogin import env_lines
from relogin.env_lines import Problem
from relogin.facts.env_file import EnvFileState
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.env_file_keys import fix_keys
from relogin.operations.env_file_readers import disagreements, in_force
from relogin.operations.env_values import minded, own_keys, readable, regained
from relogin.parts.configuration import EnvFile

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _detect_unparsable(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for file, state in readable(backend, seen):
        lines = state.text.removeprefix(env_lines.BOM).splitlines()
        own = own_keys(backend, file, state)
        for problem in state.problems:
            key = problem.key
            # for systemd `;` begins a comment (systemd.exec(5)): only python-dotenv minds it
            note = lines[problem.line - 1].lstrip().startswith(";") and "sh" not in file.readers
            if key is not None and key in own and not state.value(key):
                yield _declared(backend, seen, own[key], state, problem, key)
            elif key is None or key not in file.keys or state.value(key):
                yield from () if note else (_other(backend, seen, file, state, problem),)


def _declared(
    backend: Backend,
    seen: Observation,
    declared: EnvFile,
    state: EnvFileState,
    problem: Problem,
    key: str,
) -> Finding:
    value, source = regained(backend, seen, declared, state, key)
    return Finding(
        f"{key} in {state.path} cannot be read: its line cannot be parsed",
        subject=f"{state.path}:{key}",
        seen=f"line {problem.line}: {_why(state.hidden & set(problem.hides))}",
        remedy=f"the line is written anew: {source}"
        if value
        else f"correct line {problem.line} by hand",
        by_person=value is None,
    )


def _why(lost: set[str]) -> str:
    why = "a quote that is not closed, text behind one, or no KEY=value at all"
    return f"{why}; it hides {', '.join(sorted(lost))}" if lost else why


def _other(
    backend: Backend, seen: Observation, file: EnvFile, state: EnvFileState, problem: Problem
) -> Finding:
    """Judge a line that no declared key needs: it may still hide some from a reader."""
    keys = minded(backend, file, state)
    unseen = {
        key
        for key in keys
        for reader in in_force(backend, seen, file)
        if state.value(key) and not state.reading(reader).get(key)
    }
    hides = state.hidden if state.refused else set(problem.hides) & state.hidden
    lost = unseen | (hides & set(keys))
    return Finding(
        f"line {problem.line} of {file.path} cannot be parsed",
        subject=f"{file.path}, line {problem.line}",
        seen=_why(lost),
        remedy=f"correct line {problem.line} by hand: close its quote, or make it a comment with #",
        severity=Severity.CRITICAL if lost else Severity.WARNING,
        by_person=True,
    )


def _detect_twice(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for file, state in readable(backend, seen):
        keys = minded(backend, file, state)
        differing = disagreements(backend, seen, file, state)
        for key, lines in state.duplicates.items():
            if key in keys and key not in differing:
                yield _twice(file, key, lines)


def _twice(declared: EnvFile, key: str, lines: Mapping[int, str | None]) -> Finding:
    *first, last = map(str, lines)
    same = len(set(lines.values())) == 1
    values = "with one value" if same else f"with other values: for every reader line {last} counts"
    return Finding(
        f"{key} comes more than once in {declared.path}",
        subject=f"{declared.path}:{key}",
        seen=f"lines {', '.join(map(str, lines))}, {values}",
        remedy=f"take line {', '.join(first)} out, so that nobody takes it for the one that counts",
        severity=Severity.NOTE if same else Severity.WARNING,
    )


UNPARSABLE_LINE = Fault(
    "env_file.unparsable-line",
    _detect_unparsable,
    fix_keys,
    about="a line of the env file cannot be parsed",
    remedy="a declared key's is written anew where its value is known; others are named to you",
    check=(
        "VENV/bin/dotenv -f ENV_FILE list >/dev/null",
        "grep -nvE '^(#|$|[A-Za-z_]+=)' ENV_FILE",
    ),
)
KEY_TWICE = Fault(
    "env_file.key-twice",
    _detect_twice,
    severity=Severity.WARNING,
    about="a declared key is in the env file more than once",
    remedy="the last one counts for every reader: take the others out",
    check=("cut -d = -f 1 ENV_FILE | sort | uniq -d",),
)
