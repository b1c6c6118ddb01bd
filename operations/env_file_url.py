"""A DATABASE_URL that no driver can use: characters that were not encoded, an unknown scheme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.fault import Fault
from relogin.finding import Finding
from relogin.operations.env_file_keys import expected, fix_keys
from relogin.operations.env_file_readers import disagreements
from relogin.operations.env_values import Wanted, corrected, own_keys, readable
from relogin.operations.url_values import repaired_url, why_unusable
from relogin.parts.configuration import DatabaseUrl, FromEnv

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
    used = backend.database.url if backend.database else None
    for file, state in readable(backend, seen):
        for key, declared in own_keys(backend, file, state).items():
            found, wanted = state.value(key), declared.keys[key]
            if found is None or not (isinstance(wanted, DatabaseUrl) or FromEnv(key) == used):
                continue
            explained = key in disagreements(backend, seen, file, state)
            known = wanted if isinstance(wanted, DatabaseUrl) else None
            if (why := why_unusable(seen, found, known)) and not explained:
                yield from _judged(seen, f"{file.path}:{key}", wanted, found, why)


def _judged(
    seen: Observation, subject: str, wanted: Wanted, found: str, why: str
) -> Iterator[Finding]:
    path, _, key = subject.rpartition(":")
    if not isinstance(wanted, DatabaseUrl) and corrected(wanted, found)[1]:
        return  # it is not the declared value: that one is written
    right = repaired_url(seen, wanted, found) if isinstance(wanted, DatabaseUrl) else None
    yield Finding(
        f"{key} in {path} is no URL that a database driver can use",
        subject=subject,
        seen=why,
        expected=expected(wanted),
        remedy="it is written with its password percent-encoded, as declared"
        if right
        else f"correct {key}: postgresql://USER:PASSWORD@HOST/DATABASE, with each of : / ? # [ ] @"
        " and % in the password percent-encoded (python3 -c 'import urllib.parse as u;"
        ' print(u.quote(input(), safe=""))\')',
        by_person=right is None,
    )


DATABASE_URL_UNPARSABLE = Fault(
    "env_file.database-url-unparsable",
    _detect,
    fix_keys,
    about="DATABASE_URL is no URL that a database driver can use",
    remedy="it is encoded anew where its password is declared, or PostgreSQL takes it as it stands",
    check=(
        "grep -oE '^DATABASE_URL=[a-z0-9+]*:' ENV_FILE",
        "grep -c '^DATABASE_URL=.*@.*@' ENV_FILE  # an @ of the password is written %40",
    ),
)
