"""A release of a backend with Django's migrations: refused, taken back, and at last proven."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.backends.places import KEEP, PLACES
from tests.lab.backends.product import logs_in, run
from tests.lab.host import Host
from tests.lab.product import Ran

pytestmark = pytest.mark.lab

SHOP = next(one for one in PLACES if one.backend == "django_session")
BARE = "/srv/git/shop.git"
GIT = "git -c user.name=lab -c user.email=lab@example.com"
DESCRIBED = """
from dataclasses import replace as _replace

from relogin import Source as _Source

django_session = _replace(django_session, source=_Source(_root, "main"))
"""
AS = 'as() { runuser -u shop -- "$@"; }\n'
SET_UP = f"""set -e
{AS}mkdir -p /srv/git; chown shop: /srv/git; cd /srv/shop
printf 'env/\\n.env\\n__pycache__/\\n*.relogin-*\\n' >.gitignore; chown shop: .gitignore
as git init -q -b main; as git add .; as {GIT} commit -q -m first
as git clone -q --bare . {BARE}; as git remote add origin {BARE}
"""
# Two applications change: one of the project's own, and one that is new.
MIGRATION = """
cat >orders/migrations/0003_note.py <<'TEXT'
from django.db import migrations, models


def fill(apps, editor):
    apps.get_model("orders", "Order").objects.update(note="of before")


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_order_paid")]
    operations = [
        migrations.AddField("order", "note", models.TextField(default="")),
        migrations.RunPython(fill BACK),
    ]
TEXT
mkdir -p stock/migrations; : >stock/__init__.py; : >stock/migrations/__init__.py
cat >stock/migrations/0001_initial.py <<'TEXT'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_note")]
    operations = [migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))])]
TEXT
grep -q stock shop/settings.py || sed -i 's/^    "orders",/    "orders", "stock",/' shop/settings.py
"""
MOVED = "sed -i 's#accounts/login/#accounts/enter/#' shop/urls.py"
BACK_AGAIN = "sed -i 's#accounts/enter/#accounts/login/#' shop/urls.py"


@pytest.fixture
def host(many: Host) -> Iterator[Host]:
    many.root(KEEP)
    many.root(SET_UP)
    yield many
    many.root(f"rm -rf /srv/git; {SHOP.heal}")


def committed(host: Host, change: str) -> str:
    return host.root(f"""set -e
    {AS}rm -rf /tmp/tree; as git clone -q {BARE} /tmp/tree; cd /tmp/tree
    {{ {change}
    }} >&2
    chown -R shop: /tmp/tree; as git add -A; as {GIT} commit -q -m change
    as git push -q origin HEAD:main; git -c safe.directory='*' rev-parse HEAD
    rm -rf /tmp/tree""").strip()


def release(folder: Path, host: Host, *words: str) -> Ran:
    command = ("deploys/release.py", "-y", *words)
    return run(folder, host, "django_session", *command, described=DESCRIBED)


def stands(host: Host) -> list[str]:
    """Give the commit, what is recorded of migrations, and the tables' columns."""
    recorded = (
        "SELECT string_agg(app || '.' || name, ' ' ORDER BY app, name) FROM django_migrations"
    )
    columns = (
        "SELECT string_agg(table_name || '.' || column_name, ' ' ORDER BY 1) FROM"
        " information_schema.columns WHERE table_name ~ '^(orders|stock)_'"
    )
    commit = host.root("runuser -u shop -- git -C /srv/shop rev-parse HEAD").strip()
    return [commit, *(host.psql(asked, database="shop") for asked in (recorded, columns))]


def test_django_migrations_go_forth_and_back_with_a_release(tmp_path: Path, host: Host) -> None:
    before = stands(host)
    committed(host, MIGRATION.replace(" BACK", ""))

    refused = release(tmp_path, host)

    assert 1 == refused.code, refused.output
    assert "migration orders.0003_note deletes, or has no way back" in refused.output
    assert "needs --data allow_irreversible=true" in refused.output
    assert before == stands(host)

    committed(host, f"{MIGRATION.replace(' BACK', ', migrations.RunPython.noop')}\n{MOVED}")
    taken_back = release(tmp_path, host)
    assert 1 == taken_back.code, taken_back.output
    assert "going back to" in taken_back.output
    assert before == stands(host), taken_back.output
    assert logs_in(host, "django_session")

    new = committed(host, BACK_AGAIN)
    released = release(tmp_path, host)
    assert 0 == released.code, released.output
    commit, recorded, columns = stands(host)
    assert new == commit
    assert {"orders.0003_note", "stock.0001_initial"} < {*recorded.split()}
    assert {"orders_order.note", "stock_item.id"} < {*columns.split()}
    assert logs_in(host, "django_session")
