"""Print, as one JSON object, all that a repair might touch on this host. Run as root.

Words narrow it: folders, and names of databases; without any it is all.

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
import importlib.metadata
import json
import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
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


def psql(database: str, query: str) -> list[list[Any]]:
    """Give the rows of a query, each as a list of its columns."""
    wrapped = f"SET lock_timeout = '1s'; SELECT row_to_json(q) FROM ({query}) q"
    argv = ["runuser", "-u", "postgres", "--", "psql", "-AtqX", "-v", "ON_ERROR_STOP=1"]
    done = subprocess.run(
        [*argv, "-d", database], input=wrapped, capture_output=True, text=True, check=True, cwd="/"
    )
    return [list(json.loads(line).values()) for line in done.stdout.splitlines()]


def compact(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def files() -> Iterator[tuple[str, str]]:
    for tree in [word for word in sys.argv[1:] if word.startswith("/")] or TREES:
        for folder, folders, names in os.walk(tree):
            folders[:] = [f for f in folders if wanted(f"{folder}/{f}")]
            for name in (*folders, *names):
                if wanted(f"{folder}/{name}"):
                    with contextlib.suppress(FileNotFoundError):
                        yield f"file:{folder}/{name}", described(Path(folder, name))


def wanted(path: str) -> bool:
    passing = path.endswith(("/__pycache__", "-unix")) or path.startswith("/dev/shm/PostgreSQL.")
    return path not in IGNORED and not passing


def described(path: Path) -> str:
    seen = path.lstat()
    owner = f"{name_of(pwd.getpwuid, seen.st_uid)}:{name_of(grp.getgrgid, seen.st_gid)}"
    line = f"{stat.filemode(seen.st_mode)} {owner}"
    if stat.S_ISLNK(seen.st_mode):
        return f"{line} -> {path.readlink()}"
    if not stat.S_ISREG(seen.st_mode):
        return line
    if "site-packages" in path.parts and BACKEND not in path.parents:
        return f"{line} {seen.st_size} {seen.st_mtime_ns}"
    return f"{line} {seen.st_size} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


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
        for found in importlib.metadata.distributions(path=[str(site)]):
            yield f"distribution:{found.metadata['Name']}", found.version


def postgres() -> Iterator[tuple[str, str]]:
    try:
        roles = psql("postgres", ROLES)
    except subprocess.CalledProcessError as error:
        yield "postgres", f"unreadable: {error.stderr.strip()}"
        return
    for attributes, name, verifier in roles:
        yield f"role:{name}", compact(attributes)
        yield f"role-verifier:{name}", verifier
    for attributes, name, connectable in psql("postgres", DATABASES):
        yield f"database:{name}", compact(attributes)
        chosen = len(sys.argv) == 1 or name in sys.argv
        if connectable and chosen and not name.startswith("template"):
            yield from contents(name)


def contents(database: str) -> Iterator[tuple[str, str]]:
    try:
        found = psql(database, SCHEMA)
    except subprocess.CalledProcessError:
        yield f"locked:{database}", "by somebody"  # pg_get_indexdef() and the like take locks
        return
    for kind, name, attributes, holds_rows in found:
        yield f"{kind}:{database}.{name}", compact(attributes)
        if holds_rows:
            yield from rows(database, kind, name)


def rows(database: str, kind: str, table: str) -> Iterator[tuple[str, str]]:
    sequence = "jsonb_build_object('last_value', last_value, 'is_called', is_called)"
    columns = sequence if kind == "sequence" else "to_jsonb(t)"
    try:
        found = psql(database, f"SELECT {columns} AS row FROM {table} t")
    except subprocess.CalledProcessError:
        yield f"locked:{database}.{table}", "by somebody"
        return
    for [row] in found:
        identity = row.get("id") or hashlib.sha256(compact(row).encode()).hexdigest()[:12]
        name = f"{database}.{table}"
        yield (f"value:{name}" if kind == "sequence" else f"row:{name}:{identity}"), compact(row)


def units() -> Iterator[tuple[str, str]]:
    shown = "Id,ActiveState,UnitFileState,LoadState,NeedDaemonReload,DropInPaths,FragmentPath"
    clusters = (f"postgresql@{path.name}-main" for path in Path("/usr/lib/postgresql").iterdir())
    others = (path.stem for path in Path("/etc/systemd/system").glob("*-api.service"))
    known = dict.fromkeys((*UNITS, *clusters, *others))
    narrowed = {f"{word}-api" for word in sys.argv[1:]}
    chosen = [one for one in known if one in narrowed or not narrowed]
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
