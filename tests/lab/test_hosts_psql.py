"""PostgreSQL that is not where Debian has it: other programs, and a socket in another folder."""

from collections.abc import Iterator

import pytest

from .base import BOOKWORM, TRIXIE
from .host import Host
from .inventory import by
from .test_hosts import DIAGNOSE, HEALED, PROVEN, findings
from .test_restore import differences
from .variants.variant import FAULTS, run

pytestmark = pytest.mark.lab

SOCKET_IN_TMP = """
set -e
echo "unix_socket_directories = '/tmp'" | tee -a /etc/postgresql/*/main/postgresql.conf
systemctl restart 'postgresql@*-main.service'
"""
# One psql, of no package: Debian's wrapper and the programs behind it are hidden.
WRAPPER = "/usr/share/postgresql-common/pg_wrapper"
OWN_PROGRAMS = f"""
cp /usr/lib/postgresql/*/bin/psql /usr/lib/postgresql/*/bin/pg_isready /usr/local/bin
for hidden in {WRAPPER} /usr/lib/postgresql/*/bin/psql /usr/bin/pg_lsclusters; do
  mount --bind /dev/null "$hidden"
done
"""
ONLY_USR_BIN = f"""
set -e
cp $(echo /usr/lib/postgresql/*/bin/psql) /root/psql
mount --bind /root/psql {WRAPPER}
mount --bind /dev/null $(echo /usr/lib/postgresql/*/bin/psql)
"""
SHOW = f"""
for hidden in {WRAPPER} /usr/lib/postgresql/*/bin/psql /usr/bin/pg_lsclusters; do
  ! mountpoint -q "$hidden" || umount "$hidden"
done
rm -f /root/psql /usr/local/bin/psql /usr/local/bin/pg_isready
"""
PEER = """
peer = Peer(socket="/tmp", psql="/usr/local/bin/psql")
halext = replace(halext, database=replace(halext.database, admin=peer))
"""


@pytest.fixture
def host(request: pytest.FixtureRequest, lab: list[Host], trixie: Host) -> Iterator[Host]:
    host = trixie if getattr(request, "param", BOOKWORM) == TRIXIE else lab[0]
    yield host
    host.root(SHOW)
    host.heal()


@pytest.mark.parametrize("host", [BOOKWORM, TRIXIE], indirect=True)
@pytest.mark.parametrize(
    ("prepare", "profile"),
    [(SOCKET_IN_TMP, ""), (ONLY_USR_BIN, ""), (SOCKET_IN_TMP + OWN_PROGRAMS, PEER)],
    ids=["Debian's, socket in /tmp", "psql in /usr/bin alone", "its own, declared"],
)
def test_the_administrators_psql_is_found(host, tmp_path, prepare, profile):
    host.root(prepare)
    ran = run(tmp_path, [(by(host), profile)], *DIAGNOSE)
    assert (0, []) == (ran.code, findings(ran)), ran.output
    assert PROVEN in ran.verdict, ran.output


def test_a_psql_that_looks_for_the_socket_elsewhere_is_said_and_nothing_is_guessed(host, tmp_path):
    host.root(SOCKET_IN_TMP + OWN_PROGRAMS)
    host.root("systemctl stop halext-api")
    before = host.snapshot()

    looked = run(tmp_path, [(by(host), "")], *DIAGNOSE)

    assert "Traceback" not in looked.output
    assert (
        "postgres: the server answers, but psql was not let in as its administrator, or is not"
        " where it is looked for: declare Peer(psql=…, socket=…, role=…)" in looked.verdict
    ), looked.output
    assert {} == differences(before, host.snapshot())


def test_a_server_of_its_own_is_healed_where_its_administrator_is_declared(host, tmp_path):
    host.root(SOCKET_IN_TMP + OWN_PROGRAMS)
    host.root(FAULTS.replace("-- psql", "-- /usr/local/bin/psql -h /tmp"))
    ran = run(tmp_path, [(by(host), PEER)])
    assert 0 == ran.code, ran.output
    assert HEALED in ran.verdict, ran.output
    assert host.login().works
