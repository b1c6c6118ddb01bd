"""The scripts that look at a server which nobody has described yet."""

from __future__ import annotations

from relogin import shell, sql

# A service counts if it starts a server of Python; what packages install is none of the user's.
_SERVERS = "uvicorn|gunicorn|hypercorn|daphne|waitress-serve|manage[.]py|uwsgi|python"
# Of a container: the project's files, what these call env files, its volumes, and what lies where
# it works, which only its own shell sees.
_CONTAINER = r"""
container() {
  told=$(docker inspect --format '{{with .Config.Labels}}files={{index . "LABEL.config_files"}}
given={{index . "LABEL.environment_file"}}{{end}}
inside={{.Config.WorkingDir}}
{{range .Mounts}}{{if eq .Type "volume"}}volume={{.Name}}
{{end}}{{end}}' "$1")
  printf '%s\n' "$told" | grep .
  printf '%s\n' "$told" | sed -n 's/^files=//p' | tr ',' '\n' | while read -r file; do
    [ ! -f "$file" ] || awk 'ENV_FILES' "$file" | sort -u | while read -r each; do
      each=$(cd "$folder" 2>/dev/null && readlink -f -- "$each") && [ -f "$each" ] &&
        printf 'EnvironmentFiles=%s (ignore_errors=no)\n' "$each"
    done
  done
  within 20 docker exec "$1" sh -c '
    for each in alembic.ini manage.py; do [ ! -f "$each" ] || echo "has=$each"; done
    find . -maxdepth 5 -name "*.py" -size -200k ! -path "*/site-packages/*" 2>/dev/null |
      head -n 200 | tr "\n" "\0" | xargs -0 grep -ohE "$0" |
      tr -d "\"\047" | sort | uniq -c | sed "s/^ */code=/"' \
    "['\"](HS|RS|ES|PS)(256|384|512)['\"]" 2>/dev/null || :
}
""".replace("LABEL", "com.docker.compose.project")
# YAML of one kind: `env_file: a`, `env_file: [a, b]`, or a list below it, of names or of `path:`.
ENV_FILES = r"""
  function tell(name) { gsub(/["\047]/, "", name); sub(/^path: */, "", name); sub(/ +#.*/, "", name)
    if (name != "") print name }
  /^ *env_file:/ {
    said = $0; sub(/^ *env_file: */, "", said); below = said == ""
    if (said ~ /^\[/) {
      gsub(/[][]/, "", said); n = split(said, each, / *, */)
      for (i = 1; i <= n; i++) tell(each[i])
    } else tell(said)
    next
  }
  below && /^ *- / { said = $0; sub(/^ *- */, "", said); tell(said); next }
  below && !/^ *(required|format):/ { below = 0 }
"""
_SERVICES = r"""
for file in /etc/systemd/system/*.service /usr/local/lib/systemd/system/*.service; do
  unit=${file##*/}
  case $unit in *@*) continue ;; esac
  [ -f "$file" ] || continue
  line=$(sed -n 's/^ExecStart=[-@:+!]*//p' "$file" | head -n 1)
  printf '%s\n' "$line" | grep -Eq 'SERVERS' || continue
  printf 'unit %s\nstart %s\n' "$unit" "$line"
  within 20 systemctl show "$unit" -p WorkingDirectory,User,EnvironmentFiles,ActiveState
  echo end
done
for file in /etc/supervisor/conf.d/*.conf /etc/supervisord.conf; do
  [ ! -f "$file" ] || awk '
    function done() {
      if (name && start ~ /SERVERS/) print "program " name "\nstart " start \
        "\nWorkingDirectory=" folder "\nUser=" user "\nend"
      name = start = folder = user = ""
    }
    /^\[/ { done() }
    /^\[program:/ { name = $0; sub(/^\[program:/, "", name); sub(/\].*/, "", name) }
    /^command *=/ { start = $0; sub(/^[^=]*= */, "", start) }
    /^directory *=/ { folder = $0; sub(/^[^=]*= */, "", folder) }
    /^user *=/ { user = $0; sub(/^[^=]*= */, "", user) }
    END { done() }' "$file"
done
if command -v docker >/dev/null; then
  of='{{.Label "com.docker.compose.'
  form="${of}project\"}}|${of}service\"}}|${of}project.working_dir\"}}|{{.Image}}|{{.Ports}}|{{.ID}}"
  within 10 docker ps -a --no-trunc --format "$form" |
    grep -v '^|' | sort -u | while IFS='|' read -r project service folder image ports id; do
      printf 'container %s\nstart %s %s\nWorkingDirectory=%s\nproject=%s\n' \
        "$service" "$image" "$ports" "$folder" "$project"
      container "$id" </dev/null
      echo end
    done
fi
""".replace("SERVERS", _SERVERS)
_FOLDERS = r"""
services | sed -n 's/^WorkingDirectory=[!-]*//p' | sort -u | while read -r folder; do
  [ -d "$folder" ] && [ "$folder" != / ] || continue
  printf 'folder %s\n' "$folder"
  for each in alembic.ini manage.py requirements.txt; do
    [ ! -f "$folder/$each" ] || echo "has $each"
  done
  for each in env venv .venv; do
    [ ! -x "$folder/$each/bin/python" ] || echo "venv $folder/$each"
  done
  words="['\"](HS|RS|ES|PS)(256|384|512)['\"]|rest_framework_simplejwt|load_dotenv|BaseSettings"
  find "$folder" -maxdepth 4 -name '*.py' -size -200k ! -path '*/site-packages/*' 2>/dev/null |
    head -n 200 | tr '\n' '\0' | xargs -0 grep -ohE "$words" |
    tr -d "\"'" | sort | uniq -c | sed 's/^ */code /'
  echo end
done
"""
# Of a value only what a description needs: never a password, nor what may be a secret.
_ENV = r"""
{
  services | sed -n 's/^EnvironmentFiles=\(.*\) (ignore_errors=.*/\1/p'
  services | sed -n 's/^WorkingDirectory=[!-]*//p' | while read -r folder; do
    [ ! -f "$folder/.env" ] || echo "$folder/.env"
  done
} | sort -u | while read -r file; do
  [ -r "$file" ] || continue
  printf 'file %s\nowner %s\n' "$file" "$(stat -Lc '%U %a' "$file")"
  sed -n 's/^[[:space:]]*//; s/^export[[:space:]]*//
    s/^\([A-Za-z_][A-Za-z0-9_]*\)[[:space:]]*=[[:space:]]*/\1 /p' "$file" |
    while read -r key value; do
      value=$(printf '%s' "$value" | sed "s/^[\"']//; s/[\"']\$//")
      case $value in
        postgres*://*) printf 'key %s url %s\n' "$key" "$(printf '%s' "$value" |
          sed -E 's#^([a-z0-9+]+)://([^:@/]*)(:.*)?@([^@]*)$#\1 \2 \4#; s#[?].*##')" ;;
        /*.pem) printf 'key %s path %s\n' "$key" "$value" ;;
        '') printf 'key %s empty\n' "$key" ;;
        *)
          case $key in
            *HOST | *PORT | *ALGORITHM | *DB_NAME | *DB_USER | POSTGRES_USER | *_DB)
              printf 'key %s word %s\n' "$key" "$value" ;;
            *) printf 'key %s text\n' "$key" ;;
          esac ;;
      esac
    done
  echo end
done
"""
_WEB = r"""
ask() {
  if command -v curl >/dev/null; then curl -s -m 20 --noproxy '*' "$1"
  else python3 -I -c 'import sys, urllib.request as u
print(u.urlopen(sys.argv[1], timeout=20).read().decode())' "$1"; fi
}
services | grep '^start ' | grep -oE '[ :=][0-9]{4,5}' | tr -d ' :=' | sort -u |
  while read -r port; do
    for path in /openapi.json /api/openapi.json /api/v1/openapi.json; do
      said=$(ask "http://127.0.0.1:$port$path" | head -c 1000000)
      case $said in
        '{'*openapi*) printf 'openapi %s %s\n' "$port" "$path"
          printf '%s' "$said" | tr '\n' ' '; echo; break ;;
      esac
    done
  done
"""
_HASHES = (
    "a.attname ~* '(^|_)(password|passwd|pw|pass)(_?(hash|digest))?$|hashed_password'"
    " and a.attname !~* '(reset|changed|expires|updated)'"
)
_LOGIN = (
    "case when a.attname ~* '^(user_?name|login)$' then 1"
    " when a.attname ~* 'mail' then 2 else 3 end"
)
# A table is one of users where it has a column of hashes and one of names. What is asked of its
# rows is written by the first query: how the hashes begin, how many rows, and the name of the
# oldest one. Where a row lies changes with every update of it, and a UUID says nothing of an age:
# a time of creation decides, else a key that is a number.
_CREATED = (
    "(select min(quote_ident(t.attname)) from pg_attribute t where t.attrelid = c.oid"
    " and t.attnum > 0 and not t.attisdropped and t.atttypid::regtype::text ~ '^(timestamp|date)'"
    " and t.attname ~* '(^|_)(created|joined|registered|inserted)(_|$)')"
)
_NUMBERED = (
    "(select quote_ident(k.attname) from pg_index i join pg_attribute k on k.attrelid = i.indrelid"
    " and k.attnum = i.indkey[0] where i.indrelid = c.oid and i.indisprimary"
    " and k.atttypid::regtype::text ~ '^(smallint|integer|bigint)$')"
)
_FOUND = f"""
select c.oid, n.nspname, c.relname,
  (array_agg(a.attname order by a.attnum) filter (where {_HASHES}))[1] as hash,
  (array_agg(a.attname order by {_LOGIN}, a.attnum)
    filter (where a.attname ~* '^(user_?name|login|name|e?_?mail(_address)?)$'))[1] as login,
  json_object_agg(a.attname, format_type(a.atttypid, null)
    || case when a.attnotnull and not a.atthasdef and a.attidentity = '' then ' required'
       else '' end) as columns,
  concat_ws(', ', {_CREATED}, {_NUMBERED}, 'ctid') as oldest
 from pg_class c join pg_namespace n on n.oid = c.relnamespace
 join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema)' group by 1, 2, 3"""
_ASKED = """
select format('select json_build_object(''database'', current_database(), ''schema'', %1$L,'
 ' ''table'', %2$L, ''password'', %3$L, ''login'', %4$L, ''columns'', %5$L::json, ''starts'','
 ' (select json_agg(distinct substring(%3$I::text from ''^([$][^$]+[$]|[a-z0-9_]+[$:])''))'
 ' from (select %3$I from %1$I.%2$I limit 50) seen), ''rows'', (select count(*) from %1$I.%2$I),'
 ' ''first'', (select %4$I::text from %1$I.%2$I where %3$I is not null order by %6$s limit 1))',
 nspname, relname, hash, login, columns::text, oldest)
 from (FOUND) found where hash is not null and login is not null \\gexec
"""


# The official image's variables: its administrator may have another name than postgres.
_PSQL = """PGPASSWORD=${POSTGRES_PASSWORD-} exec psql -U "${POSTGRES_USER:-postgres}" "$@\""""


def _tables() -> str:
    """Give the part that asks every database, as the administrator of its server.

    Of the host's own server, and of those in containers of Docker Compose.
    """
    asked = sql.READ + _ASKED.replace("FOUND", _FOUND)
    return f"""\
each_database() {{
  names=$(own psql -XqAt -d postgres -c \\
    'select datname from pg_database where datallowconn and not datistemplate' </dev/null)
  for one in $names; do
    own psql -X -qAt -d "$one" <<'SQL'
{asked}
SQL
  done
}}
own() {{ as_user postgres "$@"; }}
! {{ command -v psql >/dev/null && id postgres >/dev/null; }} || each_database
command -v docker >/dev/null || return 0
own() {{ shift; within 20 docker exec -i "$id" sh -c {shell.quote(_PSQL)} psql "$@"; }}
for id in $(docker ps -q --filter label=com.docker.compose.service </dev/null); do
  ! docker exec "$id" sh -c 'command -v pg_ctl && pg_isready -q' >/dev/null 2>&1 </dev/null ||
    each_database
done"""


NAMES = ("services", "folders", "env", "web", "tables")


def script() -> str:
    """Give the look, whose answer is that of each part; the services are found once."""
    parts = {
        "services": "services",
        "folders": _FOLDERS,
        "env": _ENV,
        "web": _WEB,
        "tables": _tables(),
    }
    bodies = "".join(f"_{name}() {{\n{body}\n}}\n" for name, body in parts.items())
    told = "".join(f"part {name} _{name}\n" for name in parts)
    return f"""\
{_CONTAINER.replace("ENV_FILES", ENV_FILES)}
found() {{
{_SERVICES}}}
said=$(found)
services() {{ printf '%s\\n' "$said"; }}
{bodies}{told}"""
