"""A disk that gets full while a backup is restored: the live database is as it was."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.embedded.programs import owner

from .restoring import Restoring, backed

__all__ = ["backed"]
pytestmark = pytest.mark.embedded


@pytest.fixture
def cramped(backed: Restoring) -> Iterator[Restoring]:
    """Where the database is there is no room for its largest table again."""
    place = backed.server.folder / "cramped"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=18m", "none", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    shutil.chown(place, owner().pw_uid, owner().pw_gid)
    try:
        backed.sql("CREATE TABLE shop.big AS SELECT md5(n::text) FROM generate_series(1, 90000) n")
        backed.server.sql(f"CREATE TABLESPACE cramped LOCATION '{place}'")
        backed.server.sql(f"ALTER DATABASE {backed.database} SET TABLESPACE cramped")
        yield backed
        for name in backed.databases():
            backed.server.sql(f"DROP DATABASE {backed.database}{name} WITH (FORCE)")
        backed.server.sql("DROP TABLESPACE cramped")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_nothing_is_switched_and_the_next_run_with_room_goes_on(cramped):
    cramped.back_up()
    cramped.sql("UPDATE shop.users SET active = false WHERE name = 'bob'")
    code, said = cramped.restore(cramped.place)
    assert 1 == code
    assert "No space left on device" in said
    assert cramped.lets_in()
    assert "f" == cramped.sql("SELECT active FROM shop.users WHERE name = 'bob'")
    place = str(cramped.server.folder / "cramped")
    subprocess.run(["mount", "-o", "remount,size=200m", place], check=True)
    code, said = cramped.restore(cramped.place)
    assert 0 == code, said
    assert cramped.lets_in("bob", "bob's")
