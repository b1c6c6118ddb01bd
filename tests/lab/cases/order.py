"""The order of causes that pairs of faults are judged by: from the notes, never from the code.

Written down from how each fault masks or causes others on a real host. Faults of one rank are
peers: neither can cause the other, so either may lead.
"""

from .case import Case

# Earlier layers cause what is found in later ones.
_MACHINE = (
    "machine.disk-full machine.inodes-full machine.filesystem-read-only",
    "machine.clock-skew",
)
_VENV = (
    # every other finding in a venv that does not start follows from these
    "venv.missing venv.interpreter-gone venv.minor-version-changed venv.moved",
    "venv.requirements-unreadable",
    "venv.requirement-missing venv.requirement-wrong-version venv.files-missing venv.broken-set"
    " venv.module-owned-by-another-distribution",
    "venv.passlib-without-bcrypt venv.module-without-requirement",
)
_ENV_FILE = (
    "env_file.missing",
    # the file as a whole, or a line of it, does not reach its reader: keys seem to be missing
    "env_file.not-utf8 env_file.unparsable-line env_file.readers-disagree env_file.bom"
    " env_file.wrong-owner",
    "env_file.key-missing env_file.key-empty env_file.key-not-declared-value"
    " env_file.placeholder env_file.database-url-unparsable",
    "env_file.key-twice env_file.other-file-used",
    "env_file.crlf env_file.readable-by-others env_file.tracked-by-git",
)
_JWT = (
    "jwt.secret-missing jwt.secret-empty",
    "jwt.known-default jwt.secret-weak",
    "jwt.running-on-other-secret jwt.secret-per-process",
    "jwt.hard-coded-fallback",
)
_POSTGRES = (
    "postgres.server-down",
    "postgres.wrong-address postgres.not-accepting",
    "postgres.hba-refuses postgres.hba-unreadable postgres.peer-mismatch",
    "postgres.connections-exhausted",
    "postgres.role-missing",
    # one and the same error for the client: judged from the role, in this order
    "postgres.verifier-unusable",
    "postgres.role-password-differs",
    "postgres.role-expired",
    # said only to whoever has the right password
    "postgres.role-cannot-login",
    "postgres.database-missing postgres.database-closed postgres.connect-revoked"
    " postgres.role-connection-limit postgres.database-connection-limit",
    "postgres.schema-usage-missing postgres.search-path-wrong",
    "postgres.schema-create-missing postgres.table-privileges-missing"
    " postgres.sequence-privileges-missing postgres.row-security-hides-rows postgres.read-only"
    " postgres.in-recovery",
    "postgres.users-table-locked postgres.timeout-too-short",
    "postgres.collation-changed postgres.index-invalid",
    "postgres.sequence-behind",
)
_MIGRATIONS = (
    "migrations.broken-tree migrations.unknown-revision migrations.overlapping-rows"
    " migrations.several-heads migrations.not-stamped",
    "migrations.never-run migrations.behind",
)
_ACCOUNTS = (
    "accounts.table-missing accounts.column-missing",
    "accounts.missing",
    "accounts.name-differs accounts.ambiguous",
    "accounts.hash-unusable",
    "accounts.password-differs",
    "accounts.inactive accounts.locked accounts.unverified",
    "accounts.admin-lost",
    "accounts.email-differs accounts.default-account accounts.others-hash-unusable",
)
_SERVICE = (
    "service.unit-missing service.masked service.bad-setting",
    # the process has another environment, folder or command than declared
    "service.wrong-user service.wrong-working-directory service.wrong-environment-file"
    " service.wrong-command service.needs-daemon-reload",
    "service.needed-unit-down service.condition-not-met service.port-held"
    " service.killed-for-memory",
    "service.stopped service.start-limit-hit service.failed service.crash-looping",
    "service.older-than-unit service.older-than-env-file service.older-than-venv",
    "service.two-copies service.disabled",
)
_LOGIN = (
    # nothing was really asked
    "login.not-reached login.proxy-up-backend-down login.host-refused login.csrf-refused"
    " login.rate-limited login.redirected login.redirected-to-https login.wrong-path"
    " login.wrong-method login.header-missing login.wrong-content-type",
    "login.challenge login.server-error login.refused login.slow login.other-database",
    "login.token-not-found login.token-not-a-jwt login.algorithm-wrong login.signature-wrong"
    " login.subject-wrong login.expiry-wrong login.authorization-stripped login.protected-refused"
    " login.identity-wrong",
)
_RANKS = (
    *(*_MACHINE, *_VENV, *_ENV_FILE, *_JWT, *_POSTGRES, *_MIGRATIONS, *_ACCOUNTS, *_SERVICE),
    *_LOGIN,
)
RANK = {fault: number for number, rank in enumerate(_RANKS) for fault in rank.split()}

# People can log in all the same: named after whatever keeps them out.
_LATER = frozenset(
    (
        *("env_file.key-twice", "env_file.readable-by-others", "env_file.crlf"),
        *("env_file.tracked-by-git", "jwt.known-default", "jwt.secret-weak"),
        *("jwt.hard-coded-fallback", "accounts.email-differs", "accounts.default-account"),
        *("accounts.others-hash-unusable", "service.disabled", "service.older-than-venv"),
        *("service.two-copies", "postgres.hba-unreadable"),
    )
)
_LATER_CASES = ("postgres.role-expired, in three days",)


def earliest(cases: tuple[Case, ...]) -> set[str]:
    """Give the faults of which one has to be named first where these were made on one host."""
    places = {case: (_waits(case), RANK[case.fault]) for case in cases}
    return {case.fault for case in cases if places[case] == min(places.values())}


def _waits(case: Case) -> bool:
    return case.fault in _LATER or case.name in _LATER_CASES
