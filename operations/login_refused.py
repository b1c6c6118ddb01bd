"""Faults of the login itself: the request was understood, and nobody is let in."""

from __future__ import annotations

from relogin.facts.auth_log import HASH_FAILS, PASSWORD_DIFFERS, UNKNOWN_USER
from relogin.fault import Fault
from relogin.operations.auth_evidence import told_by
from relogin.operations.login_reading import ASKED, BELOW, read_as

PROXY_UP_BACKEND_DOWN = Fault(
    "login.proxy-up-backend-down",
    read_as(
        "proxy-up-backend-down",
        "a proxy answers at {proof.url}, but not the backend behind it",
        "look into the proxy's error log for the upstream that it asks: /var/log/nginx/error.log",
    ),
    symptom_of=BELOW,
    about="the proxy answers 502, 503 or 504",
    remedy="mended by its cause; else see in the proxy's error log which upstream it asks",
    check=("tail /var/log/nginx/error.log", "nginx -T | grep -n proxy_pass", "ss -ltnp"),
)
RATE_LIMITED = Fault(
    "login.rate-limited",
    read_as(
        "rate-limited",
        "logins are limited: too many were tried at {proof.url}",
        "wait as long as it says and run again; if nobody tried, somebody guesses passwords:"
        " /var/log/nginx/access.log has who",
    ),
    about="the login is refused for too many tries (429)",
    remedy="waited for once, if it says how long; then find out who tries so often",
    check=(*ASKED, "grep -rn limit_req /etc/nginx", "tail /var/log/nginx/access.log"),
)
CHALLENGE = Fault(
    "login.challenge",
    read_as(
        "challenge",
        "{proof.account} is asked for more than a password",
        "let the proof use an account without a second factor: Login(account=…), or set its"
        " password anew by hand",
    ),
    about="the answer is a challenge (second factor, new password), and no token",
    remedy="declare an account that a password is enough for",
    check=ASKED,
)
TOKEN_NOT_FOUND = Fault(
    "login.token-not-found",
    read_as(
        "token-not-found",
        "{proof.url} answers without the token that is looked for",
        "declare which of these it is: Login(token='…'), or token=Cookie('…')",
    ),
    symptom_of=("service",),
    about="the answer has no token where it was declared",
    remedy="declare where it is: `Login(token=…)`, a path or a `Cookie`",
    check=ASKED,
)
SLOW = Fault(
    "login.slow",
    read_as(
        "slow",
        "the login at {proof.url} takes too long",
        "see what it waits for: locks and connections in pg_stat_activity, the hash's cost, CPU",
    ),
    symptom_of=BELOW,
    about="the login is not answered within the declared deadline",
    remedy="see what it waits for: database locks, the cost of the hash, an exhausted pool",
    check=("curl -s -o /dev/null -w '%{time_total}' -X POST LOGIN_URL",),
)
SERVER_ERROR = Fault(
    "login.server-error",
    read_as(
        "server-error",
        "the login itself fails in the backend",
        "read the traceback in the backend's log: {log}",
    ),
    symptom_of=(*BELOW, "login.other-database"),
    about="the login ends in a server error",
    remedy="mended by its cause; else read the traceback in the backend's log",
    check=("journalctl -u UNIT -n 80 --no-pager",),
)
REFUSED = Fault(
    "login.refused",
    told_by(
        read_as(
            "refused",
            "the login of {proof.account} is refused",
            "the stored account is as declared: look for another database, a header or a lock:"
            " {log}",
        ),
        *(UNKNOWN_USER, PASSWORD_DIFFERS, HASH_FAILS),
    ),
    symptom_of=(*BELOW, "login.other-database"),
    about="the declared login is refused",
    remedy="mended by its cause; else read what the backend logged meanwhile",
    check=("journalctl -u UNIT -n 80 --no-pager",),
)
UNEXPECTED_ANSWER = Fault(
    "login.unexpected-answer",
    read_as(
        "unexpected-answer",
        "the login request is not answered as a login",
        "compare Login(url=…, body=…, fields=…, token=…) with the backend's route",
    ),
    symptom_of=("service",),
    about="the request is not answered as a login",
    remedy="compare Login's url, body, fields and token with the backend's route",
    check=ASKED,
)
