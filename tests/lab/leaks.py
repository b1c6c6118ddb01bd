"""Where a known secret turned up: in what was printed, given to a program or written to a file.

Every test on lab hosts is looked through by it, whatever it asserts itself: `Host.heal` and, where
a test did not heal a host that it used, tests/conftest.py hand the host back by
`assert_handed_back`, so that the test is red that leaked.
"""

import base64
import binascii
import contextlib
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from . import canaries
from .base import COMPOSE
from .compose.canaries import HOLDERS
from .execs import EXECS, FORGET, Exec, parse

if TYPE_CHECKING:
    from .host import Host

UNDO = "/var/lib/relogin/"
OURS = (UNDO, "/etc/relogin/")  # root's alone: what was overwritten, and what a schedule needs
WRITABLE = "/etc /home /opt /root /run /srv /tmp /var /dev/shm"
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
    execs: list[Exec], secrets: Iterable[str], own: tuple[str, ...] = ()
) -> list[list[str]]:
    """List the command lines of programs, but the backends' own, that were given a secret.

    `own` are scripts of a backend whose environment has its secrets anyway.
    """
    given = [
        (each.argv, "\n".join(each.argv + ([] if {*own} & {*each.argv} else each.environ)))
        for each in execs
        if "-api.service" not in each.cgroup
    ]
    found = leaks("\n".join({text for _, text in given}), secrets)
    return [argv for argv, text in given if found and leaks(text, found)]


def search(texts: Iterable[str], *, new: bool) -> str:
    """Give a script of root that lists the files that hold one of the texts; see Host."""
    lines = "\n".join(texts)
    # Rich has a flag and a bird whose names begin as what is planted does.
    skipped = f"/root/pristine {EXECS} /var/lib/postgresql /rich/_emoji_codes.py"
    found = f"grep -rlIFs -D skip -f $texts {WRITABLE}"
    if new:
        since = f"find {WRITABLE} -xdev -type f -cnewer {EXECS}/since -print0"
        found = f"{since} | xargs -0 -r grep -lIFs -f $texts"
    return f"""
    texts={EXECS}/texts
    cat >$texts <<'TEXTS'
{lines}
TEXTS
    {found} | grep -vF -e {" -e ".join(skipped.split())}
    rm $texts"""


def held_by_files(host: "Host", secrets: Iterable[str], *, new: bool = False) -> list[str]:
    """List the files, but those of the undo store, that hold a secret; `new`: see Host."""
    holding = host.files_holding(_all_forms(secrets), new=new)
    return [path for path in holding if not path.startswith(UNDO)]


def _all_forms(secrets: Iterable[str]) -> list[str]:
    return [form for secret in secrets for form in forms(secret)]


def assert_handed_back(host: "Host", script: str = ":") -> None:
    """Since the last time no program was given a secret, and no file but the env files has one.

    What the test's own console started does not count, nor a file from before Host.forget_execs. A
    script of root runs after the look, by the same command, whatever is found.

    Raises:
        AssertionError: with what was given a secret, or holds one; the next test does not see it.
        RuntimeError: the script failed.
    """
    look = f"{search(_all_forms(SIGNS), new=True)}\nprintf '\\0'; cat {EXECS}/log\n"
    done = host.console(["sh", "-s"], f"{look}{{\n{script}\n}} >&2\n{FORGET}".encode())
    use, holders = host.use, HOLDERS if host.suite == COMPOSE else ("/srv/",)
    allowed, own = (*holders, *use.holders, *OURS), use.own
    use.forget()
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-2000:]
        raise RuntimeError(f"{host.name}: it was not handed back ({done.returncode}): {said}")
    held, _, log = done.stdout.partition(b"\0")
    execs = list(parse(log))
    by_hand = {each.cgroup for each in execs if each.parent == 0}  # docker exec: of no parent there
    given = given_to_programs([each for each in execs if each.cgroup not in by_hand], SIGNS, own)
    assert [] == given, f"a secret was given to {given}"
    paths = [path for path in held.decode().splitlines() if not path.startswith(allowed)]
    assert [] == paths, f"a secret is in {sorted(paths)}"
