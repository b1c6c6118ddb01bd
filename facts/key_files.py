"""The files of the keys that sign and check tokens; a private key never leaves the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell
from relogin.finding import Unreadable
from relogin.parts.proof import KeyFile
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.remote import Answer


@dataclass(frozen=True)
class KeySeen:
    """A key's file: whether it is there and holds a key (None: not known), and who may read it.

    `readable` is for the user that the backend runs as; None where that could not be tried.
    """

    path: str
    there: bool
    sound: bool | None = None
    readable: bool | None = None
    owner: str = ""
    mode: str = ""


@dataclass(frozen=True)
class Keys:
    """Both files of a pair; `pem` is the public key's text, or what the private one gives for it.

    `pair` tells whether they belong together; None where that could not be told.
    """

    public: KeySeen
    private: KeySeen | None = None
    pair: bool | None = None
    pem: str = ""


def declared(backend: Backend) -> KeyFile | None:
    """Give the files of the keys of a backend's tokens, where they are declared."""
    key = backend.token.public_key if backend.token else None
    return key if isinstance(key, KeyFile) else None


def script(key: KeyFile, user: str | None) -> str:
    """Give the part of the look that asks for the files of a pair of keys.

    What comes back of a private key is a hash of its public part.
    """
    return _SCRIPT.format(
        public=shell.quote(key.path),
        private=shell.quote(key.private or ""),
        user=shell.quote(user or ""),
    )


_SCRIPT = """\
user={user}
der() {{ openssl pkey "$@" -pubout -outform DER 2>/dev/null | sha256sum | cut -c 1-64; }}
nothing=$(printf '' | sha256sum | cut -c 1-64)
said() {{
  meta "$1"
  tried=
  [ -z "$user" ] || {{ as_user "$user" test -r "$1"; tried=$?; }}
  hash=; ! command -v openssl >/dev/null || hash=$(der $2 -in "$1")
  [ "$hash" != "$nothing" ] || hash=none
  printf '%s\\n%s\\n' "$tried" "$hash"
}}
said {public} -pubin
[ -z {private} ] || said {private}
echo -----
if [ -e {public} ]; then cat {public}; else openssl pkey -in {private} -pubout 2>/dev/null; fi"""


def parse(key: KeyFile, answer: Answer) -> Keys | Unreadable:
    """Take the answer apart."""
    text = answer.text.decode(errors="replace")
    head, _, pem = text.partition("-----\n")
    lines = head.split("\n")[:-1]
    if len(lines) != (6 if key.private else 3):
        return Unreadable("the key files' part of the answer breaks off")
    if "hidden" in lines:
        return Unreadable("the key files are shown to root alone")
    public = _seen(key.path, *lines[:3])
    if key.private is None:
        return Keys(public, pem=pem)
    private = _seen(key.private, *lines[3:])
    both = public.sound and private.sound
    return Keys(public, private, lines[2] == lines[5] if both else None, pem)


def _seen(path: str, meta: str, readable: str, fingerprint: str) -> KeySeen:
    fields = meta.split("|")
    if len(fields) < 7 or not fields[0].startswith("regular"):
        return KeySeen(path, there=False)
    return KeySeen(
        path,
        there=True,
        sound=fingerprint != "none" if fingerprint else None,
        readable=readable == "0" if readable else None,
        owner=f"{fields[2]}:{fields[3]}",
        mode=fields[1],
    )
