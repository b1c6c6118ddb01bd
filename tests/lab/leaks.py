"""Where a known secret turned up: in what was printed, given to a program or written to a file."""

import base64
import binascii
import contextlib
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from . import canaries
from .host import Host

UNDO = "/var/lib/relogin/"
ALL = list(canaries.ALL)
# How what is planted begins, on hosts of every kind, and what the cases put in its place.
SIGNS = (canaries.PREFIX, *canaries.OF_CASES)


def leaks(text: str, secrets: Iterable[str]) -> list[str]:
    """List the secrets that a text holds in any form, also inside a payload in base64 or hex."""
    whole = "\n".join([text, *_decoded(text)])
    return [secret for secret in secrets if any(form in whole for form in forms(secret) if form)]


def forms(secret: str) -> set[str]:
    """Give how a text looks in a URL, in JSON, in Python, in a shell and in itself."""
    quoted = {quote(secret, safe=""), quote_plus(secret), quote(secret)}
    return {
        secret,
        *quoted,
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        shlex.quote(secret)[1:-1],
    }


def _decoded(text: str) -> Iterator[str]:
    for word in set(re.findall(r"[A-Za-z0-9+/_-]{16,}", text)):
        with_padding = word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4)
        with contextlib.suppress(binascii.Error):
            yield base64.b64decode(with_padding).decode("utf-8", "replace")
        if re.fullmatch("(?:[0-9a-f]{2})+", word):
            yield bytes.fromhex(word).decode("utf-8", "replace")


def given_to_programs(
    host: Host, secrets: Iterable[str], own: tuple[str, ...] = ()
) -> list[list[str]]:
    """List the command lines of programs, but the backends' own, that were given a secret.

    `own` are scripts of a backend whose environment has its secrets anyway.
    """
    given = [
        (each.argv, "\n".join(each.argv + ([] if {*own} & {*each.argv} else each.environ)))
        for each in host.execs()
        if "-api.service" not in each.cgroup
    ]
    found = leaks("\n".join({text for _, text in given}), secrets)
    return [argv for argv, text in given if found and leaks(text, found)]


def held_by_files(host: Host, secrets: Iterable[str], *, new: bool = False) -> list[str]:
    """List the files, but those of the undo store, that hold a secret; `new`: see Host."""
    holding = host.files_holding([form for secret in secrets for form in forms(secret)], new=new)
    return [path for path in holding if not path.startswith(UNDO)]


def assert_nothing_leaked(
    host: Host, holders: tuple[str, ...] = ("/srv/",), *, own: tuple[str, ...] = ()
) -> None:
    """Since Host.forget_execs: no program was given a secret, and no file but the holders' has one.

    `holders` are beginnings of paths: those of the env files. `own`: see given_to_programs.
    """
    given = given_to_programs(host, SIGNS, own)
    assert [] == given, f"a secret was given to {given}"
    held = [path for path in held_by_files(host, SIGNS, new=True) if not path.startswith(holders)]
    assert [] == held, f"a secret is in {held}"
