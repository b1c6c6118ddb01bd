"""A release's migrations where they are Django's: a real Django, on a real PostgreSQL."""

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin import Compose, Django, Unreadable
from relogin.facts import release_django, release_new
from relogin.facts.observation import Observation
from relogin.facts.postgres_state import Target
from relogin.facts.release_new import NewRevision
from relogin.operations import release_database, release_unfit
from relogin.remote import Answer
from tests.embedded.server import Server
from tests.embedded.wheelhouse import environment, wheelhouse
from tests.facts.answers import run

from .databases import serving
from .django_shops import (
    NEW,
    OLD,
    ONE_WAY,
    ORDER,
    PAID,
    REQUIREMENTS,
    Shop,
    migration,
)
from .releases import begin, step


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("django")
    wanted = folder / "requirements.txt"
    wanted.write_text(REQUIREMENTS)
    environment(folder / "env", wanted, wheelhouse(wanted, spare=folder / "wheels"))
    return folder / "env"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        running.sql("CREATE ROLE shop LOGIN PASSWORD 'of-shop'")
        yield running


@pytest.fixture
def shop(server: Server, venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    server.sql("DROP DATABASE IF EXISTS shop")
    server.sql("CREATE DATABASE shop OWNER shop")
    made = Shop(server, venv, tmp_path)
    made.holds(OLD, "app")
    done = made.manage("migrate")
    assert 0 == done.returncode, done.stderr
    return made


def test_what_is_new_and_where_each_application_goes_back_to(shop: Shop) -> None:
    shop.holds(NEW)
    found = shop.look()
    assert {*NEW} - {*OLD} == {one.id for one in found.pending}
    assert ("orders.0001_initial stock.zero", ()) == (found.undone, found.lasting)
    assert "" == release_unfit.problem(shop.backend, shop.source, found, allowed=False)


def test_it_goes_forth_and_back_by_the_new_code(shop: Shop) -> None:
    before = shop.recorded(), shop.columns()
    shop.holds(NEW)
    undone = shop.look().undone
    begin("a" * 40, "b" * 40)
    shop.holds(NEW, "app")
    unseen = Unreadable("not asked")
    seen = Observation(machine=unseen, env_files=(unseen,))
    done = step(release_database.migrated(shop.backend, seen))
    assert (0, b"") == (done.status, done.text.strip())
    assert {"orders_order.paid", "stock_item.id"} < shop.columns()
    back = step(release_database.downgraded(shop.backend, seen, undone))
    assert (0, b"") == (back.status, back.text.strip())
    assert before == (shop.recorded(), shop.columns())


# What Django says of its own operations; those within another one do not count for that one.
ASKED = """\
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
import django
from django.db.migrations.loader import MigrationLoader
django.setup()
def all_of(operations):
    for one in operations:
        yield one
        yield from all_of(getattr(one, "database_operations", []))
for (app, name), found in MigrationLoader(None).disk_migrations.items():
    if not all(one.reversible for one in all_of(found.operations)):
        print(f"{app}.{name}")
"""


def test_what_django_itself_cannot_undo_has_to_be_allowed(shop: Shop) -> None:
    files, last = dict(OLD), "0001_initial"
    for number, does in enumerate(ONE_WAY, 2):
        files[f"orders.{number:04}_it"] = migration(does, ("orders", last))
        last = f"{number:04}_it"
    shop.holds(files)
    shop.holds(files, "app")
    found = shop.look()
    expected = [f"orders.{n:04}_it" for n, one_way in enumerate(ONE_WAY.values(), 2) if one_way]
    assert expected == [*found.lasting]
    said = subprocess.run(
        [shop.venv / "bin/python", "-c", ASKED], cwd=shop.top / "app", capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert expected == sorted(said.stdout.split())
    problem = release_unfit.problem(shop.backend, shop.source, found, allowed=False)
    assert "needs --data allow_irreversible=true" in problem


@pytest.mark.parametrize("text", ["def broken(:\n", "\0", migration("migrations.RunSQL(**given)")])
def test_a_migration_that_cannot_be_read_counts_as_one_without_a_way_back(text: str) -> None:
    assert release_django._lasts(text)


def test_what_deletes_has_to_be_allowed_though_django_can_undo_it(shop: Shop) -> None:
    gone = migration('migrations.DeleteModel("Order")', ("orders", "0001_initial"))
    shop.holds({**OLD, "orders.0002_gone": gone})
    assert ("orders.0002_gone",) == shop.look().lasting


def test_an_application_of_the_new_environment_is_seen_where_that_is_built(shop: Shop) -> None:
    """What the project's settings name of a library counts as the project's own does."""
    shop.holds(OLD)
    assert () == shop.look().pending
    built = Path(f"{shop.venv}.relogin-next")
    [python] = (one.name for one in shop.venv.glob("lib/python3*"))
    place = built / f"lib/{python}/site-packages/django/contrib/contenttypes"
    (place / "migrations").mkdir(parents=True)
    try:
        (place / "migrations/0009_more.py").write_text(
            migration("migrations.RunPython(forth)", ("contenttypes", "0001_initial"))
        )
        found = shop.look()
        assert ["contenttypes.0009_more"] == [one.id for one in found.pending]
        assert ("contenttypes.0009_more",) == found.lasting
    finally:
        subprocess.run(["rm", "-rf", built], check=True)


def test_squashed_migrations_that_were_run_in_part_have_no_single_way_back(shop: Shop) -> None:
    replaces = '    replaces = [("orders", "0001_initial")]\n    operations'
    squashed = migration(ORDER).replace("    operations", replaces)
    more = migration(PAID, ("orders", "0001_squashed"))
    shop.holds({"orders.0001_squashed": squashed, "orders.0002_paid": more})
    found = shop.look()
    assert "" == found.undone
    problem = release_unfit.problem(shop.backend, shop.source, found, allowed=False)
    assert "no single revision to go back to" in problem


def test_two_newest_migrations_of_one_application_are_refused(shop: Shop) -> None:
    """Django itself runs none of them (CommandError: Conflicting migrations detected)."""
    twice = {
        f"orders.0002_{name}": migration(PAID.replace("paid", name), ("orders", "0001_initial"))
        for name in ("left", "right")
    }
    shop.holds({**OLD, **twice})
    found = shop.look()
    assert {*twice} == {*found.rivals}
    problem = release_unfit.problem(shop.backend, shop.source, found, allowed=True)
    assert "merge them in the code" in problem
    shop.holds({**OLD, **twice}, "app")
    assert "Conflicting migrations detected" in shop.manage("migrate").stderr


def test_a_database_that_does_not_answer_is_said(shop: Shop) -> None:
    answers = {"own": Answer(b"", 0), "files": Answer(b"", 0), "recorded": Answer(b"", 2)}
    found = release_new.parse_django(answers)
    assert isinstance(found, Unreadable)
    assert "could not be read" in found.reason
    gone = release_new.parse_django({**answers, "files": Answer(b"", 3)})
    assert isinstance(gone, Unreadable)


def test_of_an_image_the_projects_own_migrations_are_read_beside(shop: Shop) -> None:
    """The folder that is declared is one in the container; the source has it elsewhere."""
    shop.holds(NEW, "app.relogin-stage/backend")
    part = Compose(str(shop.top / "app"), service="web", database_service="db")
    declared = dataclasses.replace(
        shop.backend,
        service=part,
        venv=None,
        migrations=Django("/code", "python manage.py migrate"),
    )
    stage, target = str(shop.top / "app.relogin-stage"), Target("shop", "shop", 5432)
    parts = release_new.scripts(declared, shop.source, stage, "a" * 40, target)
    recorded = Answer("\n".join(shop.recorded()).encode(), 0)
    found = release_new.parse_django(
        {"own": Answer(b"", 0), "files": run(parts["files"]), "recorded": recorded}
    )
    assert isinstance(found, NewRevision), found
    assert {*NEW} - {*OLD} == {one.id for one in found.pending}
    assert "orders.0001_initial stock.zero" == found.undone
