"""What is found where the database's schema is not the code's, and when it is left alone."""

import pytest

from relogin import Alembic, Unreadable
from relogin.operations.migrations import FAULTS
from tests.operations.looks import (
    ROOT,
    Edit,
    changes,
    found,
    halext,
    look,
    psql,
    said,
    unwritten,
)

TWO = "0001|||\n0002|0001||\n"
FORK = "0001|||\n0002|0001||\n0003|0001||\n"
EMPTY = psql("tables", names=["alembic_version"])
COMMAND = "env/bin/alembic upgrade head"


def files(text: str) -> Edit:
    """Let the code have these revisions: id, what it builds on, what it depends on, a mark."""
    return said("migrations", text)


def rows(*names: str) -> Edit:
    return psql("recorded", rows=list(names))


ABSENT = (psql("version_table", there=False), unwritten("recorded"))


def test_a_database_at_the_codes_head_gives_no_finding():
    assert [] == found(FAULTS, look())


@pytest.mark.parametrize(
    ("fault", "edits", "what", "seen", "by_person"),
    [
        (
            "behind",
            [files(TWO)],
            "the database's schema is older than the code",
            "it is at revision 0001, 1 behind",
            False,
        ),
        (
            "behind",
            [files("0001|||\n0002|0001||!\n")],
            "the database's schema is older than the code",
            "it is at revision 0001, 1 behind",
            True,
        ),
        (
            "behind",
            [files(FORK + "0004|0002,0003||\n"), rows("0002", "0003")],
            "the database's schema is older than the code",
            "it is at revision 0002, 0003, 1 behind",
            False,
        ),
        (
            "never-run",
            [*ABSENT, psql("tables", names=[])],
            "no migration has been run on the database",
            "it has no table",
            False,
        ),
        (
            "never-run",
            [rows(), EMPTY],
            "no migration has been run on the database",
            "it has no table",
            False,
        ),
        (
            "not-stamped",
            [*ABSENT, psql("tables", names=["users"])],
            "nothing is recorded of the migrations that made the database's tables",
            "table alembic_version is missing; there is users",
            True,
        ),
        (
            "not-stamped",
            [rows()],
            "nothing is recorded of the migrations that made the database's tables",
            "table alembic_version is empty; there is users",
            True,
        ),
        (
            "unknown-revision",
            [rows("dead")],
            "the database is at revision dead, which the code does not have",
            "the code's heads: 0001",
            True,
        ),
        (
            "overlapping-rows",
            [files(TWO), rows("0002", "0001")],
            "table alembic_version holds a revision beside one that is built on it",
            "0001, beside 0002",
            True,
        ),
        ("several-heads", [files(FORK)], "the code has several heads of migrations", None, True),
        (
            "several-heads",
            [files(FORK), rows("0002")],
            "the code has several heads of migrations",
            "0002, 0003",
            True,
        ),
        (
            "broken-tree",
            [files("0001|||\n0002|nosuch||\n")],
            "the code's revision files do not fit together",
            "no file has revision nosuch, on which another one builds",
            True,
        ),
        (
            "broken-tree",
            [files("0001|||\n0001|||\n")],
            "the code's revision files do not fit together",
            "revision 0001 is in two files",
            True,
        ),
        (
            "broken-tree",
            [files("0001|||\n?./versions/x.py\n"), rows("dead")],
            "the code's revision files do not fit together",
            "./versions/x.py names no revision",
            True,
        ),
    ],
)
def test_each_situation_belongs_to_one_fault(fault, edits, what, seen, by_person):
    (finding,) = found(FAULTS, look(*edits))
    assert (f"migrations.{fault}", what) == (finding.fault, finding.what)
    assert (by_person, True) == (finding.by_person, finding.critical)
    assert seen in (None, finding.seen)


@pytest.mark.parametrize(
    "edits",
    [
        [files(FORK), rows("0002", "0003")],
        [files("0001|||\n9|||\n"), rows("0001", "9")],
        [files("")],
        [files(""), rows()],
    ],
)
def test_several_heads_that_the_database_has_are_sound(edits):
    findings = found(FAULTS, look(*edits))
    assert [] == [one for one in findings if one.fault != "migrations.unknown-revision"]


def test_a_command_that_upgrades_all_heads_does_so():
    backend = halext(migrations=Alembic(ROOT, command="env/bin/alembic upgrade heads"))
    seen = look(files(FORK), backend=backend)
    assert ["migrations.behind"] == [one.fault for one in found(FAULTS, seen, backend)]
    (change,) = changes(FAULTS, seen, backend)
    assert "run env/bin/alembic upgrade heads" == change.why


def test_the_command_runs_as_the_owner_and_waits_for_no_lock():
    (change,) = changes(FAULTS, look(files(TWO)))
    assert f"run {COMMAND}" == change.why
    assert f"as_user \"$(stat -Lc %U {ROOT})\" env HOME=/ 'PGOPTIONS=-c lock_timeout=5s'" in (
        change.script
    )


@pytest.mark.parametrize(
    "edit",
    [
        said("migrations", "", 4),
        said("postgres", "#no-admin"),
        said("postgres", "#ready 2", 2),
        unwritten("tables", "columns", "accounts"),
        unwritten("recorded"),
    ],
    ids=["no files", "no administrator", "down", "closed", "locked"],
)
def test_nothing_is_guessed_of_what_could_not_be_seen(edit):
    seen = look(files(TWO), edit)
    assert isinstance(seen.migrations, Unreadable)
    assert [] == found(FAULTS, seen)


def test_what_is_not_declared_is_not_looked_at():
    backend = halext(migrations=None)
    assert [] == found(FAULTS, look(backend=backend), backend)
