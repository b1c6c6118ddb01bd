"""A Django project with two revisions, beside a real PostgreSQL."""

import dataclasses
import subprocess
from pathlib import Path

from relogin import Backend, Django, Source, Systemd, Venv
from relogin.facts import release_django, release_new
from relogin.facts.postgres_state import Target
from relogin.facts.release_new import NewRevision
from relogin.remote import Answer
from tests.embedded.server import Server
from tests.facts.answers import run

from .databases import described

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
