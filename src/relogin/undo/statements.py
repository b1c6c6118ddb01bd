"""Changes of the database: a value's former form is kept as a piece of SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell, sql
from relogin.undo.store import store

if TYPE_CHECKING:
    from relogin.backend import Backend


def changed_sql(
    backend: Backend, psql: str, *, what: str, read: str, write: str, to: str, still: str = "true"
) -> str:
    """Give the script that changes one value, and keeps what it was.

    `read` is a select of the piece of SQL that stands for the value, `to` an expression that gives
    the new piece. `write` is the statement, with :to for it and :from for the former one: where it
    can, it changes the value only while it is that. It fails if that was not so. Nothing is changed
    where it is that value already, or `still`, a condition, does not hold any more: another host
    with this database has done it.
    """
    new = shell.fed(_hex(to), 'sql_piece >"$v/set"')
    return f"""\
{store(backend)}{kept_sql(psql, what, read, write)}sql_still={shell.quote(still)}
{new}
fingerprint <"$v/set" >"$v/after"
said='#already'
[ "$(cat "$v/former")" = "$(cat "$v/set")" ] || said=$(sql_put "$v/former" "$v/set")
if [ "$said" = '#already' ]; then cat "$v/before" >"$v/after"; echo "$said"
else [ "$(state)" = "$(cat "$v/after")" ] ||
  {{ echo "it is not what was set: somebody else, or a trigger, has changed it just now"; exit 9; }}
fi
"""


def kept_sql(psql: str, what: str, select: str, write: str = ":to") -> str:
    """Give the shell lines that keep the SQL which would undo a change, as `select` writes it.

    It selects one text: a whole statement, or a piece of `write`. The value counts as unchanged
    while it selects the same.
    """
    fields = {"psql": psql, "what": what, "read": _hex(select), "write": write}
    lines = [shell.fed(text, f'cat >"$v/{name}"') for name, text in fields.items()]
    return "\n".join(["kind=sql", "begin", *lines, "commit", ""])


def kept_privileges(
    psql: str, role: str, *, on: str, names: tuple[str, ...], privileges: tuple[str, ...]
) -> str:
    """Give the shell lines that keep which privileges a role has been granted itself.

    `on` is table, sequence, schema or database; `names` are its schema's, if any, and its own.
    """
    catalogue, acl, owner, letter, key = _WITH_PRIVILEGES[on]
    quoted = sql.name(*names)
    filled = sql.fill(
        _PRIVILEGES,
        catalogue=f"{catalogue} c",
        acl=f"coalesce(c.{acl}, acldefault('{letter}', c.{owner}))",
        role=sql.literal(role),
        grantee=sql.literal(f"{on} {quoted} to {sql.name(role)}; "),
        loser=sql.literal(f"{on} {quoted} from {sql.name(role)}; "),
        privileges=", ".join(map(sql.literal, privileges)),
        object=_object(quoted, names, key),
    )
    return kept_sql(psql, f"privileges of role {role} on {on} {'.'.join(names)}", filled)


_WITH_PRIVILEGES = {
    "table": ("pg_class", "relacl", "relowner", "r", "regclass"),
    "sequence": ("pg_class", "relacl", "relowner", "s", "regclass"),
    "schema": ("pg_namespace", "nspacl", "nspowner", "n", "regnamespace"),
    "database": ("pg_database", "datacl", "datdba", "d", ""),
}


def _object(quoted: str, names: tuple[str, ...], key: str) -> str:
    """Give the expression for an object's oid; a database has no alias type for that."""
    if key:
        return f"{sql.literal(quoted)}::{key}"
    return f"(select oid from pg_database where datname = {sql.literal(names[-1])})"


_PRIVILEGES = """\
select string_agg(case when exists (select from aclexplode(:acl:) a join pg_roles r
  on r.oid = a.grantee where r.rolname = :role: and a.privilege_type = upper(p))
 then 'grant ' || p || ' on ' || :grantee: else 'revoke ' || p || ' on ' || :loser: end,
 '' order by p)
 from :catalogue: cross join unnest(array[:privileges:]) p where c.oid = :object:"""


def _hex(select: str) -> str:
    piece = select.strip().removesuffix(";")
    return f"select encode(convert_to(({piece})::text, 'UTF8'), 'hex');"
