"""Changes of files: their text, their owner, their mode."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from relogin import shell
from relogin.undo.store import store

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.env_file import EnvFileState


def replaced_file(backend: Backend, seen: EnvFileState, text: str) -> str:
    """Give the script that replaces a file's text atomically and keeps the old file.

    Owner, mode and a symlink stay. It fails if somebody changed the file since the look.
    """
    like_the_old = f"""\
beside "$real"
cp -p "$real" "$new"
{_OWNER_KEPT}"""
    return _placed(backend, seen.real_path, _unchanged(seen), like_the_old, text)


def made_file(backend: Backend, real_path: str, text: str, *, owner: str, mode: int) -> str:
    """Give the script that makes a file that is not there, atomically, with this owner and mode."""
    not_there = '[ ! -e "$real" ] || { echo "$real is there by now; run again"; exit 9; }'
    as_declared = f"""\
beside "$real"
chown {shell.quote(owner + ":")} "$new" || {{ echo "$real was not written"; exit 9; }}
chmod {mode:04o} "$new\""""
    return _placed(backend, real_path, not_there, as_declared, text)


def _placed(backend: Backend, real_path: str, check: str, made: str, text: str) -> str:
    return f"""\
{store(backend)}real={shell.quote(real_path)}
{check}
{made}
{shell.fed(text, 'cat >"$new"')}
keep "$real"; becomes "$new"
sync "$new" 2>/dev/null || sync
mv -f "$new" "$real"
"""


# cp -p does not fail where it cannot keep the owner (POSIX, cp, -p).
_OWNER_KEPT = """\
[ "$(stat -c %u:%g "$new")" = "$(stat -c %u:%g "$real")" ] ||
  { echo "$real was not written: its owner cannot be kept by $(id -un)"; exit 9; }"""


def _unchanged(seen: EnvFileState) -> str:
    was = sha256(seen.raw).hexdigest()
    return (
        f'[ "$(sha256sum <"$real" | cut -c1-64)" = {was} ] || '
        '{ echo "$real was changed by somebody else in this moment; run again"; exit 9; }'
    )


def given_to(backend: Backend, seen: EnvFileState, owner: str) -> str:
    """Give the script that gives a file to another owner.

    Its group follows only where the group has no rights: nobody else may come to read it. (chown
    knows no group that belongs to a number.)
    """
    real = shell.quote(seen.real_path)
    what = shell.quote(f"owner of {seen.path}")
    to = owner if seen.meta.mode & 0o070 or owner.isdecimal() else f"{owner}:"
    return f"{store(backend)}keep owner {real} {what}\nchown {shell.quote(to)} {real}\n"


def narrowed(backend: Backend, seen: EnvFileState) -> str:
    """Give the script that takes the rights of others from a file."""
    real, what = shell.quote(seen.real_path), shell.quote(f"mode of {seen.path}")
    return f"{store(backend)}keep mode {real} {what}\nchmod o= {real}\n"
