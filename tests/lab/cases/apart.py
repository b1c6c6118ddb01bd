"""Which faults cannot stand on one host, and in which order those that can are made."""

from fnmatch import fnmatchcase
from itertools import combinations

from .case import Case

# What a fault takes for itself: of the cases that one line matches (by name) only one can be made.
_TAKEN = (
    # the interpreter and the folder
    ("venv.missing*", "venv.interpreter-gone*", "venv.minor-version-changed", "venv.moved"),
    # lines of the env file
    (
        *("env_file.key-missing", "env_file.key-empty", "env_file.key-not-declared-value"),
        *("env_file.unparsable-line", "env_file.readers-disagree"),
    ),
    (
        "env_file.key-not-declared-value, another database*",
        "env_file.placeholder*",
        "env_file.database-url-unparsable*",
    ),
    ("env_file.missing*",),
    # SECRET_KEY
    ("jwt.secret-*", "jwt.known-default"),
    # the role's password
    ("postgres.role-password-differs*", "postgres.verifier-unusable"),
    # VALID UNTIL
    ("postgres.role-expired*",),
    # the search path
    ("postgres.search-path-wrong*",),
    # the owner of the users table
    (
        *("postgres.table-privileges-missing", "postgres.sequence-privileges-missing"),
        "postgres.row-security-hides-rows",
    ),
    # lines of pg_hba.conf
    ("postgres.hba-*",),
    # revision 0002
    ("migrations.*", "postgres.schema-create-missing"),
    # one account's row, its hash
    ("accounts.hash-*", "accounts.password-differs"),
    # override.conf, and a command in another drop-in
    (
        *("service.wrong-user*", "service.wrong-command", "service.wrong-working-directory"),
        *("service.wrong-environment-file", "jwt.running-on-other-secret"),
    ),
    # whether the unit runs, and its file
    (
        *("service.stopped", "service.failed", "service.start-limit-hit", "service.unit-missing*"),
        *("service.masked", "service.needs-daemon-reload*", "service.older-than-*"),
        "service.condition-not-met",
    ),
    ("service.unit-missing*", "service.masked", "service.disabled"),
    # lines of the backend's code, and what answers the login
    ("login.*", "venv.module-without-requirement", "jwt.hard-coded-fallback"),
)
# What is gone, and all that can then not be made (or is gone with it).
_GONE = (
    ("venv.missing*", ("venv.*",)),
    ("env_file.missing*", ("env_file.*", "jwt.*")),
    (
        "postgres.role-missing",
        (
            *("postgres.role-*", "postgres.verifier-unusable", "postgres.search-path-wrong"),
            *("postgres.timeout-too-short", "postgres.*-privileges-missing", "postgres.schema-*"),
            *("postgres.database-missing", "postgres.connect-revoked"),
        ),
    ),
    (
        "postgres.database-missing",
        (
            *("accounts.*", "migrations.*", "postgres.database-*", "postgres.connect-revoked"),
            *("postgres.schema-*", "postgres.*-privileges-missing", "postgres.sequence-*"),
            *("postgres.search-path-wrong*", "postgres.row-security-hides-rows"),
        ),
    ),
    (
        "migrations.never-run",
        ("accounts.*", "postgres.*-privileges-missing", "postgres.sequence-*", "postgres.row-*"),
    ),
    ("accounts.missing", ("accounts.*",)),
    ("accounts.name-differs*", ("accounts.*",)),
    # a run that has anything to restart it for, or that cannot write the file, undoes these
    ("service.older-than-*", ("env_file.*", "jwt.*", "venv.*", "service.*")),
    ("service.needs-daemon-reload*", ("service.*", "jwt.running-on-other-secret", "env_file.*")),
)
# Later lines are made later (the last one that matches decides): what a line needs still works.
_MADE = (
    "accounts.*",
    "migrations.*",
    "postgres.*",
    "migrations.never-run",
    "postgres.database-*",
    "login.*",
    "jwt.*",
    "env_file.*",
    "env_file.wrong-owner",
    "env_file.bom",
    "env_file.crlf",
    "env_file.readable-by-others",
    "env_file.missing*",
    "venv.*",
    "venv.interpreter-gone*",
    "venv.minor-version-changed",
    "venv.moved",
    "service.*",  # what starts it anew comes before what says whether it runs
    "service.failed",
    "service.start-limit-hit",
    "service.needed-unit-down",
    "service.stopped",
    "service.unit-missing*",
    "service.masked",
    "service.needs-daemon-reload*",
    "postgres.server-down",
)


def can_stand_together(cases: tuple[Case, ...]) -> bool:
    return not any(_exclude(one, other) for one, other in combinations(cases, 2))


def as_made(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    """Give the cases in the order in which they can be made."""
    return tuple(sorted(cases, key=_turn))


def _exclude(one: Case, other: Case) -> bool:
    together = any(_matches(one, taken) and _matches(other, taken) for taken in _TAKEN)
    return one == other or together or _takes_away(one, other) or _takes_away(other, one)


def _takes_away(one: Case, other: Case) -> bool:
    return any(_matches(one, (it,)) and _matches(other, gone) for it, gone in _GONE)


def _turn(case: Case) -> int:
    return max(turn for turn, pattern in enumerate(_MADE) if _matches(case, (pattern,)))


def _matches(case: Case, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(str(case), pattern) for pattern in patterns)
