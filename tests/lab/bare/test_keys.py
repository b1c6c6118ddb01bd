"""A backend whose tokens are signed by a key comes to a bare host, which makes the pair.

Only with RELOGIN_TEST_ALL=1: it takes minutes. The first run ends where the code has no migrations:
once its people have laid its tables, the second one goes on.
"""

import os
from pathlib import Path

import pytest

from tests.lab.backends import canaries
from tests.lab.backends.image import FILES
from tests.lab.backends.product import logs_in
from tests.lab.bare.described import committed, onboard, with_wheels
from tests.lab.host import Host

pytestmark = pytest.mark.lab
NAME = "fastapi_rs256"
GENERATED = f"""
_token = {NAME}.token
_key = _dataclasses.replace(_token.public_key, generated=True)
{NAME} = _dataclasses.replace({NAME}, token=_dataclasses.replace(_token, public_key=_key))
del _token, _key
"""
TABLES = f"""
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 -d rs256 <<'SQL'
SET ROLE rs256;
{(FILES / "rs256.sql").read_text()}
SQL"""
KEYS = "stat -c '%n %a %U' /srv/rs256/keys/*; sha256sum /srv/rs256/keys/*"


if os.environ.get("RELOGIN_TEST_ALL"):

    def test_the_pair_is_made_once_for_the_backend_s_user_alone(bare: Host, tmp_path: Path) -> None:
        committed(tmp_path, NAME)
        with_wheels(bare, tmp_path / bare.suite, (NAME,))
        given = ({bare: (NAME,)}, {"OWNER_PASSWORD": canaries.OWNER_PASSWORD})
        assert 1 == onboard(tmp_path, *given, described=GENERATED).code
        made = bare.root(KEYS).splitlines()
        assert [
            "/srv/rs256/keys/private.pem 600 rs256",
            "/srv/rs256/keys/public.pem 644 rs256",
        ] == (made[:2])
        bare.root(TABLES)
        ran = onboard(tmp_path, *given, described=GENERATED)
        assert 0 == ran.code, ran.output
        assert "token: RS256, signature good" in ran.verdict
        bare.root("command -v curl || { apt-get update -qq; apt-get install -qqy curl; }")
        assert logs_in(bare, NAME)
        again = onboard(tmp_path, *given, described=GENERATED)
        assert "people can log in; nothing was changed" in again.verdict, again.output
        assert made == bare.root(KEYS).splitlines()
