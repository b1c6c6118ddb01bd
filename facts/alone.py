"""How a fact works alone: the same script and parser as in the look, in an ordinary command.

What it writes pyinfra may show (`-vvv`), so a script that is used alone redacts on the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pyinfra.api import QuoteString, StringCommand

from relogin import shell
from relogin.finding import Unreadable
from relogin.remote import Answer, answer_in

T = TypeVar("T")

# The patterns of relogin.redaction.redact_foreign, for sed. A URL loses a name without a password,
# too (it may be a token), and the journal the value that systemd could not decode.
REDACT = (
    "sed -E"
    " -e 's#://[^@/[:space:]]*@#://***@#g'"
    " -e 's/eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*/***/g'"
    " -e 's/\\$(2[abxy]|argon2[a-z]*|scrypt|pbkdf2[a-z0-9-]*)\\$[^[:space:]]+/***/g'"
    " -e 's/(pbkdf2_[a-z0-9]+|scrypt|argon2|bcrypt[a-z0-9_]*)\\$[^[:space:]]+/***/g'"
    " -e 's/SCRAM-SHA-256\\$[^[:space:]]+/***/g'"
    " -e 's/input_value=.*/input_value=***/'"
    " -e 's/(for key [^[:space:]]+: ).*/\\1***/'"
    " -e 's/(unterminated quoted value |unexpected character .+ in variable name "
    "|Invalid template: |required variable [^ ]+ is missing a value: ).+/\\1***/'"
    " -e 's/(startup BLOCKED[^:]*secrets): /\\1 /'"
    " -e 's/((password|secret|token|passwd|(api|private)_?key)[A-Za-z0-9_]*[\"]?[[:space:]]*"
    "[=:][[:space:]]*)[^[:space:]]+/\\1***/Ig'"
)


def command(parts: Mapping[str, str]) -> StringCommand:
    """Give the command that runs the parts side by side; it ends with status 0, come what may."""
    script = f"exec 2>/dev/null\n{shell.PRELUDE}\n{shell.side_by_side(parts)}\nexit 0"
    return StringCommand("sh", "-c", QuoteString(shell.portable(script)))


def answers(output: Iterable[str]) -> dict[str, Answer]:
    """Give the parts' answers by name; a line that is none is left out."""
    return dict(pair for line in output if (pair := answer_in(line)) is not None)


def parsed(output: Iterable[str], name: str, parse: Callable[[Answer], T]) -> T | Unreadable:
    """Give what `parse` makes of one part's answer."""
    answer = answers(output).get(name)
    if answer is None:
        return Unreadable("the host gave no answer")
    try:
        return parse(answer)
    except Exception as error:  # noqa: BLE001 # out of a fact it would abort every host
        return Unreadable(f"its answer could not be understood ({type(error).__name__})")
