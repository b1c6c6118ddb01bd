"""Situations of a server and its database, each made of the recorded look by a few edits.

Each is a fault's name, the edits, what the finding says, and whether it is a person's.
"""

from relogin.remote import Answer
from tests.operations.looks import (
    Answers,
    Edit,
    env,
    psql,
    said,
    said_too,
    text,
    unwritten,
)

DOWN = "#ready 2\n#cluster 15 main 5432 down postgres /var/lib/postgresql/15/main /var/log/x.log"
OTHER = DOWN.replace("5432 down", "5433 online")
NONE = {"kind": "none", "salt": "", "iterations": 0, "proof": ""}
MD5 = {"kind": "md5", "salt": "", "iterations": 0, "proof": "0" * 64}
ALL = ["all"]
REJECTED = [2, "host", ALL, ALL, "127.0.0.0", "255.0.0.0", "reject", None, None, None]
BROKEN = [9, None, None, None, None, None, None, None, 'invalid connection type "hots"', None]
HELD = [[97, "blog_user", "worker"], [3, "halext_user", ""]]
AUTO = "/var/lib/postgresql/15/main/postgresql.auto.conf"
SHIELDED = [["users", [["own", "(owner = CURRENT_USER)"]]]]
LOCK = [4242, "halext_user", "alembic", "idle in transaction", 600]
USERNAME = ["public.users_username_key", "public.users", True, True, 'pg_catalog."de-x-icu"']
LEFTOVER = ["public.users_email_key", "public.users", False, True, None]
BEHIND = {"sequence": "public.users_id_seq", "table": "public.users", "column": "id"}


def setting(name: str, value: str, *, role: bool = True, database: bool = False) -> Edit:
    return psql("server", settings=[[role, database, name, value]])


def of_files(name: str, value: str) -> Edit:
    return said_too(part="files", settings=[[name, value, AUTO]])


def pending(answers: Answers) -> Answers:
    """Let the code have a revision that the database has not."""
    return answers | {"migrations": Answer(b"0001|||\n0002|0001||\n", 0)}


CRITICAL = [
    ("server-down", [said("postgres", DOWN, 2)], "PostgreSQL does not answer", False),
    (
        "wrong-address",
        [said("postgres", OTHER, 2)],
        "PostgreSQL does not listen at 127.0.0.1:5432, where the database URL points",
        True,
    ),
    (
        "wrong-address",
        [text("postgres", '{"hba"', '#url 2\n{"hba"')],
        "PostgreSQL does not listen at 127.0.0.1:5432, where the database URL points",
        True,
    ),
    (
        "not-accepting",
        [said("postgres", "#ready 1", 2)],
        "PostgreSQL lets nobody in yet, or no more",
        True,
    ),
    (
        "hba-refuses",
        [psql("server", hba=[REJECTED])],
        "pg_hba.conf refuses role halext_user to database halext_org from 127.0.0.1",
        True,
    ),
    (
        "hba-refuses",
        [psql("server", hba=[])],
        "pg_hba.conf refuses role halext_user to database halext_org from 127.0.0.1",
        True,
    ),
    (
        "connections-exhausted",
        [psql("server", used=97, holders=HELD)],
        "all connections of PostgreSQL are taken",
        True,
    ),
    ("role-missing", [psql("server", role=None)], "role halext_user does not exist", False),
    (
        "role-missing",
        [psql("server", role=None, similar_roles=["Halext_User"])],
        "role halext_user does not exist",
        True,
    ),
    (
        "verifier-unusable",
        [psql("server", "role", **MD5)],
        "the stored password of role halext_user is of a kind that pg_hba.conf refuses",
        False,
    ),
    (
        "role-password-differs",
        [psql("server", "role", proof="0" * 64)],
        "the password of role halext_user is not the one in the database URL",
        False,
    ),
    (
        "role-password-differs",
        [psql("server", "role", **NONE)],
        "the password of role halext_user is not the one in the database URL",
        False,
    ),
    (
        "role-password-differs",
        [env("canary-database", "other-database")],
        "the password of role halext_user is not the one in the database URL",
        False,
    ),
    (
        "role-expired",
        [psql("server", "role", expired=True, days_left=-3)],
        "the password of role halext_user has expired",
        False,
    ),
    (
        "role-cannot-login",
        [psql("server", "role", can_login=False)],
        "role halext_user may not log in",
        False,
    ),
    (
        "role-connection-limit",
        [psql("server", "role", limit=0)],
        "role halext_user may have no more connections",
        False,
    ),
    (
        "role-connection-limit",
        [psql("server", "role", limit=3, used=3)],
        "role halext_user may have no more connections",
        True,
    ),
    (
        "database-missing",
        [psql("server", database=None, databases=["blog", "postgres"])],
        "database halext_org does not exist",
        False,
    ),
    (
        "database-missing",
        [psql("server", database=None, databases=["Halext_Org"])],
        "database halext_org does not exist",
        True,
    ),
    *(
        (
            "database-missing",
            [psql("server", database=None, databases=["postgres", other])],
            "database halext_org does not exist",
            True,
        )
        for other in ("halext-org", "halextorg", "halext_or", "halext", "before_halext_org")
    ),
    (
        "database-missing",
        [psql("server", database=None, databases=["halext_org_2025-11-20"])],
        "database halext_org does not exist",
        True,
    ),
    (
        "database-closed",
        [psql("server", "database", open=False), unwritten("tables", "accounts")],
        "database halext_org accepts no connections",
        False,
    ),
    (
        "database-closed",
        [psql("server", "database", limit=-2), unwritten("tables", "accounts")],
        "database halext_org is invalid",
        True,
    ),
    (
        "connect-revoked",
        [psql("server", "database", connect=False)],
        "role halext_user may not connect to database halext_org",
        False,
    ),
    (
        "database-connection-limit",
        [psql("server", "database", limit=0)],
        "database halext_org may have no more connections",
        False,
    ),
    (
        "database-connection-limit",
        [psql("server", "database", limit=5, used=6)],
        "database halext_org may have no more connections",
        True,
    ),
    (
        "schema-usage-missing",
        [psql("tables", usage=False)],
        "role halext_user may not use schema public",
        False,
    ),
    (
        "search-path-wrong",
        [setting("search_path", "nothere, pg_catalog")],
        "the search path of role halext_user leaves out schema public",
        False,
    ),
    (
        "search-path-wrong",
        [setting("search_path", '"public,x"', role=False, database=True)],
        "the search path of role halext_user leaves out schema public",
        False,
    ),
    (
        "search-path-wrong",
        [of_files("search_path", "Public_2")],
        "the search path of role halext_user leaves out schema public",
        True,
    ),
    (
        "schema-create-missing",
        [psql("tables", create=False), pending],
        "role halext_user may not make tables in schema public",
        False,
    ),
    (
        "table-privileges-missing",
        [psql("tables", closed=["users"])],
        "role halext_user may not use users",
        False,
    ),
    (
        "sequence-privileges-missing",
        [psql("tables", closed_sequences=["users_id_seq"])],
        "role halext_user may not use users_id_seq",
        False,
    ),
    (
        "row-security-hides-rows",
        [psql("tables", shielded=SHIELDED), said_too(part="visible", count=0)],
        "row security hides accounts from role halext_user",
        True,
    ),
    (
        "read-only",
        [setting("default_transaction_read_only", "on", role=False, database=True)],
        "sessions of role halext_user are read-only",
        True,
    ),
    (
        "read-only",
        [of_files("default_transaction_read_only", "on")],
        "sessions of role halext_user are read-only",
        True,
    ),
    (
        "in-recovery",
        [psql("server", in_recovery=True)],
        "PostgreSQL is a standby: it takes no writes",
        True,
    ),
    (
        "users-table-locked",
        [said_too(part="locks", rows=[LOCK])],
        "a session keeps everybody from reading the users table",
        True,
    ),
    (
        "timeout-too-short",
        [setting("statement_timeout", "1ms")],
        "statement_timeout ends the backend's queries too soon",
        False,
    ),
    (
        "timeout-too-short",
        [of_files("lock_timeout", "20")],
        "lock_timeout ends the backend's queries too soon",
        True,
    ),
    (
        "collation-changed",
        [psql("tables", indexes=[USERNAME])],
        "the sort order under the indexes of the users table has changed",
        True,
    ),
    (
        "index-invalid",
        [psql("tables", indexes=[LEFTOVER])],
        "index public.users_email_key is not valid",
        True,
    ),
    (
        "index-invalid",
        [psql("indexed", count=0)],
        "an index of table users does not find rows that are there",
        True,
    ),
]
