"""Keep each value before it is overwritten, so that it can be brought back: root-only, by run."""

from relogin.undo.files import given_to, made_file, narrowed, replaced_file
from relogin.undo.installed import distributions_kept
from relogin.undo.statements import changed_sql, kept_privileges, kept_sql
from relogin.undo.store import copies, folder, place, run_id, stays, store

__all__ = [
    "changed_sql",
    "copies",
    "distributions_kept",
    "folder",
    "given_to",
    "kept_privileges",
    "kept_sql",
    "made_file",
    "narrowed",
    "place",
    "replaced_file",
    "run_id",
    "stays",
    "store",
]
