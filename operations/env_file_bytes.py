"""Faults of an env file's bytes: no UTF-8, a byte order mark, the line ends of Windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import env_lines, env_text, undo
from relogin.env_lines import BOM
from relogin.facts.env_file import EnvFileState, UndecodableEnvFile
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.env_values import readable

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.configuration import EnvFile


def _detect_not_utf8(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for state in seen.env_files:
        if isinstance(state, UndecodableEnvFile):
            lines = ", ".join(map(str, state.lines[:5])) + ("…" if len(state.lines) > 5 else "")
            yield Finding(
                f"{state.path} is not UTF-8",
                subject=state.path,
                seen=f"line {lines}; python-dotenv fails, systemd does not start the unit, or"
                " starts it without any of the file's keys",
                remedy="write what is there in UTF-8, without NUL bytes: iconv -f latin1 -t utf8"
                " if it came from an old editor; only who wrote it knows what it should be",
            )


def _detect_bom(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """Find a BOM that hides a key: from systemd, sh, and python-dotenv up to 1.2.3."""
    for declared, state in readable(backend, seen):
        key = None if declared.is_unit else env_lines.hidden_by_bom(state.text)
        if key is not None:
            yield Finding(
                f"{declared.path} begins with a byte order mark, which hides {key}",
                subject=declared.path,
                seen="systemd, sh and older releases of python-dotenv take it for a part of the"
                " key's name",
                remedy="it is taken out",
                severity=Severity.CRITICAL if key in declared.keys else Severity.WARNING,
            )


def _fix_bom(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    for declared, state in readable(backend, seen):
        if declared.path == finding.subject:
            text = state.text.removeprefix(BOM)
            why = f"{declared.path}: take the byte order mark out"
            yield Change(undo.replaced_file(backend, state, text), why)


def _detect_crlf(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for declared, state in readable(backend, seen):
        lines = (
            env_lines.ending_in_crlf(state.text)
            if b"\r\n" in state.raw and not declared.is_unit
            else 0
        )
        if lines:
            mended = _with_unix_line_ends(declared, state) is not None
            yield Finding(
                f"{declared.path} has the line ends of Windows",
                subject=declared.path,
                seen=f"{lines} keys' lines end in CR LF: a shell takes the CR for part of a value",
                remedy="they become LF, outside of quotes" if mended else "run dos2unix on it",
                severity=Severity.CRITICAL if "sh" in declared.readers else Severity.WARNING,
                by_person=not mended,
            )


def _with_unix_line_ends(declared: EnvFile, state: EnvFileState) -> str | None:
    """Give the text with them; None where that changes what one reads whom they do not mislead."""
    text = env_lines.with_unix_line_ends(state.text)
    unmoved = (reader for reader in declared.readers if reader != "sh")
    same = all(env_text.values(text, each) == state.reading(each) for each in unmoved)
    return text if same else None


def _fix_crlf(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    for declared, state in readable(backend, seen):
        text = _with_unix_line_ends(declared, state)
        if declared.path == finding.subject and text is not None:
            why = f"{declared.path}: end its lines in LF"
            yield Change(undo.replaced_file(backend, state, text), why)


NOT_UTF8 = Fault(
    "env_file.not-utf8",
    _detect_not_utf8,
    about="an env file is not UTF-8, so that its readers refuse it",
    remedy="the lines are named: only who wrote them knows what they should be",
    check=("iconv -f utf8 -t utf8 ENV_FILE >/dev/null", "grep -naP '\\x00|[\\x80-\\xff]' ENV_FILE"),
)
BYTE_ORDER_MARK = Fault(
    "env_file.bom",
    _detect_bom,
    _fix_bom,
    about="an env file begins with a byte order mark that hides its first key",
    remedy="it is taken out",
    check=("head -c 3 ENV_FILE | od -An -tx1",),
)
CRLF = Fault(
    "env_file.crlf",
    _detect_crlf,
    _fix_crlf,
    about="an env file has the line ends of Windows",
    remedy="they become those of Unix, outside of quoted values",
    check=("file ENV_FILE", "grep -c $(printf '\\r') ENV_FILE"),
)
