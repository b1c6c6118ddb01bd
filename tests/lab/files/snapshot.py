"""Print, as one JSON object, all that a repair might touch on this host. Run as root.

Words narrow it: folders, and names of databases; without any it is all. A file that was read
before is not read again while its inode, size and both times are as they were: no program can
set the ctime.

Keys are `kind:name`, so that a test can say which may differ:

    file:PATH            mode owner:group size sha256, or the target of a link; without __pycache__
    env:KEY, env-text:PATH   .env, by key (raw, last binding) and whole
    distribution:NAME    version in the backend's venv
    role:NAME            its attributes, memberships and settings; role-verifier:NAME, hashed
    database:NAME        owner, encoding, limits, privileges; setting:…
    table:DB.TABLE       owner, columns, privileges; row:DB.TABLE:ID; sequence:DB.NAME
    unit:NAME            states
"""

import contextlib
import grp
import hashlib
import json
import os
import pwd
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

BACKEND = Path("/srv/halext.org/halext-org/backend")
TREES = (
    *(
        "/etc",
        *(str(path) for path in Path("/srv").glob("*") if path.name != "wheels"),
        "/home",
        "/opt",
        "/root",
        "/usr/local",
        "/tmp",
        "/var/tmp",
    ),
    *("/var/lib/relogin", "/var/backups", "/var/spool", "/run/systemd/system", "/dev/shm"),
)
# what Docker puts into each container, and the lab's own copy
IGNORED = {"/root/pristine", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab"}
STARTED = time.time_ns()
HASHES = Path("/var/log/execs/hashes")  # of what was read before; the lab's own, as its log
SETTLED = 2 * 10**9  # ns: a file of just now may change again in the same tick of the clock
UNITS = ("halext-api", "nginx", "postgresql", "ssh")
ROLES = """
SELECT jsonb_build_object('role', to_jsonb(r) - 'oid' - 'rolpassword', 'member of', (
         SELECT jsonb_agg(pg_get_userbyid(m.roleid) || CASE WHEN admin_option THEN '+' ELSE '' END)
         FROM pg_auth_members m WHERE m.member = r.oid),
       'settings', (SELECT jsonb_agg(jsonb_build_array(s.setdatabase, s.setconfig))
                    FROM pg_db_role_setting s WHERE s.setrole = r.oid)) AS a,
       r.rolname, coalesce(encode(sha256(r.rolpassword::bytea), 'hex'), 'none') AS verifier
FROM pg_authid r
"""
DATABASES = """
SELECT to_jsonb(d) - 'oid' - 'datdba' - 'datfrozenxid' - 'datminmxid'
       || jsonb_build_object('owner', pg_get_userbyid(d.datdba)) AS a, d.datname,
       d.datallowconn AND d.datconnlimit <> -2
FROM pg_database d
"""
SCHEMA = """
SELECT 'schema' AS kind, nspname AS name,
       jsonb_build_array(pg_get_userbyid(nspowner), nspacl) AS attributes, false AS holds_rows
FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, format('%I.%I', nspname, relname),
       jsonb_build_object('owner', pg_get_userbyid(relowner), 'acl', relacl, 'kind', relkind,
         'columns', (SELECT jsonb_agg(jsonb_build_array(attname, attnotnull,
                              format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid))
                            ORDER BY attnum)
                     FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                     WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
         'indexes', (SELECT jsonb_agg(pg_get_indexdef(indexrelid) ORDER BY indexrelid)
                     FROM pg_index WHERE indrelid = c.oid)), true
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND nspname !~ '^pg_' AND nspname <> 'information_schema'
"""


ROWS = r"""
SELECT format($$SELECT row_to_json(q)::text FROM (SELECT %s AS row FROM %I.%I t) q
                UNION ALL SELECT %L$$,
              CASE relkind WHEN 'S' THEN $$jsonb_build_object('last_value', last_value,
                                                              'is_called', is_called)$$
                           ELSE 'to_jsonb(t)' END,
              nspname, relname, format('rows %s %I.%I', current_database(), nspname, relname))
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND nspname !~ '^pg_' AND nspname <> 'information_schema'
\gexec
"""
Rows = list[list[Any]]


def psql(script: str) -> tuple[dict[str, Rows], str]:
    """Give the rows of each query that ended well, by its mark, and what was complained of."""
    argv = ["runuser", "-u", "postgres", "--", "psql", "-AtqX", "-d", "postgres"]
    done = subprocess.run(argv, input=script, capture_output=True, text=True, check=False, cwd="/")
    found: dict[str, Rows] = {}
    rows: Rows = []
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            rows.append(list(json.loads(line).values()))
        else:
            found[line], rows = rows, []
    return found, done.stderr.strip()


def marked(mark: str, query: str) -> str:
    """Let a query's rows end with its mark, which is missing where it fails."""
    text = mark.replace("'", "''")
    return f"SELECT row_to_json(q)::text FROM ({query}) q UNION ALL SELECT '{text}';\n"


def compact(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def files() -> Iterator[tuple[str, str]]:
    known, seen = known_hashes(), {}
    for tree in [word for word in sys.argv[1:] if word.startswith("/")] or TREES:
        for folder, folders, names in os.walk(tree):
            folders[:] = [f for f in folders if wanted(f"{folder}/{f}")]
            for name in (*folders, *names):
                path = f"{folder}/{name}"
                if wanted(path):
                    with contextlib.suppress(FileNotFoundError):
                        yield f"file:{path}", described(path, known, seen)
    with contextlib.suppress(OSError):  # the disk may be full: nothing is known the next time
        HASHES.write_bytes(json.dumps({**known, **seen}).encode())


def known_hashes() -> dict[str, tuple[list[int], str]]:
    try:
        return dict(json.loads(HASHES.read_bytes()))
    except (OSError, ValueError):
        return {}


def wanted(path: str) -> bool:
    passing = path.endswith(("/__pycache__", "-unix")) or path.startswith("/dev/shm/PostgreSQL.")
    return path not in IGNORED and not passing


def described(path: str, known: dict[str, Any], seen: dict[str, Any]) -> str:
    found = os.lstat(path)
    owner = f"{name_of(pwd.getpwuid, found.st_uid)}:{name_of(grp.getgrgid, found.st_gid)}"
    line = f"{stat.filemode(found.st_mode)} {owner}"
    if stat.S_ISLNK(found.st_mode):
        return f"{line} -> {Path(path).readlink()}"
    if not stat.S_ISREG(found.st_mode):
        return line
    if "/site-packages/" in path and not path.startswith(f"{BACKEND}/"):
        return f"{line} {found.st_size} {found.st_mtime_ns}"
    state = [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
    before, digest = known.get(path, ([], ""))
    if before != state:
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
        if STARTED - found.st_ctime_ns > SETTLED:
            seen[path] = state, digest
    return f"{line} {found.st_size} {digest}"


@cache
def name_of(lookup: Callable[[int], Any], number: int) -> str:
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)


def env_files() -> Iterator[tuple[str, str]]:
    for other in Path("/srv").glob("*/.env"):
        yield f"env-text:{other}", other.read_text(errors="surrogateescape")
    path = BACKEND / ".env"
    if not path.exists():
        return
    text = path.read_text(errors="surrogateescape")
    yield f"env-text:{path}", text
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith("#"):
            yield f"env:{key.strip()}", value


def distributions() -> Iterator[tuple[str, str]]:
    for site in BACKEND.glob("env/lib/python*/site-packages"):
        for path in (*site.glob("*.dist-info/METADATA"), *site.glob("*.egg-info/PKG-INFO")):
            head = path.read_text(errors="surrogateescape").partition("\n\n")[0]
            told = dict(re.findall(r"(?m)^(Name|Version): *(.*)$", head))
            yield f"distribution:{told.get('Name')}", str(told.get("Version"))


def postgres() -> Iterator[tuple[str, str]]:
    found, complaint = psql(marked("roles", ROLES) + marked("databases", DATABASES))
    if found.keys() != {"roles", "databases"}:
        yield "postgres", f"unreadable: {complaint}"
        return
    for attributes, name, verifier in found["roles"]:
        yield f"role:{name}", compact(attributes)
        yield f"role-verifier:{name}", verifier
    chosen = []
    for attributes, name, connectable in found["databases"]:
        yield f"database:{name}", compact(attributes)
        if connectable and not name.startswith("template"):
            chosen += [name] if len(sys.argv) == 1 or name in sys.argv else []
    yield from contents(chosen)


def contents(databases: list[str]) -> Iterator[tuple[str, str]]:
    found, _ = psql("".join(map(looked_into, databases)))
    for number, database in enumerate(databases):
        if f"schema {database}" in found:
            yield from held(database, found)
        else:  # pg_get_indexdef() and the like take locks
            yield f"locked:{database}", "by somebody"
        if f"in {database}" not in found:  # psql ends where it cannot connect
            yield from contents(databases[number + 1 :])
            return


def looked_into(database: str) -> str:
    name = database.replace('"', '""')
    schema = marked(f"schema {database}", SCHEMA)
    start = (
        f"\\connect \"{name}\"\n{marked(f'in {database}', 'SELECT 1')}SET lock_timeout = '1s';\n"
    )
    return f"{start}{schema}\\if :ERROR\n\\else\n{ROWS}\\endif\n"


def held(database: str, found: dict[str, Rows]) -> Iterator[tuple[str, str]]:
    for kind, table, attributes, holds_rows in found[f"schema {database}"]:
        name = f"{database}.{table}"
        yield f"{kind}:{name}", compact(attributes)
        rows = found.get(f"rows {database} {table}")
        if holds_rows and rows is None:
            yield f"locked:{name}", "by somebody"
        for [row] in rows or ():
            identity = row.get("id") or hashlib.sha256(compact(row).encode()).hexdigest()[:12]
            yield (
                (f"value:{name}" if kind == "sequence" else f"row:{name}:{identity}"),
                compact(row),
            )


def units() -> Iterator[tuple[str, str]]:
    shown = "Id,ActiveState,UnitFileState,LoadState,NeedDaemonReload,DropInPaths,FragmentPath"
    clusters = (f"postgresql@{path.name}-main" for path in Path("/usr/lib/postgresql").iterdir())
    others = (path.stem for path in Path("/etc/systemd/system").glob("*-api.service"))
    known = dict.fromkeys((*UNITS, *clusters, *others))
    narrowed = {f"{word}-api" for word in sys.argv[1:]}
    chosen = [one for one in known if one in narrowed or not narrowed]
    if not chosen:  # without a name it would show systemd's own
        return
    argv = ["systemctl", "show", f"--property={shown}", "--", *chosen]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    for unit, states in zip(chosen, told.split("\n\n"), strict=True):
        yield f"unit:{unit}", " ".join(sorted(states.split("\n"))).strip()


if __name__ == "__main__":
    print(
        json.dumps(
            {
                key: value
                for part in (files, env_files, distributions, postgres, units)
                for key, value in part()
            }
        )
    )
