"""Two web hosts with one database on a third one, whose administrator comes by a URL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from urllib.parse import quote

import pytest

from .cases.case import BACKEND, PSQL
from .host import Host
from .inventory import by
from .test_hosts import DIAGNOSE, findings
from .variants.variant import run

pytestmark = pytest.mark.lab

ADMIN_PASSWORD = "canary-admin-r3Kd 8@Wn/5Zt"
OPEN = f"""
set -e
{PSQL} <<'SQL'
CREATE ROLE boss SUPERUSER LOGIN PASSWORD '{ADMIN_PASSWORD}';
ALTER SYSTEM SET listen_addresses = '*';
SQL
echo 'host all all 0.0.0.0/0 scram-sha-256' | tee -a /etc/postgresql/*/main/pg_hba.conf
systemctl restart 'postgresql@*-main.service'
"""
CLOSE = f"""
{PSQL} -c 'ALTER SYSTEM RESET listen_addresses' -c 'DROP ROLE IF EXISTS boss'
sed -i '/^host all all 0.0.0.0.0 /d' /etc/postgresql/*/main/pg_hba.conf
systemctl restart 'postgresql@*-main.service'
"""
MOVED = f"""
set -e
systemctl stop 'postgresql@*-main.service'
sed -i '/^DATABASE_URL=/s/127.0.0.1/ADDRESS/' {BACKEND}/.env
systemctl restart halext-api
for _ in $(seq 100); do
  ! curl -sf -o /dev/null http://127.0.0.1/api/health || break; sleep 0.2
done
"""
PROFILE = """
halext = with_url(host="ADDRESS")
admin = AdminUrl(Secret.env("DATABASE_ADMIN_URL"))
halext = replace(halext, database=replace(halext.database, admin=admin))
"""
BREAK = f"""
{PSQL} -d halext_org -c "DELETE FROM users WHERE username = 'ops'"
{PSQL} -c "ALTER ROLE halext_user NOLOGIN PASSWORD 'of-yesterday'"
{PSQL} -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'halext_user'"
"""
STORED = """
SELECT rolpassword, rolcanlogin FROM pg_authid WHERE rolname = 'halext_user';
SELECT id, hashed_password FROM users WHERE username = 'ops';
"""
# What the server itself has counted, of transactions that were rolled back too.
WRITES = """
SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'users';
SELECT n_tup_upd FROM pg_stat_sys_tables WHERE relname = 'pg_authid';
"""


@pytest.fixture
def apart(hosts_for_cases: Queue[Host], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Host]]:
    """Give the database's host, then the web hosts."""
    database, *webs = taken = [hosts_for_cases.get() for _ in range(3)]
    url = f"postgresql://boss:{quote(ADMIN_PASSWORD, safe='')}@{database.address}/postgres"
    monkeypatch.setenv("DATABASE_ADMIN_URL", url)
    database.root(OPEN)
    with ThreadPoolExecutor() as pool:
        moved = MOVED.replace("ADDRESS", database.address)
        list(pool.map(lambda web: web.root(moved), webs))
        yield taken
        database.root(CLOSE)
        try:
            list(pool.map(Host.heal, taken))
        finally:
            for host in taken:
                hosts_for_cases.put(host)


def written(database: Host) -> list[int]:
    """Give how many rows of users were inserted so far, and how often a role was altered."""
    return [int(line) for line in database.psql(WRITES).split()]


def test_two_web_hosts_with_one_database_mend_it_once_in_one_run(apart, tmp_path):
    database, *webs = apart
    profile = PROFILE.replace("ADDRESS", database.address)
    ways = [(by(web), profile) for web in webs]
    looked = run(tmp_path, ways, *DIAGNOSE)
    assert (0, []) == (looked.code, findings(looked)), looked.output
    before = written(database)
    database.root(BREAK)
    for web in webs:
        web.forget_execs()

    ran = run(tmp_path, ways)

    assert 0 == ran.code, ran.output
    assert "✗" not in ran.verdict, ran.output
    inserted, altered = (now - then for now, then in zip(written(database), before, strict=True))
    # once to break it, then its LOGIN and its password
    assert (1, 1 + 2) == (inserted, altered), ran.output
    assert [True, True] == [web.login().works for web in webs], ran.output
    stored = database.psql(STORED)
    again = run(tmp_path, ways)
    assert (0, []) == (again.code, again.changed()), again.output
    assert stored == database.psql(STORED)
    assert ADMIN_PASSWORD not in ran.output + again.output
    for web in webs:
        assert [] == [one.argv for one in web.execs() if one.holds("canary-admin")]
        assert [] == web.files_holding(["canary-admin"])
