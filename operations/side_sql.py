"""A database beside the live one: made like it, compared with it, and put in its place.

What a database is to us stands in its comment, which goes with it through a rename.
"""

from __future__ import annotations

import json

from relogin import sql
from relogin.operations import backup_sql

MARK = "relogin "
# What is bound to a database itself, and that pg_dump leaves out (pg_dump(1), Notes). To name the
# tablespace that template0 has would take a right to it that only superusers have.
_MADE = """\
select not exists (select from pg_database where datname = :side:) as missing \\gset
\\if :missing
select format('create database %I owner %I template template0 encoding %L lc_collate %L'
 ' lc_ctype %L%s%s connection limit %s', :side:, pg_get_userbyid(datdba),
 pg_encoding_to_char(encoding), datcollate, datctype, case j->>'datlocprovider'
 when 'i' then format(' locale_provider icu icu_locale %L',
  coalesce(j->>'datlocale', j->>'daticulocale'))
 when 'b' then format(' locale_provider builtin builtin_locale %L', j->>'datlocale')
 else '' end,
 case when dattablespace = (select dattablespace from pg_database where datname = 'template0')
  then '' else format(' tablespace %I', spcname) end, datconnlimit)
 from pg_database d join pg_tablespace t on t.oid = dattablespace,
 lateral (select to_jsonb(d) j) x where datname = :live: \\gexec
comment on database :side_name: is :comment:;
\\endif
"""
_CARRIED = """\
select format('alter database %I set %I to %s', :side:, name, :setting:)
 from pg_db_role_setting, unnest(setconfig) one, lateral (select split_part(one, '=', 1) as name,
  substr(one, strpos(one, '=') + 1) as value) s
 where setrole = 0 and setdatabase = (select oid from pg_database where datname = :live:) \\gexec
select format('alter role %I in database %I set %I to %s', rolname, :side:, name, :setting:)
 from pg_db_role_setting join pg_roles r on r.oid = setrole, unnest(setconfig) one,
 lateral (select split_part(one, '=', 1) as name, substr(one, strpos(one, '=') + 1) as value) s
 where setdatabase = (select oid from pg_database where datname = :live:) \\gexec
select format('revoke all on database %I from public', :side:)
 from pg_database where datname = :live: and datacl is not null \\gexec
select format('grant %s on database %I to %s%s', privilege_type, :side:,
 case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
 case when is_grantable then ' with grant option' else '' end)
 from pg_database, aclexplode(datacl) where datname = :live: \\gexec
"""
# A dump has its sequences from a moment of their own: one that is behind is set forward.
FORWARD = """\
select format('select setval(%L, m) from (select max(%I)::bigint as m from %s) x, %s s'
 ' where m > s.last_value or (m = s.last_value and not s.is_called)',
 d.objid::regclass, attname, attrelid::regclass, d.objid::regclass)
 from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
 join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
 where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
 and d.deptype in ('a', 'i') and a.attnum > 0 \\gexec
"""
EMPTY = """\
select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace
 where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema';
"""
RULES = """\
select jsonb_build_object('on', conrelid::regclass::text, 'rule', conname)
 from pg_constraint c join pg_namespace n on n.oid = connamespace
 where contype in ('p', 'u', 'f', 'c') and nspname !~ '^pg_' and nspname <> 'information_schema';
"""


def made(side: str, live: str, comment: str) -> str:
    """Give the statements that make a database like the live one, where it is missing."""
    return sql.WRITE + sql.fill(
        _MADE,
        side=sql.literal(side),
        side_name=sql.name(side),
        live=sql.literal(live),
        comment=sql.literal(comment),
    )


def carried(side: str, live: str, comment: str) -> str:
    """Give the statements that give it the live one's settings and rights, and say that it is."""
    filled = sql.fill(
        _CARRIED, side=sql.literal(side), live=sql.literal(live), setting=backup_sql.SETTING
    )
    return f"{sql.WRITE}{filled}comment on database {sql.name(side)} is {sql.literal(comment)};\n"


def commented(database: str, text: str) -> str:
    """Give the statements that set a database's comment; an empty one is none."""
    said = sql.literal(text or None)
    return f"{sql.WRITE}comment on database {sql.name(database)} is {said};\n"


def note(own: str, **known: str) -> str:
    """Give our comment, in front of a person's own."""
    return f"{MARK}{json.dumps(known, sort_keys=True)}" + (f"\n{own}" if own else "")


def noted(comment: str | None) -> tuple[dict[str, str], str]:
    """Take a comment apart: what we said in it, and what a person did."""
    if not comment or not comment.startswith(MARK):
        return {}, comment or ""
    first, _, own = comment.partition("\n")
    try:
        known = json.loads(first.removeprefix(MARK))
    except ValueError:
        return {}, comment
    return (known, own) if isinstance(known, dict) else ({}, comment)


def beside(live: str, backup: str, way: str = "restore") -> str:
    """Give the name of the database into which a backup is restored beside the live one."""
    return named(live, f"{way}_{backup.lower()}")


def named(live: str, what: str) -> str:
    """Give a name for a database beside the live one: 63 bytes at most (NAMEDATALEN)."""
    room = 62 - len(what)
    return f"{live.encode()[:room].decode(errors='ignore')}_{what}"
