"""What the administrator's psql is asked of the users table, within the session of the look."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from relogin import hashes, sql
from relogin.facts.user_flags import FLAGS

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.parts.database import Columns

# Names under which software ships an account.
DEFAULTS = ("admin", "administrator", "root", "superuser", "sysadmin", "test", "demo", "user")
NEWEST = 10_000


def select(backend: Backend, role: str) -> str:
    """Give the statements that fetch the declared accounts, and what may be taken for them."""
    declared = backend.accounts
    if declared is None:
        return ""
    columns = declared.columns
    schema = backend.database.schema if backend.database else "public"
    exact = ", ".join(sql.literal(account.login) for account in declared.present) or "''"
    relation = sql.name(schema, declared.table)
    names = [name for name in named(columns).values() if name is not None]
    visible = sql.fill(_VISIBLE, relation=relation, login=_text(columns.login), exact=exact)
    return sql.fill(
        _SELECT,
        schema=sql.literal(schema),
        table=sql.literal(declared.table),
        exact=exact,
        **_alike(backend),
        names=", ".join(map(sql.literal, names)),
        count=str(len(set(names))),
        fields=fields(columns, *_ALL),
        kinds=_kinds(columns),
        id=_text(columns.id),
        id_column=sql.name(columns.id),
        login=_text(columns.login),
        login_column=sql.name(columns.login),
        password=_text(columns.password),
        role=sql.literal(role),
        relation=relation,
        newest=str(NEWEST),
        cut_off=_cut_off(),
        visible=sql.literal(visible),
    )


_ALL = ("id", "login", "email", "password", *FLAGS)


def named(columns: Columns) -> dict[str, str | None]:
    """Give the columns of an account, by what they are for."""
    return {name: getattr(columns, name) for name in _ALL}


def fields(columns: Columns, *wanted: str) -> str:
    """Give the arguments of jsonb_build_object that write an account's columns as text."""
    return ", ".join(
        f"'{field}', {'NULL' if (name := named(columns)[field]) is None else _text(name)}"
        for field in wanted
    )


def _text(name: str) -> str:
    return f"{sql.name(name)}::text"


def _alike(backend: Backend) -> dict[str, str]:
    """Give what a login is held against, as expressions that the server works out only once.

    The declared logins are taken as they are, and with each accent as a character of its own.
    """
    assert backend.accounts is not None  # noqa: S101 # only asked with them
    logins = [account.login for account in backend.accounts.present]
    apart = (unicodedata.normalize("NFKD", login) for login in logins)
    forms = [sql.literal(form) for form in dict.fromkeys([*logins, *apart])]
    bare = [f"regexp_replace(lower({form}), '[^!-~]', '', 'g')" for form in forms]
    lower = [f"lower({form})" for form in forms]
    return {
        "likely": _array([*map(sql.literal, DEFAULTS), *lower, *bare]),
        "bare_forms": _array([f"nullif({one}, '')" for one in bare]),
        "trimmed_forms": _array([f"lower(btrim({form}))" for form in forms]),
        "lengths": _array([f"length({one})" for one in lower], "int"),
        "listed_forms": " || E'\\n' || ".join(["''", *lower, "''"]),
        "by_email": _by_email(backend),
    }


def _array(expressions: list[str], of: str = "text") -> str:
    return f"array[{', '.join(expressions)}]::{of}[]"


def _kinds(columns: Columns) -> str:
    """Write the few values of each flag that is a number or a word."""
    flags = {flag: getattr(columns, flag) for flag in FLAGS}
    listed = ", ".join(
        f"'{flag}', (array_agg(distinct left({_text(name)}, 20))"
        f" filter (where pg_typeof({sql.name(name)})::text !~ 'bool|time|date'))[:6]"
        for flag, name in flags.items()
        if name is not None
    )
    return f"(select jsonb_build_object({listed}) from newest)" if listed else "'{}'::jsonb"


def _by_email(backend: Backend) -> str:
    assert backend.accounts is not None  # noqa: S101 # only asked with them
    column = backend.accounts.columns.email
    emails = [account.email for account in backend.accounts.present if account.email]
    if column is None or not emails:
        return ""
    listed = _array([f"lower({sql.literal(email.strip())})" for email in emails])
    text = _text(column)
    blank = f"({text} like ' %' or {text} like '% ')"  # to take blanks off each row takes longer
    return f"or lower({text}) = any ({listed}) or {blank} and lower(btrim({text})) = any ({listed})"


def _cut_off() -> str:
    return " or ".join(
        f"left(pw, {len(start)}) = {sql.literal(start)} and pw !~ {sql.literal(f'[$]({end})$')}"
        for start, end in hashes.endings().items()
    )


# A look-alike differs in what is not ASCII, in blanks, or in letter case: rows that agree in the
# rest are fetched, and judged by the reader (a database of locale C folds ASCII letters alone). One
# of plain ASCII is itself in lower case, or is not alike: most of a large table is soon passed by.
# No subquery for a row and no LIMIT: with either, the server's workers would not share the scan
# (PostgreSQL docs, 15.4). Where it takes too long all the same, the index gives the declared ones.
# Of others' hashes only the number and the ids of those leave the host that no scheme can have
# made: cut off, in quotes, with blanks, or plain text. NULL, empty, `!` and `*` are a way to say
# that nobody logs in there with a password. The declared logins are counted once more by way of the
# index that the backend's query takes: one that is broken finds fewer.
_SELECT = """\
select jsonb_build_object('part', 'columns', 'names', jsonb_agg(attname order by attnum), 'types',
 jsonb_object_agg(attname, format_type(atttypid, atttypmod)) filter (where attname in (:names:)))
 from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
 where nspname = :schema: and relname = :table: and relkind in ('r', 'p', 'v')
  and attnum > 0 and not attisdropped having count(*) > 0;
select count(*) = :count: as whole from pg_attribute a join pg_class c on c.oid = a.attrelid
 join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = :schema: and c.relname = :table: and attname in (:names:) and attnum > 0 \\gset
\\if :whole
set datestyle = 'ISO'; set timezone = 'UTC';
prepare accounts (bool) as with newest as (select *, :id: as nth, :password: as pw from :relation:
  order by :id_column: desc limit :newest:),
starts as (select :id_column: i, :login: in (:exact:) declared,
  substring(pw from '^([$]?(2[abxy]|argon2[id]*|(pbkdf2|bcrypt)([-_]sha[0-9]+)?|scrypt'
   '|md5|5|6)[$:])')
  start from newest)
select jsonb_build_object('part', 'accounts', 'now', now()::text,
 'rows', case when $1 then (select coalesce(jsonb_agg(u), '[]') from (
  select jsonb_build_object(:fields:) u, row_number() over () nth
  from :relation:, lateral (select lower(:login:) low) l
  where low = any (:likely:) :by_email: or low ~ '[^!-~]' and (
   regexp_replace(low, '[^!-~]', '', 'g') = any (:bare_forms:)
   or lower(btrim(:login:)) = any (:trimmed_forms:)
   or length(low) = any (:lengths:) and :listed_forms:
    like E'%\\n' || regexp_replace(low, '[^ -~]', '_', 'g') || E'\\n%' escape '')) r
  where nth <= 200) else (select coalesce(jsonb_agg(u), '[]') from (
   select jsonb_build_object(:fields:) u from :relation:
   where :login_column: in (:exact:) and :login: in (:exact:) limit 200) r) end,
 'start', (select start from starts where start is not null order by i desc limit 1),
 'starts', (select (array_agg(distinct start))[:9] from starts where not declared
  and start is not null),
 'kinds', :kinds:, 'size', (select count(*) from newest),
 'broken', (select jsonb_build_array(count(*), (array_agg(nth order by :id_column:))[:10])
  from newest where :login: not in (:exact:) and (
   pw <> btrim(pw, E' \\t\\r\\n') or pw ~ '^b?["'']' or left(pw, 2) = E'\\\\x'
   or :cut_off: or pw ~ '^[^$!*][^$]{1,38}$')));
execute accounts (true);
\\if :ERROR
\\qecho '#alike' :SQLSTATE
execute accounts (false);
\\endif
set enable_seqscan = off;
select jsonb_build_object('part', 'indexed', 'count', count(*)) from :relation:
 where :login_column: in (:exact:);
select 'begin; set local row_security = on', format('set local role %I', :role:), :visible:,
 'rollback'
 where :'shielded' <> '[]' \\gexec
\\endif
"""
_VISIBLE = """\
select jsonb_build_object('part', 'visible', 'any', count(*) > 0,
 'count', count(*) filter (where :login: in (:exact:))) from :relation:"""
