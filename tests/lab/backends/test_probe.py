"""An API of 15 declared endpoints on a real host: probed while it is sound, and when it is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.backends.places import KEEP, PLACES
from tests.lab.backends.product import run
from tests.lab.host import Host
from tests.lab.product import Ran
from tests.lab.test_restore import differences, unexpected

pytestmark = pytest.mark.lab
BACKEND = "task_074"
[PLACE] = [place for place in PLACES if place.backend == BACKEND]
# How fast this machine is while it does other things is not what is tried here.
BRIEFLY = """
from dataclasses import replace

from relogin import Load

task_074 = replace(task_074, api=replace(task_074.api, load=Load(requests=2, p95=5.0, rate=50)))
"""
# A restored table, an env file of another host, and code of other days.
BROKEN = (
    PLACE.sql(
        "UPDATE users SET mfa_required = false WHERE username = 'grace'",
        "ALTER TABLE oauth_accounts RENAME subject TO sub",
    )
    + """
cd /srv/hub/hub
sed -i 's|"/me/sessions"|"/me/devices"|; s|^    roles: list.*||' users.py
sed -i 's|api.get("/providers")|api.post("/providers")|' oauth.py
sed -i 's|_: Annotated.Row, allowed("sms:read").|_: None = None|' reports.py
sed -i 's|SELECT u.day|SELECT pg_sleep(5.5 / count(*) OVER ()), u.day|' reports.py
sed -i 's|:session AND revoked_at IS NULL|:session AND revoked_at IS NOT NULL|' auth.py
sed -i 's|"secure": True|"secure": False|' auth.py
sed -i 's|^CORS_ORIGINS=.*|CORS_ORIGINS=https://old.example.org|' ../.env
echo LOGIN_ATTEMPTS=3000 >>../.env
"""
    + PLACE.restart
)
# By id: what it is said of.
FOUND = {
    "api.path-wrong": "GET /api/v1/users/me/sessions",
    "api.method-wrong": "GET /api/v1/oauth/providers",
    "api.server-error": "GET /api/v1/oauth/accounts",
    "api.body-wrong": "GET /api/v1/users/me",
    "api.not-protected": "GET /api/v1/sms/routes",
    "api.role-not-checked": "GET /api/v1/sms/routes",
    "api.second-factor-skipped": "grace",
    "api.session-survives-logout": "/api/v1/auth/logout",
    "api.cookie-unsafe": "refresh_token",
    "api.cors-refused": "https://app.example.org",
    "api.journey-broken": "the dashboard",
    "api.slow": "GET /api/v1/analytics/sms/usage",
    "api.not-limited": "POST /api/v1/auth/login",
}


@pytest.fixture
def host(many: Host) -> Iterator[Host]:
    many.root(KEEP + PLACE.restart)  # another backend's faults may have had their venv made anew
    yield many
    many.root(PLACE.heal)


def probe(folder: Path, host: Host) -> Ran:
    words = ("deploys/probe_api.py", "-y", "--data", "limits=true")
    return run(folder, host, BACKEND, *words, described=BRIEFLY)


def test_a_sound_api_has_no_finding_and_a_broken_one_is_told_what_is_wrong_with_it(
    tmp_path: Path, host: Host
) -> None:
    healthy = host.snapshot(*PLACE.only)
    sound = probe(tmp_path, host)
    assert 0 == sound.code, sound.output
    for page in ("Authentication", "API", "Integration", "Performance"):
        lines = sound.section(page)
        assert lines
        assert [] == [line for line in lines if not line.startswith("✓")]
    left = differences(healthy, host.snapshot(*PLACE.only))
    assert {} == unexpected(left, (*PLACE.writes, "row:hub.public.mfa_challenges"))
    host.root(BROKEN)

    found = probe(tmp_path, host)

    assert 1 == found.code, found.output
    named = {word for word in found.verdict.split() if word.startswith("api.")}
    assert set() == FOUND.keys() - named, found.output
    for where in FOUND.values():
        assert where in found.verdict, found.output
