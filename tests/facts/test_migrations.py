"""Alembic's revision files, read by a shell without running any of them."""

from pathlib import Path

import pytest

from relogin.facts.migrations import Migrations, Revision, Revisions, of_files, script
from relogin.finding import Unreadable
from tests.facts.answers import SHELLS, run, run_alone

OLD = """\
\"\"\"Create users.\"\"\"
from alembic import op

# revision identifiers, used by Alembic.
revision = 'ae1027a6acf'
down_revision = None
branch_labels = None


def upgrade():
    op.create_table("users")


def downgrade():
    op.drop_table("users")
"""
TYPED = """\
from typing import Sequence, Union

revision: str = "27c6a30d7c24"
down_revision: Union[str, Sequence[str], None] = "ae1027a6acf"  # 'the first'
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    with op.batch_alter_table("users") as batch:
        batch.drop_column("fax")


def downgrade() -> None:
    pass
"""
MERGE = """\
revision = "f00d"
down_revision = (
    "27c6a30d7c24",
    '3b',
)
depends_on = ["x1", "x2"]

def upgrade(): pass
"""
FIRST = Revision("ae1027a6acf")
SECOND = Revision("27c6a30d7c24", ("ae1027a6acf",), drops=True)
THIRD = Revision("f00d", ("27c6a30d7c24", "3b"), ("x1", "x2"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a blank in its path, as `alembic init` makes it."""
    folder = tmp_path / "my project"
    (folder / "migrations" / "versions").mkdir(parents=True)
    ini = "[alembic]\n# script_location = elsewhere\nscript_location = %(here)s/migrations\n"
    (folder / "alembic.ini").write_text(ini)
    return folder


def write(project: Path, **files: str) -> None:
    for name, text in files.items():
        (project / "migrations" / "versions" / f"{name}.py").write_text(text)


def seen(project: Path, command: str = "alembic upgrade head", sh: tuple[str, ...] = ("sh",)):
    return of_files(run(script(str(project), command), sh))


@pytest.mark.parametrize("sh", SHELLS)
def test_every_way_to_write_a_revision_is_read(project, sh):
    write(project, a=OLD, b=TYPED, c=MERGE, __init__="")
    assert Migrations((FIRST, SECOND, THIRD)) == seen(project, sh=sh)


@pytest.mark.parametrize(
    ("body", "drops"),
    [
        ("op.drop_table('x')", True),
        ("op.execute('DROP TABLE x')", True),
        ("op.execute('delete  from x')", True),
        ("op.execute(users.delete().where(users.c.id == 1))", True),
        ("op.execute('TRUNCATE x')", True),
        ("op.drop_constraint('c', 'users')", False),
        ("op.drop_index('i')", False),
        ("op.add_column('users', sa.Column('deleted_at', sa.DateTime))  # drop table later", False),
    ],
)
def test_an_upgrade_that_deletes_something_is_marked(project, body, drops):
    write(
        project, a=f"revision = 'a'\n\ndef upgrade():\n    {body}\n\ndef downgrade():\n    pass\n"
    )
    assert Migrations((Revision("a", drops=drops),)) == seen(project)


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        ("alembic.ini", "[alembic]\nscript_location = migrations\n", "alembic upgrade head"),
        ("alembic.ini", "[alembic]\nscript_location: x\nscript_location=migrations\n", "alembic"),
        (
            "alembic.ini",
            "script_location = nosuch\nversion_locations = %(here)s/migrations/versions\n",
            "alembic",
        ),
        ("conf/own.ini", "script_location = %(here)s/../migrations\n", "alembic -c conf/own.ini x"),
        ("pyproject.toml", '[tool.alembic]\nscript_location = "%(here)s/migrations"\n', "alembic"),
    ],
)
def test_the_folder_is_the_one_that_alembics_configuration_names(project, name, text, command):
    (project / "alembic.ini").unlink()
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text)
    write(project, a=OLD)
    assert Migrations((FIRST,)) == seen(project, command)


def test_a_folder_inside_a_package_is_found(project):
    (project / "alembic.ini").write_text("[alembic]\nscript_location = migrations:inner\n")
    (project / "migrations" / "inner" / "versions").mkdir(parents=True)
    (project / "migrations" / "inner" / "versions" / "a.py").write_text(OLD)
    assert Migrations((FIRST,)) == seen(project)


def test_a_file_that_names_no_revision_is_told(project):
    write(project, a=OLD, b="x = 1\n")
    found = seen(project)
    assert ((FIRST,), ("./migrations/versions/b.py",)) == (found.revisions, found.nameless)


def test_a_project_without_revisions_has_none(project):
    assert Migrations(()) == seen(project)


def test_what_is_not_there_is_unreadable(project, tmp_path):
    assert isinstance(seen(tmp_path / "nosuch"), Unreadable)
    (project / "migrations" / "versions").rmdir()
    assert isinstance(seen(project), Unreadable)
    (project / "alembic.ini").unlink()
    assert isinstance(seen(project), Unreadable)


def tree(*recorded: str) -> Migrations:
    """Give two branches of one root, merged, and one that depends on another."""
    revisions = (
        Revision("root"),
        Revision("left", ("root",)),
        Revision("right", ("root",)),
        Revision("merge", ("left", "right")),
        Revision("own", (), ("left",)),
    )
    return Migrations(revisions, recorded=recorded)


@pytest.mark.parametrize(
    ("recorded", "pending"),
    [
        ((), ["root", "left", "right", "merge", "own"]),
        (("root",), ["left", "right", "merge", "own"]),
        (("left", "right"), ["merge", "own"]),
        (("merge",), ["own"]),
        (("own",), ["right", "merge"]),
        (("merge", "own"), []),
        (("unknown",), ["root", "left", "right", "merge", "own"]),
    ],
)
def test_what_is_pending_follows_from_what_builds_on_what(recorded, pending):
    assert ["merge", "own"] == list(tree().heads)
    assert pending == [revision.id for revision in tree(*recorded).pending]


def test_the_fact_works_alone(project):
    write(project, a=OLD, b=TYPED)
    fact = Revisions()
    output = run_alone(fact.command(directory=str(project)))
    assert {"heads": ["27c6a30d7c24"], "revisions": ["ae1027a6acf", "27c6a30d7c24"]} == (
        fact.process(output)
    )
