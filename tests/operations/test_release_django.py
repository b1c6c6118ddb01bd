"""A release's migrations where they are Django's: a real Django, on a real PostgreSQL."""

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin import Backend, Compose, Django, Source, Systemd, Unreadable, Venv
from relogin.facts import release_django, release_new
from relogin.facts.observation import Observation
from relogin.facts.postgres_state import Target
from relogin.facts.release_new import NewRevision
from relogin.operations import release_database, release_unfit
from relogin.remote import Answer
from tests.embedded.server import Server
from tests.embedded.wheelhouse import environment, wheelhouse
from tests.facts.answers import run

from .databases import described, serving
from .releases import begin, step

REQUIREMENTS = "Django==5.2.19\npsycopg[binary]==3.3.9\n"
MANAGE = """\
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SETTINGS = """\
SECRET_KEY = "of-the-test"
INSTALLED_APPS = ["django.contrib.contenttypes", "orders", "stock"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "NAME": "shop",
  "USER": "shop", "PASSWORD": "of-shop", "HOST": "127.0.0.1", "PORT": {port}}}}}
"""
HEAD = "from django.db import migrations, models\n\n\ndef forth(apps, editor):\n    pass\n\n\n"
BODY = """\
class Migration(migrations.Migration):
    dependencies = [{needs}]
    operations = [{does}]
"""
ORDER = 'migrations.CreateModel("Order", [("id", models.BigAutoField(primary_key=True))])'
PAID = 'migrations.AddField("order", "paid", models.BooleanField(default=False))'
ITEM = 'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))])'
ONE_WAY = {
    "migrations.RunPython(forth)": True,
    "migrations.RunPython(\n        code=forth,\n        elidable=True,\n    )": True,
    "migrations.RunPython(forth, None)": True,
    "migrations.RunPython(forth, forth)": False,
    "migrations.RunPython(forth, reverse_code=migrations.RunPython.noop)": False,
    'migrations.RunSQL("select 1")': True,
    'migrations.RunSQL(sql=[("select %s", [1])], reverse_sql="select 2")': False,
    "migrations.RunSQL('select 1', migrations.RunSQL.noop)": False,
    "migrations.SeparateDatabaseAndState([migrations.RunSQL('select 1')])": True,
    PAID: False,
}


def migration(does: str, *needs: tuple[str, str]) -> str:
    return HEAD + BODY.format(needs=", ".join(map(repr, needs)), does=does)


def project(folder: Path, port: int, files: dict[str, str]) -> None:
    """Write a project of two applications; `files` are migrations by `app.name`."""
    texts = {"manage.py": MANAGE, "shop/__init__.py": "", "shop/settings.py": SETTINGS}
    for app in ("orders", "stock"):
        texts |= {f"{app}/__init__.py": "", f"{app}/migrations/__init__.py": ""}
    for name, text in files.items():
        app, _, file = name.partition(".")
        texts[f"{app}/migrations/{file}.py"] = text
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text.format(port=port) if text is SETTINGS else text)


OLD = {"orders.0001_initial": migration(ORDER)}
NEW = {
    **OLD,
    "orders.0002_paid": migration(PAID, ("orders", "0001_initial")),
    "orders.0003_fill": migration("migrations.RunPython(forth, forth)", ("orders", "0002_paid")),
    "stock.0001_initial": migration(ITEM, ("orders", "0002_paid")),
}


@dataclasses.dataclass
class Shop:
    """A Django whose database has its old revision; the new one is in the stage."""

    server: Server
    venv: Path
    top: Path

    @property
    def source(self) -> Source:
        return Source(str(self.top / "app"))

    @property
    def backend(self) -> Backend:
        declared = described(self.server, "shop", "shop")
        return dataclasses.replace(
            declared,
            service=Systemd("mine", working_directory=str(self.top / "app")),
            venv=Venv(str(self.venv)),
            migrations=Django(
                str(self.top / "app"), f"{self.venv}/bin/python manage.py migrate --verbosity 0"
            ),
        )

    def holds(self, files: dict[str, str], folder: str = "app.relogin-stage") -> None:
        project(self.top / folder, self.server.port, files)

    def manage(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [self.venv / "bin/python", "manage.py", *words]
        return subprocess.run(
            command, cwd=self.top / "app", capture_output=True, text=True, check=False
        )

    def look(self) -> NewRevision:
        """Look as a release does, in two commands."""
        backend, stage = self.backend, str(self.top / "app.relogin-stage")
        target = Target("shop", "shop", self.server.port)
        parts = release_new.scripts(backend, self.source, stage, "a" * 40, target)
        seen = {name: run(parts[name]) for name in ("files", "recorded")}
        found = release_new.parse_django({**seen, "own": Answer(b"", 0)})
        assert isinstance(found, NewRevision), found
        pending = [one.id for one in found.pending]
        code = release_new._folder(backend, self.source, stage) + release_django.code(pending)
        one_way = release_django.lasting(pending, run(code))
        return dataclasses.replace(found, lasting=(*found.lasting, *one_way))

    def recorded(self) -> set[str]:
        select = "SELECT string_agg(app || '.' || name, ' ') FROM django_migrations"
        return set(self.server.sql(select, "shop").split())

    def columns(self) -> set[str]:
        select = (
            "SELECT string_agg(table_name || '.' || column_name, ' ') FROM"
            " information_schema.columns WHERE table_name ~ '^(orders|stock)_'"
        )
        return set(self.server.sql(select, "shop").split())


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
