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
_IMAGE = (
    # what a venv is to a unit; nothing is in the project while its engine cannot be asked
    "service.engine-down service.compose-files-refused",
    "image.code-broken image.package-without-init image.requirements-newer",
    "image.passlib-without-bcrypt",
)
_ENV_FILE = (
    "env_file.missing",
    # the file as a whole, or a line of it, does not reach its reader: keys seem to be missing
    "env_file.not-utf8 env_file.unparsable-line env_file.readers-disagree env_file.bom"
    " env_file.wrong-owner",
    "env_file.key-missing env_file.key-empty env_file.key-not-declared-value"
    " env_file.placeholder env_file.database-url-unparsable",
    "env_file.key-twice env_file.files-differ env_file.other-file-used"
    " env_file.extra-key-forbidden",
    "env_file.crlf env_file.readable-by-others env_file.tracked-by-git",
)
_JWT = (
    "jwt.secret-missing jwt.secret-empty jwt.private-key-missing jwt.public-key-missing"
    " jwt.key-unreadable",
    "jwt.keys-no-pair",
    "jwt.known-default jwt.secret-weak jwt.secret-not-declared",
    "jwt.running-on-other-secret jwt.secret-changed jwt.secret-per-process",
    "jwt.hard-coded-fallback",
)
# A project of another name, or without its volume, has an empty database: all in it is missing.
_VOLUMES = ("volumes.project-name-changed volumes.missing",)
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
    # the backend's own URL was tried, and no cause was seen from the administrator's side
    "postgres.url-refused",
)
_MIGRATIONS = (
    "migrations.broken-tree migrations.unknown-revision migrations.overlapping-rows"
    " migrations.inconsistent-history migrations.several-heads migrations.not-stamped"
    " migrations.not-recorded",
    "migrations.never-run migrations.behind",
)
# Only a check of the whole database looks for these. A type goes with its extension, a column with
# its table, a rule with its column; what an index does not find looks like an orphan.
_DATABASE = (
    "database.wraparound-near",
    "database.checksum-failures database.table-corrupt",
    "database.extension-missing",
    "database.table-missing",
    "database.column-missing",
    "database.primary-key-missing database.constraint-missing database.index-missing"
    " database.sequence-missing database.rows-missing",
    "database.duplicates",
    "database.index-corrupt",
    "database.index-leftover database.index-invalid database.collation-changed",
    "database.orphans database.constraint-not-valid database.sequence-behind",
    "database.points-nowhere database.expired-rows database.answer-differs",
    "database.slot-holds-wal database.connections-near-limit database.lock-waited-for"
    " database.idle-in-transaction",
    "database.dead-rows database.bloated database.login-scans database.slow-statement"
    " database.statistics-emptied",
)
_ACCOUNTS = (
    "accounts.table-missing accounts.column-missing",
    "accounts.missing",
    "accounts.name-differs accounts.ambiguous",
    "accounts.hash-unusable",
    "accounts.password-differs accounts.hash-foreign",
    "accounts.inactive accounts.locked accounts.unverified",
    "accounts.admin-lost",
    "accounts.email-differs accounts.default-account accounts.others-hash-unusable",
)
_SERVICE = (
    "service.unit-missing service.masked service.bad-setting service.supervisord-down",
    # the process has another environment, folder or command than declared
    "service.wrong-user service.wrong-working-directory service.wrong-environment-file"
    " service.wrong-command service.needs-daemon-reload service.configuration-not-applied",
    "service.needed-unit-down service.needed-service-down service.container-missing"
    " service.condition-not-met service.port-held service.killed-for-memory service.workers-hang",
    "service.stopped service.start-limit-hit service.failed service.fatal service.backoff"
    " service.crash-looping",
    "service.older-than-unit service.older-than-env-file service.older-than-venv"
    " service.environment-older service.image-older service.port-elsewhere",
    "service.unhealthy",
    "service.two-copies service.disabled service.port-public",
)
_LOGIN = (
    # nothing was really asked
    "login.not-reached login.certificate-refused login.proxy-up-backend-down login.host-refused"
    " login.csrf-refused login.rate-limited login.redirected login.redirected-to-https"
    " login.wrong-path login.wrong-method login.header-missing login.wrong-content-type"
    " login.wrong-field-name login.not-an-email",
    "login.challenge login.server-error login.refused login.slow login.other-database"
    " login.unexpected-answer login.healthy-but-dead",
    "login.token-not-found login.token-not-a-jwt login.algorithm-wrong login.signature-wrong"
    " login.subject-wrong login.expiry-wrong login.works-by-some-workers"
    " login.authorization-stripped login.protected-refused login.refresh-refused"
    " login.identity-wrong",
    "login.open-without-token login.forged-token-accepted login.wrong-password-accepted"
    " login.probe-failed login.token-url-differs login.cors-refused",
    # fine inside: the way from outside
    "login.public-dns-missing login.public-dns-elsewhere",
    "login.public-not-listening login.public-filtered",
    "login.tls-expired login.tls-not-yet-valid login.tls-wrong-name login.tls-untrusted",
    "login.public-proxy-down",
    "login.public-url",
)
# Only a probe of the API asks for these. A journey meets what its requests meet one by one.
_API = (
    "api.not-answered",
    "api.login-refused api.path-wrong api.method-wrong api.server-error",
    "api.second-factor-skipped api.second-factor-broken api.token-refused api.status-wrong"
    " api.body-wrong api.not-protected api.role-not-checked api.cookie-unsafe",
    "api.refresh-refused api.session-lost api.cors-refused api.cors-open",
    "api.logout-refused api.session-survives-logout",
    "api.journey-broken",
    "api.service-restarted api.errors api.slow api.memory-grows",
    "api.not-limited api.limited-early",
)
_RANKS = (
    *(*_MACHINE, *_VENV, *_IMAGE, *_ENV_FILE, *_JWT, *_VOLUMES, *_POSTGRES, *_MIGRATIONS),
    *(*_DATABASE, *_ACCOUNTS, *_SERVICE, *_LOGIN, *_API),
)
RANK = {fault: number for number, rank in enumerate(_RANKS) for fault in rank.split()}

# People can log in all the same: named after whatever keeps them out.
_LATER = frozenset(
    (
        *("env_file.key-twice", "env_file.readable-by-others", "env_file.crlf"),
        *("env_file.tracked-by-git", "jwt.known-default", "jwt.secret-weak"),
        *("jwt.secret-not-declared", "jwt.hard-coded-fallback"),
        *("accounts.email-differs", "accounts.default-account"),
        *("accounts.others-hash-unusable", "service.disabled", "service.older-than-venv"),
        *("service.two-copies", "postgres.hba-unreadable"),
    )
)
# Told by a login that the backend itself has answered: named after whatever keeps it from that.
_TOLD_BY_LOGIN = frozenset(("accounts.hash-foreign",))
# What runs goes on as it was read: systemd needs a unit's file for the next start.
_LATER_CASES = (
    "postgres.role-expired, in three days",
    "service.unit-missing, deleted while it runs",
    "service.needs-daemon-reload, the first drop-in of a unit",
)


def earliest(cases: tuple[Case, ...]) -> set[str]:
    """Give the faults of which one has to be named first where these were made on one host."""
    places = {case: (_waits(case), RANK[case.fault]) for case in cases}
    return {case.fault for case in cases if places[case] == min(places.values())}


def _waits(case: Case) -> int:
    if case.fault in _LATER or case.name in _LATER_CASES:
        return 2
    return 1 if case.fault in _TOLD_BY_LOGIN else 0
