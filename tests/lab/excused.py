"""The faults that no host of the lab is made sick with: which test makes them, and why there."""

from relogin.operations import api, database

# Only deploys/probe_api.py looks for these.
PROBED = "tests/operations/test_api.py", "a real server that has this flaw needs no host"
MEASURED = "tests/operations/test_api_load.py", "a real process needs no host"
GROWN = ("memory-grows", "service-restarted")
# Only deploys/check_database.py looks for these.
CHECKED = "tests/operations/test_database.py", "a real PostgreSQL needs no host"
DAMAGED = "tests/operations/test_database_damage.py", "a real PostgreSQL needs no host"
STRAINED = "tests/operations/test_database_strain.py", "a real PostgreSQL needs no host"
STRAIN = (
    *("slot-holds-wal", "connections-near-limit", "lock-waited-for"),
    *("idle-in-transaction", "dead-rows"),
)
DECLARED = "tests/operations/test_database_declared.py", "a real PostgreSQL needs no host"
SLOWED = "tests/operations/test_database_slow.py", "a real PostgreSQL needs no host"
SLOW = ("bloated", "login-scans", "slow-statement", "statistics-emptied")
TOLD = ("points-nowhere", "expired-rows", "answer-differs")
DAMAGE = ("checksum-failures", "table-corrupt", "duplicates", "index-corrupt")
EXCUSED = {
    **{fault.id: PROBED for fault in api.FAULTS},
    **{f"api.{name}": MEASURED for name in GROWN},
    **{fault.id: CHECKED for fault in database.FAULTS},
    **{f"database.{name}": DAMAGED for name in DAMAGE},
    **{f"database.{name}": STRAINED for name in STRAIN},
    **{f"database.{name}": DECLARED for name in TOLD},
    **{f"database.{name}": SLOWED for name in SLOW},
    "jwt.secret-changed": ("tests/lab/test_kept.py", "it takes two runs with one history"),
    "login.healthy-but-dead": (
        "tests/operations/test_compose.py",
        "it is never named first: it stands beside what keeps people out",
    ),
    "service.backoff": (
        "tests/operations/test_service_supervised.py",
        "supervisord's own next try may mend it before a run does",
    ),
}
