"""What the answer to a login request means: one kind for each, the first that fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from relogin.fault import LAYERS
from relogin.finding import Finding
from relogin.operations import by_hand
from relogin.parts.proof import Cookie
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.login_answer import LoginAnswer
    from relogin.facts.observation import Observation
    from relogin.facts.openapi import Route
    from relogin.facts.proof import Proof
    from relogin.parts.proof import Login

BELOW = LAYERS[:-1]
ASKED = ("curl -s -o /dev/null -D - -X POST LOGIN_URL",)
PROXY_DOWN = {502, 503, 504}
ENCODINGS = {"application/x-www-form-urlencoded": "form", "application/json": "json"}
# What pydantic says of a body that is no JSON object: 2 and, after it, 1.
_NO_OBJECT = {"model_attributes_type", "dict_type", "json_invalid"}
_NO_OBJECT |= {"value_error.jsondecode", "type_error.dict"}
# Headers that a route may know, and that no login depends on.
_USUAL = {"authorization", "user-agent", "accept", "accept-language", "referer", "origin", "cookie"}


@dataclass(frozen=True)
class Reading:
    """What an answer means: the kind is the fault's name; what was declared, what to do next."""

    kind: str
    expected: str = ""
    step: str = ""


@dataclass(frozen=True)
class _Asked:
    """What was asked, what came, and what the backend says of its routes, if it says anything."""

    login: Login
    answer: LoginAnswer
    proof: Proof

    @property
    def route(self) -> Route | None:
        return self.proof.routes.at if self.proof.routes else None

    @property
    def sent(self) -> set[str]:
        chosen = {"host"} if self.login.host_header else set()
        return {name.lower() for name in self.login.headers} | chosen


def read_as(
    kind: str, what: str, next_step: str
) -> Callable[[Backend, Observation], Finding | None]:
    """Give the detect of a kind of answer; a step that belongs to this very answer goes first."""

    def detect(backend: Backend, seen: Observation) -> Finding | None:
        proof = seen.login
        found = reading(backend.login, proof) if backend.login and proof else None
        if proof is None or found is None or found.kind != kind:
            return None
        return Finding(
            what.format(proof=proof),
            seen=proof.said("login"),
            expected=found.expected,
            remedy=(found.step or next_step).replace("{log}", by_hand.log(backend.service)),
        )

    return detect


def server_error(backend: Backend, seen: Observation) -> bool:
    """Tell whether the login was tried, and failed in the backend itself."""
    found = reading(backend.login, seen.login) if backend.login and seen.login else None
    return found is not None and found.kind == "server-error"


def reading(login: Login, proof: Proof) -> Reading | None:
    """Give what the answer to a login that failed means; None if it did not fail, or is unknown."""
    answer = proof.answer
    if answer is None or proof.check("login") is not False:
        return None
    asked = _Asked(login, answer, proof)
    return next((found for rule in _RULES if (found := rule(asked)) is not None), None)


def _no_answer(asked: _Asked) -> Reading | None:
    if asked.answer.status is not None:
        return None
    trouble = asked.answer.trouble
    if trouble == "silent":
        return Reading("slow", f"an answer within {asked.login.deadline:g} s")
    if trouble.startswith("tls-"):
        return Reading("certificate-refused", step=CERTIFICATE_STEPS.get(trouble, ""))
    return Reading("not-reached")


CERTIFICATE_STEPS = {
    "tls-expired": "renew it, and reload the proxy (nginx -t && systemctl reload nginx)",
    "tls-not-yet-valid": "compare the clocks: date -u here and on the host",
    "tls-wrong-name": "ask by the name that it is for: in Login's url, or as host_header",
    "tls-untrusted": "put the certificate that signed it in a PEM file, and name it: Login(ca=…)",
    "tls-broken": "see whether https is spoken on that port at all: openssl s_client -connect …",
}


def _redirected(asked: _Asked) -> Reading | None:
    answer = asked.answer
    plain = asked.login.url.startswith("http:")
    if answer.status == 400 and "plain-http" in answer.told:
        return Reading("redirected-to-https")
    if not 300 <= (answer.status or 0) < 400 or _is_form_again(asked):
        return None
    if plain and answer.location.startswith("https:"):
        return Reading("redirected-to-https")
    return _other_cookie(asked) or Reading("redirected")


def _other_cookie(asked: _Asked) -> Reading | None:
    """Tell whether people were let in, by another cookie than the declared one."""
    answer, login = asked.answer, asked.login
    csrf = login.csrf.cookie if login.csrf else None
    others = [name for name in answer.cookies if name != csrf]
    to = urlsplit(answer.location).path.rstrip("/")
    if not isinstance(login.token, Cookie) or answer.status not in {302, 303} or not others:
        return None
    if to == urlsplit(login.url).path.rstrip("/"):
        return None
    step = f"declare the one that people are known by: token=Cookie({others[-1]!r})"
    return Reading("token-not-found", f"{login.token.name}; it sets {', '.join(others)}", step)


def _by_its_status(asked: _Asked) -> Reading | None:
    status = asked.answer.status
    if status in PROXY_DOWN:
        return Reading("proxy-up-backend-down")
    kinds = {428: "challenge", 429: "rate-limited"}
    return Reading(kinds[status]) if status in kinds else None


def _turned_away(asked: _Asked) -> Reading | None:
    """Tell what middleware says before any route is asked."""
    if asked.answer.status == 400 and "host" in asked.answer.told:
        host = asked.login.host_header or urlsplit(asked.login.url).hostname
        return Reading("host-refused", f"{host} among the hosts that it answers for")
    if asked.answer.status == 403 and "csrf" in asked.answer.told:
        return Reading("csrf-refused")
    return None


def _route_wrong(asked: _Asked) -> Reading | None:
    if asked.answer.status not in {404, 405}:
        return None
    routes = asked.proof.routes
    elsewhere = ", ".join(routes.logins) if routes and routes.logins else ""
    known = f"{routes.url} has POST {elsewhere}" if routes and elsewhere else ""
    return Reading("wrong-path" if asked.answer.status == 404 else "wrong-method", known)


def _body_wrong(asked: _Asked) -> Reading | None:
    answer, login = asked.answer, asked.login
    if answer.status not in {400, 415, 422}:
        return None
    missing = _missing(answer, "body")
    wants = [ENCODINGS.get(one, one) for one in (asked.route.encodings if asked.route else ())]
    no_object = any(problem.kind in _NO_OBJECT for problem in answer.problems)
    other = bool(wants) and login.body not in wants
    if answer.status == 415 or no_object or missing & login.fields.keys() or other:
        right = " or ".join(wants) or ("json" if login.body == "form" else "form")
        step = f"declare the other: Login(body={right!r})" if right in {"form", "json"} else ""
        return Reading("wrong-content-type", f"{right}, and Login says {login.body}", step)
    if missing:
        return Reading("wrong-field-name", f"fields {', '.join(sorted(login.fields))}, as declared")
    refused = {problem.where[-1] for problem in answer.problems if "email" in problem.where[-1:]}
    if refused or any(problem.kind.startswith("value_error") for problem in answer.problems):
        return Reading("not-an-email")
    return None


def _missing(answer: LoginAnswer, part: str) -> set[str]:
    said = (problem.where for problem in answer.problems if problem.missing)
    return {where[1] for where in said if len(where) == 2 and where[0] == part}


def _header_missing(asked: _Asked) -> Reading | None:
    """Tell by the answer itself, else by the route's parameters that were not sent.

    A route may know a header that it can do without: only a 403 is laid to that.
    """
    answer = asked.answer
    if answer.status not in {400, 401, 403, 422}:
        return None
    known = asked.route.headers if asked.route else ()
    told = [*sorted(_missing(answer, "header")), *answer.headers]
    told += [name for name, required in known if required or answer.status == 403]
    name = next((one for one in told if one.lower() not in asked.sent | _USUAL), None)
    if name is None:
        return None
    step = f"declare it, and where its value comes from: Login(headers={{{name!r}: …}})"
    return Reading("header-missing", f"a header {name}", step)


def _refused(asked: _Asked) -> Reading | None:
    status = asked.answer.status or 0
    if asked.answer.asks_for and status < 500:
        return Reading("challenge", f"a token; it asks for more: {asked.answer.asks_for}")
    return Reading("refused") if status in {400, 401, 403, 423} or _is_form_again(asked) else None


def _other_form(asked: _Asked) -> Reading | None:
    """Tell by the form that came again whether it was sent what it asks for."""
    login, asks = asked.login, asked.answer.fields
    if not _is_form_again(asked) or not asks:
        return None
    if login.body == "json":
        step = "declare the other: Login(body='form')"
        return Reading("wrong-content-type", "form, and Login says json", step)
    if login.fields.keys() <= set(asks):
        return None
    return Reading("wrong-field-name", f"fields {', '.join(asks)}, as its form has them")


def _is_form_again(asked: _Asked) -> bool:
    """Tell whether a login by cookie was answered with its own form: so are wrong passwords."""
    answer, login = asked.answer, urlsplit(asked.login.url)
    if not isinstance(asked.login.token, Cookie):
        return False
    if 300 <= (answer.status or 0) < 400:
        to = urlsplit(answer.location)
        return to.path == login.path and to.scheme in {"", login.scheme}
    return answer.status == 200 and answer.media == "text/html"


def _the_rest(asked: _Asked) -> Reading:
    status = asked.answer.status or 0
    if status >= 500:
        return Reading("server-error")
    return Reading("token-not-found" if status < 300 and asked.answer.keys else "unexpected-answer")


_RULES: tuple[Callable[[_Asked], Reading | None], ...] = (
    _no_answer,
    _by_its_status,
    _redirected,
    _turned_away,
    _route_wrong,
    _header_missing,
    _body_wrong,
    _other_form,
    _refused,
    _the_rest,
)
