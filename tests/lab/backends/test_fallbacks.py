"""Django's SECRET_KEY with a fallback: what the older key has signed is accepted, before and after.

By `make test-all`.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.backends import canaries
from tests.lab.backends.places import KEEP, PLACES
from tests.lab.backends.product import logs_in, opened, run, session
from tests.lab.host import Host

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="by make test-all"),
]
BACKEND = "django_session"
[PLACE] = [place for place in PLACES if place.backend == BACKEND]
NEWER = "canary-shop-newer-Yk4!nD7(zW2)bR9*hT1=cM6+vJ3-pS8^fL5%xQ0aG2uEoB"
OLDER = f"SECRET_KEY_OLD='{canaries.SHOP_SECRET}'"
ROTATED = f"""
cat >/root/rotate.py <<'PYTHON'
import re
path = "{PLACE.env}"
text = open(path).read()
text = re.sub("(?m)^SECRET_KEY=.*", {f"SECRET_KEY='{NEWER}'"!r}, text)
open(path, "w").write(re.sub("(?m)^SECRET_KEY_OLD=.*", {OLDER!r}, text))
PYTHON
python3 /root/rotate.py; rm /root/rotate.py
{PLACE.restart}"""


@pytest.fixture
def host(many: Host) -> Iterator[Host]:
    many.root(KEEP)
    yield many
    many.root(PLACE.heal)


def test_a_session_of_the_older_key_goes_on_whatever_is_mended(tmp_path: Path, host: Host) -> None:
    one, other = session(host), session(host)  # Django gives each a new id once it was opened
    host.root(ROTATED)
    assert "200" == opened(host, one)

    ran = run(tmp_path, host, BACKEND)

    assert (0, [], []) == (ran.code, ran.section("What was wrong first"), ran.changed()), ran.output
    of_newer = session(host)
    host.root(f"sed -i '/^SECRET_KEY=/d' {PLACE.env}\n{PLACE.restart}")
    host.forget_execs()
    assert not logs_in(host, BACKEND)

    ran = run(tmp_path, host, BACKEND)

    assert 0 == ran.code, ran.output
    assert "env_file.key-missing" in ran.section("What was wrong first")[0], ran.output
    assert logs_in(host, BACKEND), ran.output
    assert OLDER in host.root(f"cat {PLACE.env}").splitlines()
    assert "200" == opened(host, other)
    assert "200" != opened(host, of_newer)  # its key is nowhere any more: a new one was made
    assert [] == run(tmp_path, host, BACKEND).changed()


def test_without_the_fallback_that_session_would_have_ended(host: Host) -> None:
    of_older = session(host)
    host.root(f"{ROTATED}\nsed -i 's/^SECRET_KEY_OLD=.*/SECRET_KEY_OLD=/' {PLACE.env}")
    host.root(PLACE.restart)

    assert "200" != opened(host, of_older)
