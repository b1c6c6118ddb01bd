"""What is found where Django's migrations and the database's record of them differ."""

import dataclasses

import pytest

from relogin import Django
from relogin.facts import migrations
from relogin.operations.migrations import FAULTS
from tests.operations import composed
from tests.operations.looks import ROOT, changes, found, halext, look, psql, recorded

BACKEND = halext(migrations=Django(ROOT, command="env/bin/python manage.py migrate"))
ONE = "orders.0001||||orders_order\n"
TWO = ONE + "orders.0002|orders.0001|||\n"
PAID = TWO + "bills.0001|orders.0001|||bills_bill\n"


def seen(files, *names, tables=("orders_order", "django_migrations")):
    """Give a look at a database that has recorded these migrations."""
    answers = recorded("halext")
    for edit in (psql("recorded", rows=list(names)), psql("tables", names=list(tables))):
        answers = edit(answers)
    answer = dataclasses.replace(answers["migrations"], text=files.encode(), status=0)
    state = migrations.parse(answer, answers["postgres"], BACKEND.migrations)
    return dataclasses.replace(look(backend=BACKEND), migrations=state, **_database(answers))


def _database(answers):
    from relogin.facts import postgres

    return {"postgres": postgres.parse(answers["postgres"])}


@pytest.mark.parametrize(
    ("files", "names", "tables", "fault", "told", "step"),
    [
        (
            TWO, ["orders.0001"], ["orders_order"], "behind", "orders.0002 not run",
            "the declared command is run: env/bin/python manage.py migrate",
        ),
        (
            ONE + "orders.0002|orders.0001||!|\n", ["orders.0001"], ["orders_order"], "behind",
            "orders.0002 not run",
            "orders.0002 deletes tables, columns or rows: take a backup, then run"
            " env/bin/python manage.py migrate",
        ),
        (
            TWO, [], ["django_migrations"], "never-run", "it has no table",
            "the declared command is run: env/bin/python manage.py migrate",
        ),
        (
            TWO, [], ["orders_order"], "not-stamped",
            "table django_migrations is empty; there is orders_order",
            "find out which revision the tables are at, and record it"
            f" (manage.py migrate --fake APP NAME, in {ROOT})",
        ),
        (
            TWO + "orders.0002_b|orders.0001|||\n", ["orders.0001"], ["orders_order"],
            "several-heads", "orders.0002, orders.0002_b",
            f"merge them in {ROOT} (manage.py makemigrations --merge)",
        ),
        (
            ONE, ["orders.0001", "orders.0002"], ["orders_order"], "unknown-revision",
            "the code's heads: orders.0001",
            "deploy the code that the database was migrated for, or the lost file of revision"
            " orders.0002; the code is older than its database",
        ),
        (
            TWO, ["orders.0002"], ["orders_order"], "inconsistent-history",
            "orders.0001 not recorded; orders.0002 recorded",
            "find out whether they were run (manage.py sqlmigrate APP NAME shows what they make),"
            " and put their rows back into django_migrations: Django refuses to migrate until then",
        ),
        (
            PAID, ["bills.0001"], ["orders_order", "bills_bill"], "inconsistent-history",
            "orders.0001 not recorded; bills.0001 recorded",
            "find out whether they were run (manage.py sqlmigrate APP NAME shows what they make),"
            " and put their rows back into django_migrations: Django refuses to migrate until then",
        ),
        (
            PAID, ["orders.0001", "orders.0002"], ["orders_order", "bills_bill"], "not-recorded",
            "there is bills_bill",
            "find out which migration the tables are at, and record it"
            " (manage.py migrate --fake APP NAME): to migrate would make them again",
        ),
        (
            PAID, ["orders.0001", "orders.0002"], ["orders_order", "bills_old"], "behind",
            "bills.0001 not run",
            "the declared command is run: env/bin/python manage.py migrate",
        ),
    ],
)  # fmt: skip
def test_each_difference_is_one_finding(files, names, tables, fault, told, step):
    looked = seen(files, *names, tables=tables)
    [finding] = found(FAULTS, looked, BACKEND)
    assert (f"migrations.{fault}", told, step) == (finding.fault, finding.seen, finding.remedy)


@pytest.mark.parametrize("names", [["orders.0002"], ["auth.0001"]])
def test_nothing_is_run_while_the_record_does_not_fit_the_tables(names):
    files = TWO + "auth.0001||||\n"
    assert [] == changes(FAULTS, seen(files, *names), BACKEND)


def test_applications_side_by_side_are_no_several_heads():
    files = TWO + "auth.0001||||auth_user\n"
    assert [] == found(FAULTS, seen(files, "orders.0001", "orders.0002", "auth.0001"), BACKEND)


def test_the_projects_own_command_is_run():
    looked = seen(TWO, "orders.0001")
    [change] = changes(FAULTS, looked, BACKEND)
    assert "run env/bin/python manage.py migrate" == change.why
    assert "manage.py migrate" in change.script


def test_in_a_container_the_projects_own_command_is_run_there():
    declared = Django("/app", command="python manage.py migrate")
    backend = dataclasses.replace(BACKEND, migrations=declared, service=composed.BACKEND.service)
    looked = dataclasses.replace(seen(TWO, "orders.0001"), service=composed.healthy())
    [change] = changes(FAULTS, looked, backend)
    assert "exec -T -w /app -e 'PGOPTIONS=-c lock_timeout=5s' app python manage.py migrate" in (
        change.script
    )
