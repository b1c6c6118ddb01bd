"""What the role may do in its database: schema, tables, sequences, and the rows that it sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.accounts import Table
from relogin.facts.migrations import Migrations
from relogin.facts.postgres_state import Contents, Server
from relogin.facts.service_state import ServiceState
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.administrator import (
    NO_WRITES,
    contents_of,
    granted,
    where_entered,
    where_up,
)
from relogin.operations.login_reading import server_error

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _schema(backend: Backend) -> str:
    return backend.database.schema if backend.database else "public"


def _judge_usage(backend: Backend, server: Server, contents: Contents) -> Finding | None:
    if contents.usage is not False:
        return None
    return Finding(
        f"role {server.target.role} may not use schema {_schema(backend)}",
        subject=server.target.role,
        seen="has_schema_privilege says no: to the backend its tables do not exist",
        remedy="USAGE is granted",
    )


def _fix_usage(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    yield _on_schema(backend, seen, "USAGE", finding.subject)


def _on_schema(backend: Backend, seen: Observation, right: str, role: str) -> Change:
    schema = _schema(backend)
    why = f"GRANT {right} ON SCHEMA {schema} TO {role}"
    grant = ("schema", (schema,), (right.lower(),))
    return granted(backend, seen, why, grant, role=role)


def _judge_create(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    """Only migrations make tables, so it is needed while there are some to run."""
    contents, migrations = server.contents, seen.migrations
    if contents is None or contents.create is not False:
        return None
    if not isinstance(migrations, Migrations) or not migrations.pending:
        return None
    return Finding(
        f"role {server.target.role} may not make tables in schema {_schema(backend)}",
        subject=server.target.role,
        seen="has_schema_privilege says no, and migrations are pending"
        " (from PostgreSQL 15 on only the database's owner may, in public)",
        remedy="CREATE is granted",
    )


def _fix_create(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    yield _on_schema(backend, seen, "CREATE", finding.subject)


def _judge_tables(backend: Backend, seen: Observation, server: Server) -> Iterator[Finding]:
    contents, role = server.contents, server.target.role
    if contents is None:
        return
    if contents.closed:
        yield Finding(
            f"role {role} may not use {', '.join(contents.closed)}",
            subject=role,
            seen="has_any_column_privilege says no to SELECT, INSERT or UPDATE",
            remedy="SELECT, INSERT and UPDATE are granted",
        )
    for kind, name in _denied(backend, seen) if server_error(backend, seen) else ():
        if name not in contents.closed:
            yield _by_its_log(backend, role, kind, name)


# What PostgreSQL says with SQLSTATE 42501 (insufficient_privilege), in English.
_DENIED = re.compile(r"permission denied for (table|sequence|view|schema) \"?(\w{1,63})\b")


def _denied(backend: Backend, seen: Observation) -> dict[tuple[str, str], None]:
    """Give what a login needs beside the users table, and is refused: the log names it."""
    log = seen.service.log if isinstance(seen.service, ServiceState) else ()
    lines = log if isinstance(log, tuple) else ()
    return {(said[1], said[2]): None for line in lines for said in _DENIED.finditer(line)}


def _by_its_log(backend: Backend, role: str, kind: str, name: str) -> Finding:
    rights = {"table": "SELECT, INSERT, UPDATE, DELETE", "view": "SELECT"}
    right, schema = rights.get(kind, "USAGE"), _schema(backend)
    thing = sql.name(name) if kind == "schema" else sql.name(schema, name)
    of = "" if kind in {"table", "view"} else f"{kind.upper()} "
    return Finding(
        f"role {role} may not use {kind} {name}",
        subject=name,
        seen=f"its log: permission denied for {kind} {name}",
        remedy=f"grant {role} what its code does with it, in psql as its owner: at most"
        f" GRANT {right} ON {of}{thing} TO {sql.name(role)}",
        by_person=True,
    )


def _fix_tables(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    closed, rights = contents_of(seen).closed, ("select", "insert", "update")
    grants = [("table", (_schema(backend), table), rights) for table in closed]
    why = f"GRANT SELECT, INSERT, UPDATE ON {', '.join(closed)} TO {finding.subject}"
    yield granted(backend, seen, why, *grants, role=finding.subject)


def _judge_sequences(backend: Backend, server: Server, contents: Contents) -> Finding | None:
    if not contents.closed_sequences:
        return None
    return Finding(
        f"role {server.target.role} may not use {', '.join(contents.closed_sequences)}",
        subject=server.target.role,
        seen="has_sequence_privilege says no: new rows get no id",
        remedy="USAGE is granted",
    )


def _fix_sequences(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    closed = contents_of(seen).closed_sequences
    grants = [("sequence", (_schema(backend), sequence), ("usage",)) for sequence in closed]
    why = f"GRANT USAGE ON SEQUENCE {', '.join(closed)} TO {finding.subject}"
    yield granted(backend, seen, why, *grants, role=finding.subject)


def _judge_row_security(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    """Find declared accounts that are there and that the role does not see.

    A policy that asks for a setting of the session shows rows once the backend has set it, so what
    is seen without it says nothing.
    """
    table, contents = seen.accounts, server.contents
    if contents is None or not isinstance(table, Table) or backend.accounts is None:
        return None
    policies = contents.shielded.get(backend.accounts.table)
    if policies is None or any("current_setting(" in condition for _, condition in policies):
        return None
    there = sum(len(table.rows_of(one.login)) for one in backend.accounts.present)
    if table.visible is None or (table.visible >= there and not table.blank):
        return None
    named = ", ".join(name for name, _ in policies)
    return Finding(
        f"row security hides accounts from role {server.target.role}",
        subject=backend.accounts.table,
        seen=f"it sees {table.visible} of {there} declared accounts that are in the table"
        + (", and no other row; " if table.blank else "; ")
        + (f"policies: {named}" if named else "there is no policy that shows any row"),
        remedy=f"decide whom the policies of {backend.accounts.table} are for (SELECT * FROM"
        " pg_policies); ALTER TABLE … DISABLE ROW LEVEL SECURITY switches them off",
    )


_SCHEMA = ("runuser -u postgres -- psql -d DATABASE -c '\\dn+'",)
_TABLES = ("runuser -u postgres -- psql -d DATABASE -c '\\dp'",)
SCHEMA_USAGE_MISSING = Fault(
    "postgres.schema-usage-missing",
    where_entered(_judge_usage),
    _fix_usage,
    unless=NO_WRITES,
    about="the role may not use the schema: to the backend its tables do not exist",
    remedy="USAGE is granted",
    check=_SCHEMA,
)
SCHEMA_CREATE_MISSING = Fault(
    "postgres.schema-create-missing",
    where_up(_judge_create),
    _fix_create,
    unless=NO_WRITES,
    about="migrations are pending, and the role may not make tables in the schema",
    remedy="CREATE is granted",
    check=_SCHEMA,
)
TABLE_PRIVILEGES_MISSING = Fault(
    "postgres.table-privileges-missing",
    where_up(_judge_tables),
    _fix_tables,
    unless=NO_WRITES,
    about="the role may not use the users table, or another one that the login needs",
    remedy="SELECT, INSERT and UPDATE are granted; on another one by a person",
    check=_TABLES,
)
SEQUENCE_PRIVILEGES_MISSING = Fault(
    "postgres.sequence-privileges-missing",
    where_entered(_judge_sequences),
    _fix_sequences,
    unless=NO_WRITES,
    about="the role may not use the sequence that numbers new rows",
    remedy="USAGE is granted",
    check=_TABLES,
)
ROW_SECURITY_HIDES_ROWS = Fault(
    "postgres.row-security-hides-rows",
    where_up(_judge_row_security),
    about="row security hides accounts from the backend",
    remedy="decide whom the table's policies are for",
    check=("runuser -u postgres -- psql -d DATABASE -c 'SELECT * FROM pg_policies'",),
)
