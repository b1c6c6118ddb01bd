"""Units of users' own service managers: `systemctl` without `--user` does not know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relogin.remote import Answer

# systemd.unit(5), "User Unit Search Path". Whose home may not be entered is passed over.
SCRIPT = """\
user_units() {
  for folder in /etc/systemd/user /run/systemd/user /usr/local/lib/systemd/user \\
    /usr/lib/systemd/user; do
    [ ! -f "$folder/$unit" ] || printf '*:%s\\n' "$folder/$unit"
  done
  { getent passwd || cat /etc/passwd; } 2>/dev/null |
    while IFS=: read -r name _ _ _ _ home _; do
      [ "${home:-/}" != / ] || continue
      for folder in "$home/.config/systemd/user" "$home/.local/share/systemd/user"; do
        [ ! -f "$folder/$unit" ] || printf '%s:%s\\n' "$name" "$folder/$unit"
      done
    done
}"""


def parse(answer: Answer | None) -> tuple[tuple[str, str], ...]:
    """Take apart what `user_units` wrote: (user, path), the user `*` for all of them."""
    lines = answer.lines if answer is not None else ()
    found = (line.partition(":") for line in lines if ":/" in line)
    return tuple(dict.fromkeys((user, path) for user, _, path in found))
