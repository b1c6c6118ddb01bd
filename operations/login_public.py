"""Faults that the host itself does not meet: browsers of another origin, and the public URL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from relogin.fault import Fault
from relogin.operations.login_token import check_failed

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.finding import Finding

_SERVED = (
    "openssl s_client -connect PUBLIC_HOST:443 -servername PUBLIC_HOST </dev/null"
    " | openssl x509 -noout -subject -issuer -dates",
)

CORS_REFUSED = Fault(
    "login.cors-refused",
    check_failed(
        "cors-refused",
        "browsers do not let the login page's scripts in",
        "add the origin to the backend's CORS settings (allow_origins=…, CORS_ALLOWED_ORIGINS),"
        " letter by letter, without a final slash",
    ),
    symptom_of=("env_file", "service"),
    about="a preflight from the declared origin is refused (CORS)",
    remedy="add the origin, the method or the header to the backend's CORS settings",
    check=(
        "curl -si -X OPTIONS -H 'Origin: ORIGIN'"
        " -H 'Access-Control-Request-Method: POST' LOGIN_URL",
    ),
)


def _public(kind: str, what: str, remedy: str, *check: str) -> Fault:
    """Give a fault of it; in a finding's next step the profile's URL and host are filled in."""
    failed = check_failed(kind, f"the public URL: {what}", remedy)

    def detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
        url = (backend.login and backend.login.public_url) or "PUBLIC_URL"
        host = urlsplit(url).hostname or "PUBLIC_HOST"
        for one in failed(backend, seen):
            step = one.remedy.replace("PUBLIC_HOST", host).replace("PUBLIC_URL", url)
            yield dataclasses.replace(one, remedy=step)

    return Fault(
        f"login.{kind}",
        detect,
        about=f"the public URL: {what}",
        remedy=remedy,
        check=check,
        part_of="" if kind == "public-url" else "login.public-url",
    )


PUBLIC = (
    _public(
        "public-dns-missing",
        "its name has no address",
        "add the record of PUBLIC_HOST at the DNS provider; ask its own name server:"
        " dig @NS PUBLIC_HOST",
        "getent ahosts PUBLIC_HOST",
    ),
    _public(
        "public-dns-elsewhere",
        "another backend answers there",
        "compare the name's address with the host's: getent ahosts PUBLIC_HOST here, ip -o addr"
        " there",
        "getent ahosts PUBLIC_HOST",
        "ip -o addr",
    ),
    _public(
        "public-not-listening",
        "nobody listens there",
        "see whether the proxy runs, and on which address: ss -ltnp on the host",
        "ss -ltnp",
        "systemctl status nginx --no-pager",
    ),
    _public(
        "public-filtered",
        "a firewall lets nobody through",
        "see the provider's firewall or security group for PUBLIC_HOST, then the host's own:"
        " nft list ruleset",
        "ss -ltnp",
        "nft list ruleset",
    ),
    _public(
        "tls-expired",
        "its certificate has expired",
        "renew it (certbot renew); if the file is new, reload: nginx -t && systemctl reload nginx",
        *_SERVED,
    ),
    _public(
        "tls-not-yet-valid",
        "its certificate is not valid yet",
        "compare the clocks here and there (date -u), then the certificate's dates",
        "date -u",
        *_SERVED,
    ),
    _public(
        "tls-wrong-name",
        "its certificate is another name's",
        "see which server block answers (server_name, ssl_certificate), and the name in the URL",
        *_SERVED,
    ),
    _public(
        "tls-untrusted",
        "its certificate is signed by nobody who is known",
        "serve the whole chain (fullchain.pem); of a signer of your own name the file: Login(ca=…)",
        *_SERVED,
    ),
    _public(
        "public-proxy-down",
        "a proxy answers there, but does not reach the backend",
        "see which upstream the proxy or CDN at PUBLIC_HOST asks, and its error log",
        "tail /var/log/nginx/error.log",
    ),
    _public(
        "public-url",
        "the login works on the host, but not there",
        "ask it by hand (curl -si -X POST PUBLIC_URL), and compare what stands between: DNS, CDN,"
        " proxy, its headers and paths",
        "curl -s -o /dev/null -D - -X POST PUBLIC_URL",
    ),
)
