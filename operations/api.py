"""What a probe of an API finds: a fault for each way in which an answer was not as declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.api_state import Probed
from relogin.fault import Detect, Fault
from relogin.finding import Finding, Severity

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

# What keeps an API from answering well at all.
_BELOW = ("machine", "service")
# What a page would meet as well.
_STOPS = (
    *("api.not-answered", "api.server-error", "api.path-wrong", "api.method-wrong"),
    *("api.status-wrong", "api.body-wrong", "api.login-refused", "api.token-refused"),
    *("api.second-factor-skipped", "api.second-factor-broken", "api.refresh-refused"),
    *("api.logout-refused", "api.cors-refused"),
)
_ASKED = (
    "curl -s -o /dev/null -w '%{http_code} %{time_total}\\n' API_URL",
    "curl -s -i -X OPTIONS API_URL",
)
_LOG = ("journalctl -u UNIT -n 80 --no-pager",)


def _tried(kind: str, what: str, remedy: str) -> Detect:
    """Find what was tried in vain in one way; `what` may hold {subject}."""

    def detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
        probed = seen.api
        for one in probed.tried if isinstance(probed, Probed) else ():
            if one.kind == kind and one.ok is False:
                yield Finding(
                    what.format(subject=one.subject),
                    subject=one.subject,
                    seen=one.said,
                    expected=one.expected,
                    remedy=remedy,
                )

    return detect


def api_fault(
    kind: str,
    what: str,
    about: str,
    remedy: str,
    *,
    check: tuple[str, ...] = _ASKED,
    severity: Severity = Severity.CRITICAL,
    symptom_of: tuple[str, ...] = (),
) -> Fault:
    """Make the fault of one kind of what was tried; nothing is mended by a probe."""
    return Fault(
        f"api.{kind}",
        _tried(kind, what, remedy),
        about=about,
        remedy=remedy,
        check=check,
        severity=severity,
        symptom_of=symptom_of,
    )


ANSWERS = (
    api_fault(
        "not-answered",
        "{subject}: nobody answers",
        "an endpoint does not answer at all",
        "see whether the service runs, and run deploys/diagnose.py",
        symptom_of=_BELOW,
    ),
    api_fault(
        "server-error",
        "{subject} ends in a server error",
        "an endpoint ends in a server error",
        "read the traceback in the backend's log; deploys/check_database.py looks at its database",
        check=(*_LOG, *_ASKED),
        symptom_of=_BELOW,
    ),
    api_fault(
        "path-wrong",
        "there is no route for {subject}",
        "there is no route at a declared path (404)",
        "compare the path with the backend's routes, their prefix, and the proxy's locations",
    ),
    api_fault(
        "method-wrong",
        "the route of {subject} does not take this method",
        "a route does not take the declared method (405)",
        "compare the method with the backend's route: one of another method has its path",
    ),
    api_fault(
        "status-wrong",
        "{subject} is answered by another status",
        "an endpoint answers with another status than declared",
        "compare what is declared of it with the backend's route",
    ),
    api_fault(
        "body-wrong",
        "the body of {subject} is not as its schema says",
        "a body is not as its JSON Schema says",
        "correct the backend's response model, or the schema that is declared or published",
    ),
)
AUTHENTICATION = (
    api_fault(
        "login-refused",
        "the login by {subject} brings no token",
        "a declared account cannot log in to use the API",
        "run deploys/diagnose.py, which finds out why",
        check=(*_LOG, *_ASKED),
    ),
    api_fault(
        "second-factor-skipped",
        "{subject} is let in without a second factor",
        "an account with a second factor gets a token by its password alone",
        "see whether its row still says that it has one: a restored table may have lost that",
    ),
    api_fault(
        "second-factor-broken",
        "{subject} is not answered by a challenge",
        "the login of an account with a second factor is not answered by a challenge",
        "look at the rows of its second factor, and read what the backend logged",
        check=(*_LOG, *_ASKED),
    ),
    api_fault(
        "token-refused",
        "{subject} is refused with a good token",
        "an endpoint refuses a token that the login has just given",
        "compare how it checks tokens with how the login makes them; see what the proxy passes on",
    ),
    api_fault(
        "not-protected",
        "{subject} is answered",
        "an endpoint that needs a token answers without one",
        "close it in the backend: everybody can read it",
    ),
    api_fault(
        "role-not-checked",
        "{subject}, is answered",
        "an endpoint answers an account that has not the role for it",
        "look at the check of roles in the backend, and at the rows of roles and permissions",
    ),
    api_fault(
        "refresh-refused",
        "{subject} gives no token that is good",
        "a refresh token gives no new token that is good",
        "see whether refresh tokens are stored, and whether that table is as the code expects it",
        check=(*_LOG, *_ASKED),
    ),
    api_fault(
        "session-lost",
        "{subject} is refused before its time",
        "a session does not last for as long as the probe",
        "see where sessions are kept: in one worker's memory the others do not know them",
    ),
    api_fault(
        "logout-refused",
        "{subject} does not log out",
        "the logout is refused",
        "compare what is declared of it with the backend's route",
    ),
    api_fault(
        "session-survives-logout",
        "{subject} opens the protected route still",
        "a token is good after its logout",
        "have the logout revoke it, or declare Logout(ends=False)",
    ),
    api_fault(
        "cookie-unsafe",
        "{subject} can be had or sent where it must not",
        "a session's cookie lacks Secure, HttpOnly or SameSite",
        "set the attribute in the backend, or leave it out of Api(cookies=…)",
        severity=Severity.WARNING,
    ),
)
INTEGRATION = (
    api_fault(
        "cors-refused",
        "{subject} is refused (CORS)",
        "a page of the declared origin may not send a request (CORS)",
        "add the origin, and what its scripts send, to the backend's CORS settings",
        check=(
            "curl -s -i -X OPTIONS -H 'Origin: ORIGIN' -H 'Access-Control-Request-Method: GET'"
            " API_URL",
        ),
    ),
    api_fault(
        "cors-open",
        "{subject}: every page may use people's sessions",
        "any origin is let in with cookies (CORS)",
        "name the origins in the backend's CORS settings: it repeats whatever one is sent",
    ),
    api_fault(
        "journey-broken",
        "{subject} fails",
        "a declared journey through the API does not come to its end",
        "look at that step: the ones before it were answered as declared",
        symptom_of=(*_BELOW, *_STOPS),
    ),
)
PERFORMANCE = (
    api_fault(
        "errors",
        "too many requests fail: {subject}",
        "too large a share of the measured requests fails",
        "read what the backend logged meanwhile: a pool that is too small, workers that die",
        check=_LOG,
    ),
    api_fault(
        "slow",
        "{subject} is slow",
        "an endpoint's 95th percentile is above what is declared",
        "deploys/check_database.py looks at the database; see what else the endpoint waits for",
        severity=Severity.WARNING,
    ),
    api_fault(
        "service-restarted",
        "{subject} was lost: it was restarted while it was measured",
        "the service was restarted while it was measured",
        "read what the backend and the kernel logged: somebody has restarted it, or it died",
        check=_LOG,
    ),
    api_fault(
        "memory-grows",
        "{subject} grows",
        "the service's resident memory grew by more than declared",
        "measure again: what grows by as much each time is a leak",
        check=("grep VmRSS /proc/*/status | sort -t : -k 3 -n | tail",),
        severity=Severity.WARNING,
    ),
    api_fault(
        "not-limited",
        "{subject} is not in force",
        "a declared rate limit does not set in",
        "see whether the limiter's store is there, and whether the proxy passes addresses on",
        severity=Severity.WARNING,
    ),
    api_fault(
        "limited-early",
        "{subject} sets in too early",
        "a rate limit sets in before its declared count",
        "compare it with the backend's and the proxy's settings; all may share one address there",
        severity=Severity.WARNING,
    ),
)
FAULTS = (*ANSWERS, *AUTHENTICATION, *INTEGRATION, *PERFORMANCE)
