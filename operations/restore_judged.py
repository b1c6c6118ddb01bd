"""What keeps a backup from being restored, and what has to be confirmed: pure, and said before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import passwords
from relogin.facts.accounts_sql import DEFAULTS
from relogin.facts.revisions import Migrations
from relogin.operations.accounts_hash import WELL_KNOWN
from relogin.parts.runtime import Compose
from relogin.secret import Secret, SecretMissing

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target
    from relogin.facts.side_database import Kept, Sides
    from relogin.operations.restore_look import Difference
    from relogin.remote import Answer

_SHOWN = 20


def impossible(backend: Backend) -> str:
    """Say what keeps this backend's database from being restored at all; '' where nothing does."""
    if backend.login is None:
        return f"{backend!r} declares no login: what was restored could not be proven"
    return untestable(backend)


def untestable(backend: Backend) -> str:
    """Say what keeps a backup from being restored beside the live database; '' where it can be."""
    if backend.accounts is None:
        return f"{backend!r} declares no accounts: they could not be compared with the backup's"
    if backend.database is not None and backend.database.admin is None:
        return f"{backend!r} has no administrator, and one is needed to make and switch databases"
    return ""


def unfit(backend: Backend, of: Target, kept: Kept, sides: Sides) -> str:
    """Say why this backup is not restored here; '' where it can be."""
    if kept.problem:
        return f"backup {kept.name or '?'}: {kept.problem}"
    head = kept.head
    if head.get("database") != of.database or head.get("backend") != backend.name:
        other = f"database {head.get('database')} of backend {head.get('backend')}"
        return f"backup {kept.name} is of {other}: another one than {of.database}"
    if of.database not in sides.databases:
        return f"there is no database {of.database}: make it, then restore"
    if sides.standby:
        return "the server is a standby, and databases are switched on the primary"
    if sides.lacking:
        return f"the administrator is no superuser, and {'; '.join(sides.lacking)}"
    if sides.prepared or sides.slots:
        what = "prepared transactions" if sides.prepared else "logical replication slots"
        return f"{of.database} has {what}, which a switch of databases would end"
    if missing := sorted({*head.get("roles", ())} - {*sides.roles}):
        return f"roles of the backup are missing: {', '.join(missing)}; see its roles.sql"
    needed, room = _needed(kept), sides.room
    if room is not None and room < needed:
        return f"{room // 2**20} MB are left for the server, {needed // 2**20} MB may be needed"
    return ""


def _needed(kept: Kept) -> int:
    """Give the bytes that a restore takes: the database, and as much of its log again."""
    return int(kept.head.get("size", 0) * 2.2) + 20 * 2**20


def other_schema(backend: Backend, kept: Kept, found: Difference, seen: Observation) -> str:
    """Say that the backup has another schema than the live database; '' where it has not.

    Nor where it is an older one that the declared migrations bring forward: the live database has
    all of them, so one of them that reached it by mistake would find nothing to do.
    """
    if kept.migrations == found.live.migrations or _migrates(backend, kept, found, seen):
        return ""
    lacking = sorted({*found.live.migrations} - {*kept.migrations})
    more = sorted({*kept.migrations} - {*found.live.migrations})
    what = f"lacks migration {', '.join(lacking)}" if lacking else f"has {', '.join(more)} as well"
    return f"the backup's schema is another one: it {what}; release the revision that it fits first"


def _migrates(backend: Backend, kept: Kept, found: Difference, seen: Observation) -> bool:
    known = seen.migrations
    if not isinstance(known, Migrations) or known.pending or isinstance(backend.service, Compose):
        return False
    before = {*known.ids, *(found.live.migrations if known.each else ())}
    return bool(kept.migrations) and {*kept.migrations} <= before


def taken_away(backend: Backend, kept: Kept, found: Difference) -> Iterator[str]:
    """Say what the live database has and the backup has not: by name, and by number."""
    if found.created:
        yield f"accounts made since: {_listed(found.created)}"
    if found.changed:
        yield f"accounts that are others now: {_listed(found.changed)}"
    if found.come_back:
        yield f"accounts that were removed since, and come back: {_listed(found.come_back)}"
    for table in kept.head.get("tables", ()):
        now, then = found.live.rows.get(table, 0), kept.rows.get(table, 0)
        if now > then:
            yield f"table {table} has {now - then} rows more than in the backup"
    if backend.token is None and backend.login is not None:
        yield "sessions are rows of the database: who logged in since has to log in again"


def untouched(kept: Kept, found: Difference) -> bool:
    """Tell whether a backup that was restored is still what is live: its accounts and its rows.

    Tables that are not declared may have more: sessions are rows, and each login is one.
    """
    declared, live = {*kept.head.get("tables", ())}, found.live.rows
    return not (found.now or found.then) and all(
        live.get(table, 0) == rows if table in declared else live.get(table, 0) >= rows
        for table, rows in kept.rows.items()
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(sorted(names)[:_SHOWN]) + more


def tokens(backend: Backend, found: Difference) -> str:
    """Say whether tokens stay good: by the ids and names that they carry, and an untouched key."""
    if others := backend.token and backend.token.subject == "id" and found.taken_over:
        return (
            f"{_listed(others)}: another one's id in the backup, and so in the tokens that they"
            " have: rotate the JWT secret right behind the restore (deploys/rotate_secret.py)"
        )
    if found.moved:
        return f"{_listed(found.moved)}: another id or name in the backup; they log in again"
    return f"tokens stay good: {found.same} accounts are the same, and the secret is not touched"


def sessions(sides: Sides) -> str:
    """Say how many are connected to the live database: each session ends, and begins again."""
    if not sides.sessions:
        return "nobody is connected"
    each = (f"{n} as {role}{f' ({name})' if name else ''}" for n, role, name in sides.sessions)
    return f"connected now: {', '.join(each)}"


def bad_accounts(backend: Backend, answer: Answer) -> Iterator[str]:
    """Say which accounts beside must not become live: a known password, or not the declared one."""
    assert backend.accounts is not None  # noqa: S101 # impossible() has seen to it
    rows = [json.loads(line) for line in answer.lines]
    stored = {row["login"]: row["hash"] or "" for row in rows}
    for text in stored.values():
        Secret.seen(text)
    for login, hashed in stored.items():
        words = (word.format(login=login.lower()) for word in WELL_KNOWN)
        if login.lower() in DEFAULTS and any(passwords.verify(word, hashed) for word in words):
            yield f"account {login} has a password that everybody knows"
    for account in backend.accounts.present:
        if account.login not in stored:
            yield f"account {account.login} is not in the backup"
    assert backend.login is not None  # noqa: S101 # as above
    own = backend.account(backend.login.account)
    if own.password is not None and _differs(own.password, stored.get(own.login, "")):
        yield f"account {own.login} has another password in the backup than the declared one"


def _differs(declared: Secret, stored: str) -> bool:
    try:
        return passwords.verify(declared.reveal(), stored) is False
    except SecretMissing:
        return False
