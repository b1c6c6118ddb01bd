"""A database that is elsewhere: its administrator may see less than all, or there is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.backends.cases import may_differ
from tests.lab.backends.places import ELSEWHERE, KEEP
from tests.lab.backends.product import SECRETS, diagnose, logs_in, run
from tests.lab.cases.case import PSQL
from tests.lab.host import Host
from tests.lab.test_restore import differences, unexpected

pytestmark = pytest.mark.lab
BACKEND = "fastapi_elsewhere"
PLACE = ELSEWHERE
WITH = """
from dataclasses import replace

_admin = {admin}
fastapi_elsewhere = replace(
    fastapi_elsewhere, database=replace(fastapi_elsewhere.database, admin=_admin)
)
"""
BY_MANAGER = WITH.format(admin='AdminUrl(Secret.env("DATABASE_MANAGER_URL"))')
BY_NOBODY = WITH.format(admin=None)


@pytest.fixture
def host(many: Host) -> Iterator[Host]:
    many.root(KEEP)
    yield many
    many.root(PLACE.heal)


def test_an_administrator_who_is_no_superuser_mends_what_he_may_and_the_rest_is_said(
    tmp_path: Path, host: Host
) -> None:
    looked = diagnose(tmp_path, host, BACKEND, BY_MANAGER)
    assert 0 == looked.code, looked.output
    assert "nothing was changed" in looked.verdict
    [unseen] = [line for line in looked.section("What could not be seen") if "in part" in line]
    healthy = host.snapshot(*PLACE.only)
    host.root(
        f"""{PSQL} -c "ALTER ROLE parts NOLOGIN"
{PLACE.sql(*PLACE.behind, f"UPDATE {PLACE.users.table} SET enabled = false")}
{PLACE.restart}"""
    )
    host.forget_execs()
    assert not logs_in(host, BACKEND)

    ran = run(tmp_path, host, BACKEND, described=BY_MANAGER)

    assert 0 == ran.code, ran.output
    named = "\n".join(ran.section("What was wrong first") + ran.section("What else was wrong"))
    for fault in ("postgres.role-cannot-login", "migrations.behind", "accounts.inactive"):
        assert fault in named, ran.output
    assert logs_in(host, BACKEND), ran.output
    left = differences(healthy, host.snapshot(*PLACE.only))
    assert {} == unexpected(left, may_differ(PLACE)), ran.output
    assert [] == run(tmp_path, host, BACKEND, described=BY_MANAGER).changed()
    assert unseen


def test_without_an_administrator_the_rest_is_mended_and_the_database_left_alone(
    tmp_path: Path, host: Host
) -> None:
    looked = diagnose(tmp_path, host, BACKEND, BY_NOBODY)
    assert 0 == looked.code, looked.output
    assert looked.section("What could not be seen"), looked.output
    host.root(f"sed -i '{PLACE.edit[1]}' {PLACE.env}\n{PLACE.restart}")
    host.root(f"rm -r {PLACE.venv}/lib/python3*/site-packages/{PLACE.distribution}*")
    host.forget_execs()

    ran = run(tmp_path, host, BACKEND, described=BY_NOBODY)

    assert 0 == ran.code, ran.output
    assert logs_in(host, BACKEND), ran.output
    assert [] == run(tmp_path, host, BACKEND, described=BY_NOBODY).changed()


def test_no_secret_of_an_administrator_is_in_the_profile() -> None:
    text = Path(f"inventories/group_data/{BACKEND}.py").read_text()
    assert [] == [value for value in SECRETS.values() if value in text]
