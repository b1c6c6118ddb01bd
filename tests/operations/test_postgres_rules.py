"""Rules of pg_hba.conf on a real server: the line that decides is found as the server does."""

import contextlib
import time
from collections.abc import Iterator

import pytest

from tests.embedded.server import Server
from tests.operations.places import APP, DB, by_hand

pytestmark = pytest.mark.embedded


@contextlib.contextmanager
def rules(server: Server, text: str) -> Iterator[None]:
    """Put lines before those of pg_hba.conf, and have them read."""
    path = server.folder / "data" / "pg_hba.conf"
    before = path.read_text()
    path.write_text(f"{text}\n{before}")
    server.sql("SELECT pg_reload_conf()")
    time.sleep(0.3)
    try:
        yield
    finally:
        path.write_text(before)
        server.sql("SELECT pg_reload_conf()")
        time.sleep(0.3)


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("host all all 127.0.0.1/32 reject", True),
        ("host all all samehost reject", True),
        ("host all all localhost reject", True),
        (f"hostnossl {DB} {APP} 0.0.0.0/0 reject", True),
        (f'host "{"x" * 9}",{DB} all 127.0.0.0/8 reject', True),
        ("hostssl all all 127.0.0.1/32 reject", False),
        ("host all all 10.0.0.0/8 reject", False),
        ("host all other 127.0.0.1/32 reject", False),
        ("host sameuser all 127.0.0.1/32 reject", False),
        (f"host all {APP} 127.0.0.1/32 scram-sha-256\nhost all all all reject", False),
        ("local all all reject", False),
    ],
)
def test_the_line_that_decides_is_found_as_the_server_finds_it(place, line, refused):
    own = "local all nobody peer\n"  # the administrator's
    with rules(place.server, own + line):
        assert refused is not place.works()
        findings = [one.fault for one in place.found()]
    assert ["postgres.hba-refuses"] * refused == findings


def test_a_rule_that_cannot_be_read_is_a_warning_and_the_old_ones_are_in_force(place):
    with rules(place.server, "host all all 127.0.0.1/32 reject\nhots all all all trust"):
        assert place.works()
        finding = by_hand(place, "hba-unreadable")
    assert finding.what.startswith("the server cannot read line 2 of ")
