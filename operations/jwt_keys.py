"""The files of the keys that sign and check tokens: there, readable, and of one pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import undo
from relogin.facts.key_files import Keys
from relogin.fault import Change, Fault
from relogin.finding import Finding

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_PUBLIC_MODE = 0o644


def _detect_private(backend: Backend, seen: Observation) -> Finding | None:
    keys = seen.keys
    if not isinstance(keys, Keys) or keys.private is None:
        return None
    private = keys.private
    if private.there and private.sound is not False:
        return None
    return Finding(
        f"the private key {private.path}, which signs the tokens, is "
        + ("no key" if private.there else "missing"),
        subject=private.path,
        remedy=f"put {private.path} back from a backup: another pair would throw everybody out, and"
        " whoever checks tokens elsewhere has to get the new public key",
    )


def _detect_public(backend: Backend, seen: Observation) -> Finding | None:
    keys = seen.keys
    if not isinstance(keys, Keys) or (keys.public.there and keys.public.sound is not False):
        return None
    derived = not keys.public.there and keys.pem.startswith("-----BEGIN PUBLIC KEY")
    return Finding(
        f"the public key {keys.public.path}, which checks the tokens, is "
        + ("no key" if keys.public.there else "missing"),
        subject=keys.public.path,
        remedy=f"it is made of {keys.private.path}"
        if derived and keys.private
        else "put it back: openssl pkey -in PRIVATE -pubout",
        by_person=not derived,
    )


def _fix_public(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    keys = seen.keys
    assert isinstance(keys, Keys) and keys.private is not None  # noqa: S101, PT018 # else a person's
    owner = keys.private.owner.partition(":")[0]
    made = undo.made_file(backend, finding.subject, keys.pem, owner=owner, mode=_PUBLIC_MODE)
    yield Change(made, f"{finding.subject}: make it of {keys.private.path}")


def _detect_unreadable(backend: Backend, seen: Observation) -> Iterator[Finding]:
    keys = seen.keys
    for key in (keys.public, keys.private) if isinstance(keys, Keys) else ():
        if key is None or key.readable is not False or not key.there:
            continue
        user = getattr(backend.service, "user", None)
        yield Finding(
            f"{user}, as whom the backend runs, cannot read the key {key.path}",
            subject=key.path,
            seen=f"mode {key.mode}, owner {key.owner}",
            remedy=f"give it to {user} (chown {user}: {key.path}); its folders count, too",
        )


def _detect_pair(backend: Backend, seen: Observation) -> Finding | None:
    keys = seen.keys
    if not isinstance(keys, Keys) or keys.pair is not False or keys.private is None:
        return None
    return Finding(
        "the keys that sign and check the tokens are no pair",
        subject=keys.public.path,
        seen=f"{keys.public.path} is not the public part of {keys.private.path}",
        remedy="decide which one is right: tokens that are out were signed by the private key of"
        " then; its public part is had by: openssl pkey -in PRIVATE -pubout",
    )


_LISTED = ("ls -l KEY_FILES", "openssl pkey -in PRIVATE -noout -check")
PRIVATE_KEY_MISSING = Fault(
    "jwt.private-key-missing",
    _detect_private,
    about="the private key that signs the tokens is gone, or is no key",
    remedy="put it back from a backup: nobody may make it up",
    check=_LISTED,
)
PUBLIC_KEY_MISSING = Fault(
    "jwt.public-key-missing",
    _detect_public,
    _fix_public,
    unless=("jwt.private-key-missing",),
    about="the public key that checks the tokens is gone, or is no key",
    remedy="a missing one is made of the private key; one that is there is never overwritten",
    check=("ls -l KEY_FILES", "openssl pkey -pubin -in PUBLIC -noout"),
)
KEY_UNREADABLE = Fault(
    "jwt.key-unreadable",
    _detect_unreadable,
    about="the backend's user cannot read a key's file",
    remedy="owner and mode are named to you",
    check=("runuser -u USER -- test -r PRIVATE && echo it can",),
)
KEYS_NO_PAIR = Fault(
    "jwt.keys-no-pair",
    _detect_pair,
    about="the public key is not that of the private key",
    remedy="decide which one is right",
    check=(
        "openssl pkey -in PRIVATE -pubout | sha256sum",
        "openssl pkey -pubin -in PUBLIC -pubout | sha256sum",
    ),
)
FAULTS = (PRIVATE_KEY_MISSING, PUBLIC_KEY_MISSING, KEY_UNREADABLE, KEYS_NO_PAIR)
