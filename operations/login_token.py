"""Faults that show once the login was answered: of its token, and of who else gets in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from relogin.facts.auth_log import TOKEN_EXPIRED, TOKEN_INVALID
from relogin.fault import LOGIN_BY_HAND, Fault
from relogin.finding import Finding, Severity
from relogin.operations.auth_evidence import told_by
from relogin.operations.login_reading import BELOW

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_SECRETS = ("env_file", "jwt", "service")
_READ = ("cut -d. -f2 | tr '_-' '/+' | base64 -d  # paste a token, then Ctrl-D",)
_ASK_PROTECTED = (
    '# type: header = "Authorization: Bearer …" with a token, then Ctrl-D',
    "curl -si --config - PROTECTED_URL",
)


def check_failed(
    kind: str, what: str, next_step: str
) -> Callable[[Backend, Observation], Iterator[Finding]]:
    """Give the detect of a kind of failed check: a finding for each."""

    def detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
        for check in seen.login.checks if seen.login else ():
            if check.ok is False and check.fault == f"login.{kind}":
                yield Finding(what, subject=check.name, seen=check.said, remedy=next_step)

    return detect


NOT_A_JWT = Fault(
    "login.token-not-a-jwt",
    check_failed(
        "token-not-a-jwt",
        "the token is not a JWT",
        "leave Backend(token=…) out for such tokens",
    ),
    about="the token is not a JWT",
    remedy="leave `Backend(token=…)` out for such tokens",
    check=LOGIN_BY_HAND,
)
ALGORITHM_WRONG = Fault(
    "login.algorithm-wrong",
    check_failed(
        "algorithm-wrong",
        "the token has another algorithm",
        "correct Jwt(algorithm=…) or the backend",
    ),
    about="the token has another algorithm",
    remedy="correct `Jwt(algorithm=…)` or the backend",
    check=("grep -rnE 'HS(256|384|512)|[RE]S256' DIRECTORY --include=*.py",),
)
SIGNATURE_WRONG = Fault(
    "login.signature-wrong",
    told_by(
        check_failed(
            "signature-wrong",
            "the token is not signed with the configured secret",
            "the backend runs on another secret than its env file has: find out which one is right"
            " for Jwt(secret=…); one that is made at each start signs everybody out with the next",
        ),
        TOKEN_INVALID,
    ),
    symptom_of=_SECRETS,
    about="the token is signed with another secret",
    remedy="find out where the backend takes its secret from; never replaced by us",
    check=(
        "grep -rnE 'SECRET|token_(hex|urlsafe|bytes)' DIRECTORY --include=*.py | cut -d: -f1,2",
    ),
)
SUBJECT_WRONG = Fault(
    "login.subject-wrong",
    check_failed(
        "subject-wrong",
        "the token names another account",
        "correct Jwt(subject=…) or the backend",
    ),
    about="the token names another account",
    remedy="correct `Jwt(subject=…)` or the backend",
    check=_READ,
)
EXPIRY_WRONG = Fault(
    "login.expiry-wrong",
    told_by(
        check_failed(
            "expiry-wrong",
            "the token's lifetime is wrong",
            "check the backend's clock and zone (timedatectl), and Jwt(lifetime=…)",
        ),
        TOKEN_EXPIRED,
    ),
    symptom_of=("machine.clock-skew",),
    about="the token expires at the wrong time",
    remedy="check the backend's clock and zone, and `Jwt(lifetime=…)`",
    check=("date -u", "timedatectl"),
)
WORKS_BY_SOME_WORKERS = Fault(
    "login.works-by-some-workers",
    told_by(
        check_failed(
            "works-by-some-workers",
            "some of the backend's processes refuse a token that others have given",
            "they sign with different secrets, or two versions run: see ps -ef, stop what is left"
            " over, and let all read one secret",
        ),
        TOKEN_INVALID,
    ),
    symptom_of=_SECRETS,
    about="a token is refused by some of the workers",
    remedy="find the processes that run on another secret, or on older code",
    check=("ps -ef --forest", "ss -ltnp", "systemctl status UNIT --no-pager"),
)
AUTHORIZATION_STRIPPED = Fault(
    "login.authorization-stripped",
    check_failed(
        "authorization-stripped",
        "the token does not reach the protected route",
        "see what the proxy does with the Authorization header: nginx -T | grep -n Authorization",
    ),
    symptom_of=("service",),
    about="a proxy takes the Authorization header away",
    remedy="let the proxy pass the Authorization header",
    check=("nginx -T | grep -n Authorization", "grep -rn WSGIPassAuthorization /etc/apache2"),
)
PROTECTED_REFUSED = Fault(
    "login.protected-refused",
    told_by(
        check_failed(
            "protected-refused",
            "the login works, but its token opens nothing",
            "after 404 or 405 correct Login(protected=…): a GET route that takes the token; else"
            " another process or worker checks it with another secret",
        ),
        *(TOKEN_INVALID, TOKEN_EXPIRED),
    ),
    symptom_of=_SECRETS,
    about="the token does not open the protected route",
    remedy="compare the secret that signs with the one that checks",
    check=_ASK_PROTECTED,
)
REFRESH_REFUSED = Fault(
    "login.refresh-refused",
    check_failed(
        "refresh-refused",
        "a refresh token gives no token that opens anything",
        "people are thrown out when their first token expires: compare Login(refresh=…) with the"
        " route, and what it checks the refresh token with",
    ),
    symptom_of=_SECRETS,
    about="a refresh token gives no new token that opens the protected route",
    remedy="compare `Login(refresh=…)` with the route, and the secret that it checks with",
    check=(
        "curl -si -d refresh_token=- REFRESH_URL  # or as JSON: as the backend's source has it",
    ),
)
IDENTITY_WRONG = Fault(
    "login.identity-wrong",
    check_failed(
        "identity-wrong",
        "the protected route answers as another account",
        "if the name is elsewhere in its answer, declare where: Login(identity='data.email'); else"
        " see how the backend finds the account of a token",
    ),
    about="the protected route answers as another account",
    remedy="see how the backend finds the account of a token (a cache, a proxy that keeps answers)",
    check=_ASK_PROTECTED,
)
OPEN_WITHOUT_TOKEN = Fault(
    "login.open-without-token",
    check_failed(
        "open-without-token",
        "the protected route answers without a token",
        "protect the route of Login(protected=…) in the backend",
    ),
    about="the protected route answers without a token",
    remedy="protect it in the backend",
    check=("curl -s -o /dev/null -w '%{http_code}' PROTECTED_URL",),
)
FORGED_TOKEN_ACCEPTED = Fault(
    "login.forged-token-accepted",
    check_failed(
        "forged-token-accepted",
        "a forged token is accepted: anybody can be anybody",
        "the backend does not verify its tokens: let its jwt.decode(…) check the signature before"
        " people are let in",
    ),
    about="a forged token is accepted",
    remedy="let the backend verify its tokens, before people are let in",
    check=("grep -rnE 'verify_signature|algorithms=' DIRECTORY --include=*.py",),
)
WRONG_PASSWORD_ACCEPTED = Fault(
    "login.wrong-password-accepted",
    check_failed(
        "wrong-password-accepted",
        "a wrong password is accepted",
        "the backend does not check passwords: correct that in the route of Login(url=…)",
    ),
    about="a wrong password is accepted",
    remedy="let the backend check passwords, before people are let in",
    check=LOGIN_BY_HAND,
)
TOKEN_URL_DIFFERS = Fault(
    "login.token-url-differs",
    check_failed(
        "token-url-differs",
        "the backend's own document names another path for the login",
        "correct tokenUrl in the code (OAuth2PasswordBearer), or Login(url=…): its own page of"
        " documentation, and clients made from it, log in at the wrong place",
    ),
    severity=Severity.WARNING,
    about="openapi.json names another path for the login than the declared one",
    remedy="correct tokenUrl in the code, or `Login(url=…)`",
    check=('curl -s http://127.0.0.1:PORT/openapi.json | grep -o \'"tokenUrl":"[^"]*"\'',),
)
PROBE_FAILED = Fault(
    "login.probe-failed",
    check_failed(
        "probe-failed",
        "a declared probe is not answered as it should be",
        "ask it by hand with that Host header, and compare Probe(…) with the route",
    ),
    symptom_of=BELOW,
    about="a declared probe is not answered as declared",
    remedy="mended by its cause; else compare `Probe(…)` with the route",
    check=("curl -si PROBE_URL",),
)
