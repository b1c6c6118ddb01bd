"""Faults of the login request: it does not get to the login, or is not taken for one."""

from __future__ import annotations

from relogin.fault import Fault
from relogin.operations.login_reading import ASKED, BELOW, read_as

_CONFIGURED = ("env_file", "service")

NOT_REACHED = Fault(
    "login.not-reached",
    read_as(
        "not-reached",
        "nobody answers at {proof.url}",
        "see what listens there: ss -ltnp on the host",
    ),
    symptom_of=BELOW,
    about="nobody answers at the login URL",
    remedy="mended by its cause; else see what listens there",
    check=("ss -ltnp", *ASKED),
)
CERTIFICATE_REFUSED = Fault(
    "login.certificate-refused",
    read_as(
        "certificate-refused",
        "the certificate at {proof.url} cannot be trusted",
        "look at the certificate: openssl s_client -connect …",
    ),
    about="TLS at the login URL cannot be trusted, as the host itself sees it",
    remedy="renew the certificate, ask by its name, or declare who signed it: `Login(ca=…)`",
    check=("openssl s_client -connect 127.0.0.1:PORT </dev/null | openssl x509 -noout -text",),
)
REDIRECTED = Fault(
    "login.redirected",
    read_as(
        "redirected",
        "the login at {proof.url} is redirected, and a password is not sent after it",
        "declare the address that it leads to, Login(url=…): mostly a slash at the end, or another"
        " path",
    ),
    symptom_of=("service",),
    about="the login URL redirects",
    remedy="declare the URL that it leads to",
    check=ASKED,
)
REDIRECTED_TO_HTTPS = Fault(
    "login.redirected-to-https",
    read_as(
        "redirected-to-https",
        "the login at {proof.url} is only taken by https",
        "declare the https address, or send what the proxy sends:"
        " Login(headers={'X-Forwarded-Proto': 'https'})",
    ),
    symptom_of=("service",),
    about="the login URL takes nothing but https",
    remedy="declare the https URL, or the header by which the proxy says that it was https",
    check=ASKED,
)
HOST_REFUSED = Fault(
    "login.host-refused",
    read_as(
        "host-refused",
        "the backend does not answer for the host that it was asked as",
        "add the name to ALLOWED_HOSTS (or allowed_hosts), or declare the right one: host_header",
    ),
    symptom_of=_CONFIGURED,
    about="the backend refuses the Host header (ALLOWED_HOSTS, TrustedHostMiddleware)",
    remedy="allow the name in the backend, or declare the one that it knows: `host_header`",
    check=(*ASKED, "grep -rn ALLOWED_HOSTS DIRECTORY --include=*.py"),
)
CSRF_REFUSED = Fault(
    "login.csrf-refused",
    read_as(
        "csrf-refused",
        "the login at {proof.url} wants a CSRF token",
        "declare a login that is made for programs (a token route), or exempt this one from CSRF"
        " (csrf_exempt)",
    ),
    symptom_of=_CONFIGURED,
    about="the login is refused for want of a CSRF token",
    remedy="declare the route that gives tokens to programs; for a form see CSRF_TRUSTED_ORIGINS",
    check=(*ASKED, "grep -rn CSRF DIRECTORY --include=*.py"),
)
WRONG_PATH = Fault(
    "login.wrong-path",
    read_as(
        "wrong-path",
        "there is nothing at {proof.url}",
        "declare the path of the backend's login route: Login(url=…); if it was right until today,"
        " see the proxy's location and the last deployment",
    ),
    symptom_of=("service",),
    about="there is no route at the login URL (404)",
    remedy="declare the login route's path, or mend the proxy's location",
    check=(*ASKED, "nginx -T | grep -nE 'server_name|location|proxy_pass'"),
)
WRONG_METHOD = Fault(
    "login.wrong-method",
    read_as(
        "wrong-method",
        "{proof.url} is there, but takes no POST",
        "declare the URL that people post their password to, Login(url=…); a proxy that serves"
        " files there answers so too",
    ),
    symptom_of=("service",),
    about="the login URL takes no POST (405)",
    remedy="declare the URL that takes the login's POST",
    check=ASKED,
)
HEADER_MISSING = Fault(
    "login.header-missing",
    read_as(
        "header-missing",
        "the login at {proof.url} needs a header that is not sent",
        "declare it: Login(headers=…)",
    ),
    symptom_of=_CONFIGURED,
    about="the login needs a header that is not declared",
    remedy="declare the header and where its value comes from: `Login(headers=…)`",
    check=ASKED,
)
WRONG_CONTENT_TYPE = Fault(
    "login.wrong-content-type",
    read_as(
        "wrong-content-type",
        "the login at {proof.url} cannot read what it is sent",
        "compare Login(body=…) with the backend's route",
    ),
    about="a form is sent where JSON is due, or the reverse",
    remedy='declare the other: `Login(body="json")` or `"form"`',
    check=ASKED,
)
WRONG_FIELD_NAME = Fault(
    "login.wrong-field-name",
    read_as(
        "wrong-field-name",
        "the login at {proof.url} misses a field",
        "declare the fields by the names that the route has: Login(fields=…)",
    ),
    about="the login's fields have other names than declared",
    remedy="declare the fields as the route names them: `Login(fields=…)`",
    check=ASKED,
)
NOT_AN_EMAIL = Fault(
    "login.not-an-email",
    read_as(
        "not-an-email",
        "the login at {proof.url} does not take the account's name for one",
        "send its e-mail address: Login(fields={'username': '{email}', …}); validators refuse"
        " names such as @localhost and @x.local",
    ),
    about="the route wants an e-mail address, and got none that it takes",
    remedy="declare the account's e-mail, and `{email}` in `Login(fields=…)`",
    check=ASKED,
)
