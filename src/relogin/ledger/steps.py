"""The ledger's tables, as the steps that lead from each version of them to the next.

A step that was published never changes; each ledger counts those that it has had. They are written
for SQLite; what PostgreSQL says otherwise is told in relogin.ledger.postgres.
"""

from __future__ import annotations

_RUNS = """
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    began REAL NOT NULL,     -- Unix time
    seconds REAL,            -- NULL: it runs, or was killed
    version TEXT NOT NULL,
    operator TEXT NOT NULL
);
CREATE INDEX run_began ON run (began);
CREATE TABLE result (
    run TEXT NOT NULL REFERENCES run (id),
    host TEXT NOT NULL,
    backend TEXT NOT NULL,   -- '': the host was not reached
    outcome TEXT NOT NULL,
    seconds REAL NOT NULL,
    halted TEXT NOT NULL,
    proof TEXT,              -- JSON
    unseen TEXT NOT NULL,    -- JSON
    PRIMARY KEY (run, host, backend)
) WITHOUT ROWID;
CREATE INDEX result_host ON result (host, backend);
CREATE TABLE finding (
    run TEXT NOT NULL,
    host TEXT NOT NULL,
    backend TEXT NOT NULL,
    position INTEGER NOT NULL,
    fault TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,     -- mended, left
    leads INTEGER NOT NULL,  -- 0: it followed from another one
    what TEXT NOT NULL,
    seen TEXT NOT NULL,
    before TEXT NOT NULL,    -- fingerprints of what it is about, as found and as left
    after TEXT NOT NULL,
    PRIMARY KEY (run, host, backend, position)
) WITHOUT ROWID;
CREATE INDEX finding_of ON finding (host, backend, fault, subject);
CREATE TABLE change (
    run TEXT NOT NULL,
    host TEXT NOT NULL,
    backend TEXT NOT NULL,
    position INTEGER NOT NULL,
    fault TEXT NOT NULL,
    subject TEXT NOT NULL,
    why TEXT NOT NULL,
    ok INTEGER,              -- NULL: it was begun; its end is unknown
    seconds REAL NOT NULL,
    output TEXT NOT NULL,
    PRIMARY KEY (run, host, backend, position)
) WITHOUT ROWID;
CREATE INDEX change_of ON change (host, backend, fault, subject)
"""

# What was declared and what signed the tokens, as fingerprints; why each finding was there.
_DRIFT = """
ALTER TABLE result ADD COLUMN declared TEXT NOT NULL DEFAULT '{}';
ALTER TABLE result ADD COLUMN signing TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN cause TEXT NOT NULL DEFAULT ''
"""

# What the report of a run needs besides: what to do, when it was (Unix time; 0: not
# kept), what was said.
_REPORT = """
ALTER TABLE finding ADD COLUMN expected TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN remedy TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN held TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN by_person INTEGER NOT NULL DEFAULT 0;
ALTER TABLE finding ADD COLUMN symptom INTEGER NOT NULL DEFAULT 0;
ALTER TABLE finding ADD COLUMN at REAL NOT NULL DEFAULT 0;
ALTER TABLE change ADD COLUMN started REAL NOT NULL DEFAULT 0;
ALTER TABLE result ADD COLUMN said TEXT NOT NULL DEFAULT '[]';
ALTER TABLE result ADD COLUMN disabled TEXT NOT NULL DEFAULT '';
CREATE TABLE transcript (
    run TEXT NOT NULL REFERENCES run (id),
    host TEXT NOT NULL,
    lines TEXT NOT NULL,     -- JSON
    PRIMARY KEY (run, host)
) WITHOUT ROWID
"""

# What the backend's log refused since the run before, as JSON: times by reason.
_REFUSED = """
ALTER TABLE result ADD COLUMN refused_logins TEXT NOT NULL DEFAULT '{}'
"""

# The documents of a check and of a probe, as JSON.
_DOCUMENTS = """
ALTER TABLE result ADD COLUMN reports TEXT NOT NULL DEFAULT '[]'
"""

# Whether a login was proven, which queries ask for; under which key a run's fingerprints were made
# ('': this machine's own), which pass of a fleet it is of ('': of none).
_SHARED = """
ALTER TABLE result ADD COLUMN proven INTEGER NOT NULL DEFAULT 0;
UPDATE result SET proven = 1 WHERE proof LIKE '%"proven": true%';
ALTER TABLE run ADD COLUMN marks TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN pass TEXT NOT NULL DEFAULT '';
CREATE INDEX run_pass ON run (pass)
"""

# From which findings each one followed, as JSON.
_CAUSES = """
ALTER TABLE finding ADD COLUMN follows_from TEXT NOT NULL DEFAULT '[]'
"""

STEPS: tuple[str, ...] = (_RUNS, _DRIFT, _REPORT, _REFUSED, _DOCUMENTS, _SHARED, _CAUSES)
