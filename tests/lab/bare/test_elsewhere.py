"""A bare host whose database is on another one, where its administrator comes by a URL.

Only with RELOGIN_TEST_ALL=1: it takes minutes.
"""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.lab.backends import canaries
from tests.lab.backends.product import logs_in
from tests.lab.bare.described import committed, onboard, with_wheels
from tests.lab.host import Host
from tests.lab.test_elsewhere import ADMIN_PASSWORD, CLOSE, OPEN

pytestmark = pytest.mark.lab
NAME = "fastapi_elsewhere"
APPLICATION = "fastapi_argon"
AT = """
from relogin import Secret
file = {name}.env_files[0]
keys = file.keys | {{"POSTGRES_HOST": "{address}"}}
for key in ("POSTGRES_PASSWORD", "JWT_SECRET"):
    keys[key] = Secret.generated()
{name} = _dataclasses.replace({name}, env_file=_dataclasses.replace(file, keys=keys))
del file, keys, key
"""


def secrets(database: Host) -> dict[str, str]:
    url = f"postgresql://boss:{quote(ADMIN_PASSWORD, safe='')}@{database.address}/postgres"
    return {"OWNER_PASSWORD": canaries.OWNER_PASSWORD, "DATABASE_ADMIN_URL": url}


if os.environ.get("RELOGIN_TEST_ALL"):

    def test_its_role_and_database_are_made_there_and_no_server_here(
        bare: Host, lab: list[Host], tmp_path: Path
    ) -> None:
        committed(tmp_path, NAME, APPLICATION)
        with_wheels(bare, tmp_path / bare.suite, (APPLICATION,))
        servers = "dpkg-query -W -f '${Package}\\n' 'postgresql-[1-9]*' 2>/dev/null; true"
        before = bare.root(servers)
        lab[0].root(OPEN)
        try:
            given = ({bare: (NAME,)}, secrets(lab[0]))
            at = AT.format(name=NAME, address=lab[0].address)
            ran = onboard(tmp_path, *given, described=at)
            assert 0 == ran.code, ran.output
            assert before == bare.root(servers)
            bare.root("command -v curl || { apt-get update -qq; apt-get install -qqy curl; }")
            assert logs_in(bare, NAME)
            assert "1" == lab[0].psql("SELECT count(*) FROM crm.members", database="parts").strip()
            again = onboard(tmp_path, *given, described=at)
            assert "people can log in; nothing was changed" in again.verdict, again.output
        finally:
            lab[0].root(CLOSE)
            lab[0].heal()
