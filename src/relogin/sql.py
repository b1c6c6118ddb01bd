"""The one place where SQL text is put together, for the administrator's psql on the host."""

from __future__ import annotations

import re

from relogin import shell

# Statement logging off for the session, so that no value lands in the server's log, also not of a
# statement that fails (log_min_error_statement); settings of the database hit the administrator as
# well, hence the explicit read-only mode and search path (PostgreSQL docs, 20.8 and 20.11). Not
# every server has the samples (12, 13) and extensions that write statements into the log, too. Only
# a superuser may set these, and the language of messages. To anybody else row security could hide
# rows: then the statement fails instead (20.11).
_QUIET = """\
\\set ON_ERROR_STOP on
\\set VERBOSITY sqlstate
set client_encoding = 'UTF8'; set search_path = pg_catalog; set row_security = off;
select set_config(name, off, false) from (values
 ('log_statement', 'none'), ('log_min_duration_statement', '-1'),
 ('log_min_error_statement', 'panic'), ('lc_messages', 'C'),
 ('log_transaction_sample_rate', '0'), ('log_min_duration_sample', '-1'),
 ('auto_explain.log_min_duration', '-1'), ('pgaudit.log', 'none')) quiet (name, off)
 where current_setting('is_superuser')::bool and current_setting(name, true) is not null
 \\g /dev/null
set statement_timeout = '15s'; set lock_timeout = '5s';
"""
READ = _QUIET + "set default_transaction_read_only = on;\n"
WRITE = _QUIET + "set default_transaction_read_only = off;\n"
# It is ours alone (its number is arbitrary), so that two runs at once make one row. What the other
# one made is seen only if the snapshot is taken after the wait (PostgreSQL docs, 13.2).
LOCK = "select pg_advisory_xact_lock(7354366) \\g /dev/null\n"


def alone(statements: str) -> str:
    """Give the transaction in which another run of ours has to wait, on whichever host."""
    return f"begin isolation level read committed; {LOCK}{statements}\ncommit;\n"


def literal(value: str | float | bool | None) -> str:
    """Write a value as an SQL literal that reads the same under every server setting."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if "\0" in value:
        raise ValueError("a NUL character cannot be stored in PostgreSQL text")
    return "'" + value.replace("'", "''") + "'" if "\\" not in value else _escaped(value)


def _escaped(value: str) -> str:
    return " E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def name(*parts: str) -> str:
    """Quote an identifier, or a qualified one: schema, table."""
    if any(not part or "\0" in part for part in parts):
        raise ValueError("an SQL name cannot be empty or hold NUL")
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def connected_to(database: str) -> str:
    """Give a database's name as libpq takes it where it would read a connection string.

    It does for a name with `=` in it, or that begins like a URL (PostgreSQL docs, 34.1.1).
    """
    if "=" not in database and not database.startswith(("postgresql://", "postgres://")):
        return database
    escaped = database.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"


def fill(template: str, **values: str) -> str:
    """Put already quoted pieces in place of `:key:` marks; a mark without a value is an error."""

    def piece(match: re.Match[str]) -> str:
        return values[match[1]]

    return re.sub(r"(?<!:):([a-z_]+):(?!:)", piece, template)


def psql(statements: str, *, command: str) -> str:
    """Give the shell command that feeds the statements to the administrator's psql on stdin."""
    return shell.fed(statements, f"{command} -X -qAt -v ON_ERROR_STOP=1")
