"""Ensure that the pair of keys is there that signs and checks tokens, where it may be made."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import onboarding, shell
from relogin.facts import bare as facts
from relogin.facts import key_files
from relogin.facts.key_files import Keys
from relogin.fault import Change

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.bare import Bare
    from relogin.facts.observation import Observation

_DEADLINE = 120
# RFC 7518, 3.3 and 3.4, and RFC 8037, 3.1: which keys an algorithm takes.
_CURVES = {"ES256": "P-256", "ES256K": "secp256k1", "ES384": "P-384", "ES512": "P-521"}
# It is made whole beside its place, by whoever owns the folder: that one may put links there.
_MAKE = """\
path={path}; owner={owner}; up=${{path%/*}}
while [ -n "$up" ] && [ ! -d "$up" ]; do up=${{up%/*}}; done
whose=$(stat -Lc %U "${{up:-/}}")
[ "$whose" = root ] || [ "$whose" = "$owner" ] || {{
  echo "${{up:-/}} belongs to $whose, not to $owner: give it to $owner, or move it away"; exit 1; }}
as_user "$whose" sh -c 'set -e; path=$1 owner=$2; shift 2
  [ ! -e "$path" ] && [ ! -L "$path" ] || exit 0
  umask 022; mkdir -p "${{path%/*}}"; umask 077; new=$(mktemp "$path.XXXXXX")
  openssl genpkey "$@" -out "$new" 2>/dev/null || {{ rm -f "$new"; echo openssl failed; exit 1; }}
  [ "$(id -un)" = "$owner" ] || chown "$owner:" "$new"
  sync "$new" 2>/dev/null || sync
  mv "$new" "$path"' sh "$path" "$owner" {words}
"""


@operation()
def made(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the private key is there, where it is declared as generated.

    One that is there stays as it is; the public one is then made of it by the catalogue's own fix.

    + backend: the backend, as described
    """
    yield from onboarding.step_by_look(backend, changes)


def changes(backend: Backend, seen: Observation, bare: Bare) -> Iterator[Change]:
    """Give the change that makes the private key on the host, where neither of the pair is there.

    Beside a public key no other pair is made: somebody checks tokens by it.
    """
    if not wanted(backend, seen):
        return
    declared = key_files.declared(backend)
    assert declared is not None and declared.private is not None  # noqa: S101, PT018 # it is wanted
    assert backend.token is not None  # noqa: S101 # it has the key
    script = _MAKE.format(
        path=shell.quote(declared.private),
        owner=shell.quote(facts.owner(backend)),
        words=shell.words(_words(backend.token.algorithm)),
    )
    what = f"{declared.private}: make a key for {backend.token.algorithm}"
    yield Change(script, what, deadline=_DEADLINE)


def wanted(backend: Backend, seen: Observation) -> bool:
    """Tell whether a pair is to be made: it is declared so, and neither of it is there."""
    declared = key_files.declared(backend)
    if declared is None or not declared.generated or not isinstance(seen.keys, Keys):
        return False
    keys = seen.keys
    return keys.private is not None and not keys.private.there and not keys.public.there


def _words(algorithm: str) -> list[str]:
    if algorithm == "EdDSA":
        return ["-algorithm", "ED25519"]
    if algorithm in _CURVES:
        return ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{_CURVES[algorithm]}"]
    return ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]
