"""What kinds of values are kept: how each is told from what it was, kept, and put back.

A kind is three shell functions on the value whose folder is `$v`: KIND_state prints what tells it
from another value (never the value itself), KIND_save keeps what it is now, KIND_back makes it what
`$v` has kept. When it is put back, what it is until then is kept in `$w`, as another run's value.
"""

from __future__ import annotations

from relogin import shell, sql

# A state that nobody could see is none: then the function fails.
_COMMON = """\
fingerprint() { sha256sum | cut -c 1-64; }
there() { [ -e "$1" ] || [ -L "$1" ]; }
at() { v=$1; kind=$(cat "$v/kind"); path=$(text "$v/path"); path=${path%.}; }
text() { if [ -e "$1" ]; then cat "$1"; fi; echo .; }
state() { "${kind}_state"; }
save() { "${kind}_save"; }
back() { "${kind}_back"; }
settle() { [ "$kind" != distributions ] || distributions_settle; }
set_rights() { chown -h "$1" "$3" && { [ -L "$3" ] || chmod "$2" "$3"; }; }
"""

# A file's content, or where a link leads, or that there is nothing; who may read it is another
# value, so a file that is there keeps its owner and mode. What was not there is removed again: it
# is one that the run itself has made, and was not touched since.
_FILE = """\
file_state() { state_of "$path"; }
state_of() {
  if [ -L "$1" ]; then printf 'link '; readlink "$1" | fingerprint
  elif [ -f "$1" ]; then [ -r "$1" ] && printf 'file ' && fingerprint <"$1"
  elif [ -d "$1" ]; then echo folder
  elif [ -e "$1" ]; then echo special
  else echo absent; fi
}
file_save() {
  ! there "$path" || stat -c '%u:%g %a' "$path" >"$v/rights" || return
  if [ -L "$path" ]; then cp -P "$path" "$v/former"
  elif [ -f "$path" ]; then cat <"$path" >"$v/former" && touch -r "$path" "$v/former"; fi
}
beside() { rm -f "$1".relogin-??????; new=$(mktemp "$1.relogin-XXXXXX"); }
file_back() {
  owner=; mode=; if [ -e "$v/rights" ]; then read -r owner mode <"$v/rights"; fi
  case $(cat "$v/before") in
    absent) if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir "$path"; else rm -f "$path"; fi ;;
    folder) mkdir "$path" && set_rights "$owner" "$mode" "$path" ;;
    link*) rm -f "$path" && cp -P "$v/former" "$path" && set_rights "$owner" "$mode" "$path" ;;
    file*)
      if [ -L "$path" ]; then rm -f "$path"
      elif [ -f "$path" ]; then owner=$(stat -c %u:%g "$path"); mode=$(stat -c %a "$path"); fi
      beside "$path" && cat "$v/former" >"$new" &&
        set_rights "$owner" "$mode" "$new" && touch -r "$v/former" "$new" &&
        { sync "$new" 2>/dev/null || sync; } && mv -f "$new" "$path"
      ;;
    *) return 1 ;;
  esac || return
  case $path in /etc/systemd/* | /run/systemd/*) within 30 systemctl daemon-reload ;; esac
}
"""

_RIGHTS = """\
mode_state() { stat -Lc %a "$path" 2>/dev/null || echo absent; }
mode_save() { :; }
mode_back() { chmod "$(cat "$v/before")" "$path"; }
owner_state() { stat -Lc %u:%g "$path" 2>/dev/null || echo absent; }
owner_save() { :; }
owner_back() { chown "$(cat "$v/before")" "$path"; }
"""

_UNIT = """\
unit_state() { within 30 systemctl is-enabled "$path" 2>/dev/null | grep .; }
unit_save() { :; }
unit_back() {
  case $(cat "$v/before") in
    enabled) within 30 systemctl enable "$path" ;;
    disabled) within 30 systemctl disable "$path" ;;
    *) return 1 ;;
  esac
}
"""

# Whether a timer is on: enabled, and active. One that is gone is neither.
_TIMER = """\
timer_state() {
  active=$(within 30 systemctl is-active "$path" 2>/dev/null | grep .) || return
  [ "$active" = active ] || active=inactive
  case $(within 30 systemctl is-enabled "$path" 2>/dev/null) in
    enabled) echo "enabled $active" ;;
    *) echo "disabled $active" ;;
  esac
}
timer_save() { :; }
timer_back() {
  within 30 systemctl daemon-reload
  case $(cat "$v/before") in
    enabled*) within 30 systemctl -q enable "$path" ;;
    *) within 30 systemctl -q disable "$path" ;;
  esac || return
  case $(cat "$v/before") in
    *' active') within 30 systemctl restart "$path" ;;
    *) within 30 systemctl stop "$path" ;;
  esac
}
"""

# A whole folder, which is too large to copy: the one that was there is renamed, never deleted. It
# is known by its pyvenv.cfg, for a rename may also be a copy (of a lower layer, overlayfs).
_FOLDER = """\
folder_state() {
  if [ -L "$path" ]; then file_state
  elif [ -d "$path" ]; then echo "folder $(stat -c '%y %s' "$path/pyvenv.cfg" 2>/dev/null)"
  else echo absent; fi
}
folder_save() {
  aside=$path.$word-$run; n=0
  while there "$aside"; do n=$((n + 1)); aside=$path.$word-$run-$n; done
  put aside "$aside"
}
aside_of() { aside=$(text "$1/aside"); aside=${aside%.}; }
folder_back() {
  aside_of "$v"; former=$aside; was=$(cat "$v/before")
  [ "$was" = absent ] || there "$former" || { printf '%s is gone\\n' "$former"; return 1; }
  aside_of "$w"
  ! there "$path" || mv "$path" "$aside" || return
  [ "$was" = absent ] || mv "$former" "$path"
}
"""

# A piece of SQL that stands for the value (a literal, a word, a whole statement), as hex: so it is
# one line, and can be fed to psql again. `read` selects it; `write` is the statement that changes
# it, with :from and :to for the pieces (psql's own variables, which it puts in verbatim). It
# is left out, and #already said, where the value is another one by now, or `sql_still` does not
# hold: of several hosts with one database, one makes the change.
_SQL = """\
psql_run() { eval "$(cat "$v/psql") -X -qAt -v ON_ERROR_STOP=1"; }
sql_piece() { { printf '%s\\n' "$sql_read"; cat; } | psql_run; }
sql_state() {
  piece=$(sql_piece <"$v/read") || return
  if [ -n "$piece" ]; then printf '%s\\n' "$piece" | fingerprint; else echo absent; fi
}
sql_save() { sql_piece <"$v/read" >"$v/former" && [ -s "$v/former" ]; }
sql_still=true
sql_due() {
  printf 'select coalesce((%s), %s) = %s and (%s) as due \\\\gset\\n' \
    "$(sed '$s/; *$//' "$v/read")" "''" "'$(cat "$1")'" "$sql_still"
}
sql_put() {
  {
    printf '%s\\n' "$sql_write"
    printf "select convert_from(decode('%s', 'hex'), 'UTF8') as \\"from\\",\\n" "$(cat "$1")"
    printf " convert_from(decode('%s', 'hex'), 'UTF8') as \\"to\\"\\n" "$(cat "$2")"
    printf '%s\\n' "$sql_begin"; sql_due "$1"; printf '\\\\if :due\\n'; cat "$v/write"
    printf '\\n\\\\else\\n\\\\echo #already\\n\\\\endif\\ncommit;\\n'
  } | psql_run
}
sql_back() { sql_put "$w/former" "$v/former" >/dev/null; }
"""

# All distributions that a run of pip added or replaced are one value: they belong together.
_DISTRIBUTIONS = """\
python_of() (
  limit=env; if command -v timeout >/dev/null; then limit='timeout 120'; fi
  as_user "$(stat -Lc %U "$path")" $limit env HOME=/ "$path/bin/python" -I -B -c "$program" "$@"
)
listed() { python_of list "$path" </dev/null; }
_of='BEGIN { while ((getline line < ENVIRON["names"]) > 0) { split(line, word, " "); n[word[1]] } }'
only() { names=$1 awk "$_of"' $1 in n'; }
without() { names=$1 awk "$_of"' !($1 in n)'; }
distributions_state() {
  list=$(listed) || return
  printf '%s\\n' "$list" | if [ -e "$v/names" ]; then only "$v/names"; else cat; fi | fingerprint
}
distributions_save() {
  : >"$v/former"
  if [ -e "$v/names" ]; then python_of tar "$path" $(cat "$v/names") </dev/null >"$v/former"
  else : >"$v/report"; : >"$v/risk"; listed >"$v/list"; fi
}
distributions_settle() {
  [ -e "$v/list" ] || return 0
  : >"$v/seen"; listed >"$v/seen" || return
  sort "$v/list" "$v/seen" | uniq -u | cut -d ' ' -f 1 | sort -u >"$v/changed"
  only "$v/changed" <"$v/list" | without "$v/risk" | cut -d ' ' -f 1,2 | sort -u >"$v/lost"
  without "$v/lost" <"$v/changed" >"$v/names"
  only "$v/names" <"$v/list" | fingerprint >"$v/before"
  rm -f "$v/list" "$v/report" "$v/seen"
}
distributions_back() { python_of back "$path" $(cat "$v/names") <"$v/former"; }
"""


_BEGIN = f"\\gset\nbegin isolation level read committed; {sql.LOCK}"
_QUOTED = "".join(
    f"{name}={shell.quote(text)}\n"
    for name, text in (("sql_read", sql.READ), ("sql_write", sql.WRITE), ("sql_begin", _BEGIN))
)
KINDS = "".join((_COMMON, _FILE, _RIGHTS, _UNIT, _TIMER, _FOLDER, _SQL, _DISTRIBUTIONS, _QUOTED))
