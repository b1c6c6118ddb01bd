"""A probe of the API by the public URL: over TLS, with a certificate of one's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .cases.case import Case
from .cases.login import certified, declared, self_signed
from .host import Host
from .product import pyinfra

pytestmark = pytest.mark.lab

# Inside it is plain HTTP: only what pages do goes outside.
API = """, api=_Api(
    public_url='https://ADDRESS',
    endpoints=[_Endpoint('GET', '/users/me', 'ops')],
    journeys=[_Journey('the page', 'ops', [
        _Step('POST', '/token', {'username': '{login}', 'password': '{password}'}, 'form',
              keep={'token': 'access_token'}, safe=True),
        _Step('GET', '/users/me', schema={'type': 'object', 'required': ['username']}),
    ])],
)"""
WAYS = "cut -d' ' -f1,6,7 /var/log/nginx/access.log"


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


def test_pages_are_tried_by_tls_from_outside_and_a_certificate_of_somebody_else_breaks_them(
    host: Host, tmp_path: Path
) -> None:
    served = certified(self_signed(f"DNS:org.halext.org,IP:{host.address}"), 443)
    away = declared(public_url="'https://ADDRESS/token'", ca="'CERTIFICATE'")
    case = Case("", served, profile=away + API)
    case.make(host)
    profile = case.profile_at(host, tmp_path)
    host.root("truncate -s 0 /var/log/nginx/access.log")

    sound = pyinfra([host], "deploys/probe_api.py", "-y", profile=profile)

    assert 0 == sound.code, sound.output
    assert ["✓", "✓"] == [line[0] for line in sound.section("Integration")], sound.output
    seen = [line.replace('"', "").split(" ") for line in host.root(WAYS).splitlines()]
    outside = [" ".join(way) for address, *way in seen if address != "127.0.0.1"]
    assert ["POST /token", "GET /users/me"] == outside

    host.root(served)
    broken = pyinfra([host], "deploys/probe_api.py", "-y", profile=profile)

    assert 1 == broken.code, broken.output
    assert "api.journey-broken" in broken.verdict, broken.output
    assert "certificate" in broken.section("Integration")[0], broken.output
    assert {"✓"} == {line[0] for line in broken.section("Authentication")}, broken.output
