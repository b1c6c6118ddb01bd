"""The one place where shell text is put together: POSIX sh, every value quoted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

# What every script may use. Reasons, each seen: a child that reads stdin eats the rest of the
# script, hence the braces around a whole script; `$(…)` drops NULs and final newlines, hence pipes;
# dash's echo interprets backslashes, hence printf. Each program that is started costs the host a
# millisecond, so what all parts want to know is asked once. Debian's psql is a Perl program that
# finds the real one and the server's socket: it takes longer than our queries.
PRELUDE = """\
LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin:/usr/local/bin; umask 077
cd / 2>/dev/null
within() { shift; "$@"; }
if command -v timeout >/dev/null; then within() { timeout "$@"; }; fi
if [ "$(printf x | base64 -w 0)" = eA== ]; then encode() { base64 -w 0; }
elif command -v base64 >/dev/null; then encode() { base64 | tr -d '\\n'; }
else encode() { printf hex:; od -An -v -tx1 | tr -d ' \\n'; }; fi
me=$(id -un); uid=$(id -u)
as_user() {
  as=$1; shift
  if [ "$me" = "$as" ]; then "$@"; return; fi
  if [ "$uid" != 0 ]; then sudo -n -u "$as" -- "$@"; return; fi
  gid=$(id -g "$as")
  if setpriv --reuid "$as" --init-groups --regid "$gid" true 2>/dev/null; then
    HOME=/ setpriv --reuid "$as" --init-groups --regid "$gid" -- "$@"
  elif command -v runuser >/dev/null; then runuser -u "$as" -- "$@"
  else su -s /bin/sh "$as" -c '"$0" "$@"' -- "$@"; fi
}
part() {
  printf '%s\\t' "$1"; shift
  { "$@" 2>&1; printf '\\n#rc=%s' "$?"; } </dev/null | encode; echo
}
psql_at() {
  psql=psql
  if [ -S "$2/.s.PGSQL.$1" ]; then
    for real in /usr/lib/postgresql/[1-9][0-9]/bin/psql; do [ ! -x "$real" ] || psql=$real; done
  else
    there=$(pg_lsclusters -h 2>/dev/null | awk -v p="$1" '$3 == p { print $1 "/" $2; exit }')
    psql="${there:+PGCLUSTER=$there }$psql"
  fi
  echo "$psql"
}
meta() {
  stat -Lc '%F|%a|%U|%G|%u|%g|%s|%y|%z' "$1" 2>/dev/null ||
    if [ -e "$1" ]; then echo hidden
    elif [ -L "$1" ]; then echo dangling
    elif [ -e "${1%/*}/." ] || [ ! -e "${1%/*}" ]; then echo none; else echo hidden; fi
}
"""


def quote(value: str) -> str:
    """Quote a value for sh; a NUL, which no argument can hold, is refused."""
    if "\0" in value:
        raise ValueError("a NUL character cannot be passed to a shell")
    return shlex.quote(value)


def words(values: Iterable[str]) -> str:
    """Quote each value and join them to a command."""
    return " ".join(map(quote, values))


def portable(script: str) -> str:
    r"""Give a script as text that every login shell hands on to `sh -c` as it is, once quoted.

    sshd has the user's own shell read the command: csh takes neither a newline nor `!` in quotes
    (csh(1), "History substitutions"), fish reads `\\` in them as one backslash (fish(1), "Quotes").
    """
    escaped = re.sub(r"[\n\\!']", lambda found: f"\\0{ord(found[0]):03o}", script)
    return f"""eval "$(printf %b '{escaped}')\""""


def exported(values: Mapping[str, str]) -> str:
    """Give the lines that put values into the environment of what a shell runs next."""
    return "".join(f"export {key}={quote(value)}\n" for key, value in values.items())


# A shell that reads its script from stdin may read more than that; its `read` takes no byte more.
_READER = """\
script=
while IFS= read -r line && [ "$line" != '#end' ]; do script="$script$line
"; done
eval "$script\""""


def reading(*, data: bool = False) -> list[str]:
    """Give the words of a shell that takes its script from stdin, and leaves the data behind it."""
    return ["sh", "-c", _READER] if data else ["sh", "-s"]


def fed(text: str, command: str, data: str = "") -> str:
    """Feed a command a text by the shell's builtin printf: in no argv and in no temporary file.

    `data` is a command whose output follows that text, for a shell that is `reading(data=True)`.
    """
    if data:
        return f"{{ printf '%s\\n#end\\n' {quote(text)}; {data}; }} | {command}"
    return f"printf '%s' {quote(text)} | {command}"


def side_by_side(parts: Mapping[str, str]) -> str:
    """Run all parts at once, their answers one after another: each waits in a pipe of its own.

    A value is the body of a shell function; its answer is one line `name TAB base64`. The
    function's own name is none that a shell may have taken: `source` is a builtin of some.
    """
    functions = [f"_{name}() {{\n{body}\n}}" for name, body in parts.items()]
    pipeline = ""
    for name in reversed(list(parts)):
        answer = f"part {quote(name)} _{name}"
        pipeline = f"{answer} | {{ {pipeline}; cat; }}" if pipeline else f"{answer}"
    return "\n".join([*functions, pipeline])


def one(name: str, script: str) -> str:
    """Run a script in a shell of its own, as a part whose answer is the end of what it writes."""
    run = f"(\n{script}\n) 2>&1; printf '\\n#rc=%s' \"$?\""
    return f"printf '%s\\t' {quote(name)}\n{{ {run}; }} </dev/null | tail -c 65536 | encode\necho"


def framed(script: str, *, prelude: str = PRELUDE, changes: bool = False) -> str:
    """Give the whole text for `sh -s`: nothing of it runs where its end did not arrive.

    What the script writes comes back between two marks, the last of which has its length and its
    sum: what another program wrote in between, or cut off, is told from it. It waits for a change
    that an earlier connection began and that still runs; `changes` makes it one of these.
    """
    return f"""\
exec 2>/dev/null
{{
{prelude}
whole() {{
{script}
}}
printf '\\n#relogin 2\\n'
{_WAIT}{_BEGUN if changes else ""}answer=$(whole)
{_ENDED if changes else ""}sum=$(printf %s "$answer" | sha256sum)
printf '%s\\n#end %s %s\\n' "$answer" "${{#answer}}" "$sum"
exit 0
}}
"""


# A change goes on where its connection is lost. While it runs, root has its process id under /run,
# with the moment that this process was started (field 22 of /proc/PID/stat, proc(5)). Who it is not
# to be waited for any longer is told which leases there are (relogin.lease), and what time it is.
_WAIT = """\
leases() {
  state=${XDG_STATE_HOME:-$HOME/.local/state}/relogin
  for one in /run/relogin-lease/*/[1-9]* "$state"/*/lease/[1-9]*; do
    [ ! -f "$one" ] || { printf '#lease %s\\n' "$one"; sed -n '1,4s/^/ /p' "$one"; }
  done
}
started() { sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; }
n=0
for busy in /run/relogin/[1-9]*; do
  while [ -e "$busy" ] && [ "$(cat "$busy")" = "$(started "${busy##*/}")" ]; do
    n=$((n + 1)); [ "$n" -lt 100 ] || {
      printf '#busy %s\\n' "${busy##*/} $(date +%s)"; leases; exit 0; }
    sleep 0.2
  done
done
"""
_BEGUN = """\
mkdir -p /run/relogin && { rm -f /run/relogin/[1-9]*; started "$$" >"/run/relogin/$$"; }
"""
_ENDED = 'rm -f "/run/relogin/$$"\n'
