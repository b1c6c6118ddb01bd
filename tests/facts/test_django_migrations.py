"""Django's migrations, read by a shell without running any of them, beside what is recorded."""

from pathlib import Path

import pytest

from relogin import Django, Venv
from relogin.facts.django_migrations import Found, in_force, read, unknown
from relogin.facts.migrations import parse, script_of
from relogin.finding import Unreadable
from relogin.remote import Answer
from tests.facts.answers import SHELLS, run

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "my_shop.settings")\n'
SETTINGS = """INSTALLED_APPS = [
    "django.contrib.auth", 'orders.apps.OrdersConfig', "apps.people",
]
"""
FIRST = """\
from django.db import migrations, models
class Migration(migrations.Migration):
    initial = True
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('auth', '0002_b'),  # ('not', 'this')
        ("people", "__first__"),
    ]
    operations = [migrations.CreateModel(name="Order", fields=[("id", models.AutoField())])]
"""
SECOND = """\
class Migration(migrations.Migration):
    replaces = [("orders", "0002_x"),
                ("orders", "0003_y")]
    dependencies = [("orders", "0001_initial")]
    operations = [migrations.RemoveField(model_name="order", name="fax")]
"""
PLAIN = "class Migration(migrations.Migration):\n    dependencies = []\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a blank in its path, and a library beside it that is not installed."""
    folder = tmp_path / "the shop"
    site = folder / "env" / "lib" / "python3.11" / "site-packages"
    for path, text in {
        "manage.py": MANAGE,
        "my_shop/settings.py": SETTINGS,
        "orders/migrations/__init__.py": "",
        "orders/migrations/0001_initial.py": FIRST,
        "orders/migrations/0002_squashed.py": SECOND,
        "orders/migrations/helpers.py": "def rename(): pass\n",
        "apps/people/migrations/0001_initial.py": PLAIN,
        "apps/people/apps.py": "class C(AppConfig):\n    label = 'folk'\n",
        "old/migrations/0001_initial.py": PLAIN,
        f"{site}/django/contrib/auth/migrations/0001_a.py": PLAIN,
        f"{site}/django/contrib/auth/migrations/0002_b.py": PLAIN.replace(
            "[]", "[('auth', '0001_a')]"
        ),
        f"{site}/django/contrib/sites/migrations/0001_a.py": PLAIN,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def script(project: Path) -> str:
    return script_of(Django(str(project)), Venv(f"{project}/env"))


@pytest.mark.parametrize("sh", SHELLS)
def test_own_and_installed_applications_are_read(project, sh):
    found = read(line for line in run(script(project), sh).lines if line)
    assert {
        Found("orders.0001_initial", ("auth.0002_b",), makes=("orders_order",)),
        Found(
            "orders.0002_squashed",
            ("orders.0001_initial",),
            ("orders.0002_x", "orders.0003_y"),
            drops=True,
        ),
        Found("folk.0001_initial"),
        Found("old.0001_initial", installed=False),
        Found("auth.0001_a"),
        Found("auth.0002_b", ("auth.0001_a",)),
    } == set(found)


TABLES = """\
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            name="LineItem",
            fields=[
                ("id", models.AutoField()),
                ("name", models.CharField(verbose_name="Name")),
            ],
        ),
        migrations.CreateModel(
            name='Old',
            fields=[],
            options={'db_table': 'legacy_old', "ordering": []},
        ),
        migrations.CreateModel(
            name="View",
            fields=[],
            options={
                "db_table": "a_view",
                "managed": False,
            },
        ),
        migrations.AlterField(
            model_name="lineitem",
            name="title",
        ),
        migrations.CreateModel(name="Last", fields=[]),
    ]
"""


@pytest.mark.parametrize("sh", SHELLS)
@pytest.mark.parametrize(
    ("text", "made"),
    [
        (TABLES, ("orders_lineitem", "legacy_old", "orders_last")),
        (TABLES.replace("operations", "state_operations", 1), ()),
        (PLAIN, ()),
    ],
    ids=["made", "noted in the state only", "none"],
)
def test_the_tables_that_a_migration_makes_are_read(project, sh, text, made):
    (project / "orders/migrations/0001_initial.py").write_text(text)
    found = read(line for line in run(script(project), sh).lines if line)
    assert [made] == [one.makes for one in found if one.name == "orders.0001_initial"]


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        ("manage.py", "there is no manage.py that could be read"),
        ("my_shop/settings.py", "the settings that manage.py names could not be read"),
    ],
)
def test_a_project_without_settings_could_not_be_seen(project, gone, reason):
    (project / gone).unlink()
    answer = run(script(project))
    assert Unreadable(reason) == parse(answer, recorded(), Django(str(project)))


def recorded(*names: str) -> Answer:
    rows = ", ".join(f'"{name}"' for name in names)
    parts = (
        '{"part": "tables", "names": []}',
        '{"part": "version_table", "there": true}',
        f'{{"part": "recorded", "rows": [{rows}]}}',
    )
    return Answer("\n".join(parts).encode(), 0)


def test_what_is_not_recorded_is_pending(project):
    seen = parse(
        run(script(project)),
        recorded("auth.0001_a", "auth.0002_b", "folk.0001_initial", "orders.0001_initial"),
        Django(str(project)),
    )
    assert ["orders.0002_squashed"] == [one.id for one in seen.pending]
    assert ((), ()) == (seen.rivals, seen.unknown)


SQUASHED = [
    Found("a.0001"),
    Found("a.0002", ("a.0001",)),
    Found("a.0001_squashed_0002", (), ("a.0001", "a.0002")),
]


@pytest.mark.parametrize(
    ("recorded", "left"),
    [
        ([], ["a.0001_squashed_0002"]),
        (["a.0001"], ["a.0001", "a.0002"]),
        (["a.0001", "a.0002"], []),
        (["a.0001", "a.0002", "a.0001_squashed_0002"], ["a.0001_squashed_0002"]),
    ],
)
def test_a_squashed_migration_stands_for_those_that_it_replaces(recorded, left):
    assert left == [one.name for one in in_force(SQUASHED, recorded)]


def test_an_application_that_is_recorded_counts_though_the_settings_do_not_name_it():
    found = [Found("a.0001", installed=False), Found("b.0001", installed=False)]
    assert [found[0]] == in_force(found, ["a.0001"])


def test_a_recorded_migration_beyond_the_last_file_is_newer_than_the_code():
    recorded = ["a.0001", "a.0003_new", "a.0001_old_name", "gone.0009_x"]
    assert ["a.0003_new"] == unknown([Found("a.0001"), Found("a.0002")], recorded)
