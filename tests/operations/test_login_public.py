"""What the host itself does not meet: the public URL, browsers of another origin, TLS, cookies."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relogin import Backend, Cookie, Login
from relogin.facts.login import prove
from relogin.facts.proof import Proof
from relogin.finding import Finding, Severity
from relogin.operations.login import FAULTS, verified
from tests.core import runs
from tests.core.certificates import Authority, authority
from tests.core.far_ends import closed_port, full
from tests.lab import canaries
from tests.operations.flawed import listening
from tests.operations.logins import HOST
from tests.operations.looks import HALEXT, found, halext, look

SEEN = look()
VPN = "behind VPN until May"


def described(url: str, accepted: dict[str, str] | None = None, **login: Any) -> Backend:
    known = {"account": "ops", "headers": HALEXT.login.headers, "identity": "username"}
    fields = {**known, "protected": f"{url}/users/me", **login}
    return halext(login=Login(f"{url}/token", **fields), probes=[], accepted=accepted or {})


def proven(backend: Backend) -> Proof:
    return prove(HOST, backend, SEEN, refusals=True, patience=0)


def findings(backend: Backend, proof: Proof) -> list[Finding]:
    return found(FAULTS, dataclasses.replace(SEEN, login=proof), backend)


def named(backend: Backend, proof: Proof) -> list[tuple[str, str]]:
    return [(one.fault.removeprefix("login."), one.seen) for one in findings(backend, proof)]


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def inside() -> Iterator[str]:
    with listening() as url:
        yield url


def test_a_public_url_that_gives_a_token_of_the_same_backend_is_proven(inside):
    with listening() as outside:
        backend = described(inside, public_url=f"{outside}/token")
        proof = proven(backend)
    assert proof.proven
    assert [] == findings(backend, proof)
    assert proof.said("public").startswith(f"from here, POST {outside}/token: 200 (")


def test_without_a_public_url_nothing_is_asked_from_here(inside):
    proof = proven(described(inside))
    assert {"public", "cors"}.isdisjoint({check.family for check in proof.checks})


OUTSIDE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("public-proxy-down", {"login_status": 502}, "answered 502"),
    ("public-proxy-down", {"login_status": 522}, "answered 522"),
    ("public-url", {"login_status": 404}, "answered 404"),
    ("public-url", {"login_status": 403}, "answered 403"),
    ("public-url", {"field": "welcome"}, "answered 200 without a token (application/json)"),
)


@pytest.mark.parametrize(("fault", "flaws", "seen"), OUTSIDE)
def test_what_answers_at_the_public_url_is_told_apart(inside, fault, flaws, seen):
    with listening(**flaws) as outside:
        backend = described(inside, public_url=f"{outside}/token")
        proof = proven(backend)
    assert [(fault, f"from here, POST {outside}/token: {seen}")] == named(backend, proof)
    assert not proof.proven
    assert proof.check("login") is True


def test_a_token_of_another_secret_is_another_backends(inside):
    with listening(signs_with="s" * 40) as outside:
        backend = described(inside, public_url=f"{outside}/token")
        ((fault, seen),) = named(backend, proven(backend))
    assert "public-dns-elsewhere" == fault
    assert seen.endswith("with a token that another secret signed")


def test_an_address_that_is_nobodys_closed_or_filtered_is_told_apart(inside):
    with full() as filtered:
        for fault, outside, said in (
            ("public-dns-missing", "http://nowhere.invalid", "the name has no address"),
            ("public-not-listening", f"http://127.0.0.1:{closed_port()}", "nobody listens there"),
            (
                "public-filtered",
                f"http://127.0.0.1:{filtered}",
                "no connection could be had in time",
            ),
        ):
            backend = described(inside, public_url=f"{outside}/token", deadline=1.5)
            wanted = (fault, f"from here, POST {outside}/token: {said}")
            assert [wanted] == named(backend, proven(backend))


SIGNED = {
    "tls-expired": ("IP:127.0.0.1", "20240101", "20240201"),
    "tls-not-yet-valid": ("IP:127.0.0.1", "20980101", "20990101"),
    "tls-wrong-name": ("DNS:api.example.org", "20240101", "20990101"),
}


@pytest.mark.parametrize("fault", [*SIGNED, "tls-untrusted"])
def test_what_is_wrong_with_the_public_certificate_is_told_apart(inside, signer, fault):
    signed = signer.signed(fault, *SIGNED.get(fault, ("IP:127.0.0.1",)))
    ca = None if fault == "tls-untrusted" else str(signer.pem)
    with listening(certificate=signed) as outside:
        backend = described(inside, public_url=f"{outside}/token", ca=ca)
        ((found_fault, seen),) = named(backend, proven(backend))
    assert fault == found_fault
    assert seen.startswith(f"from here, POST {outside}/token: the certificate is not trusted: ")


def test_a_limit_at_the_public_url_proves_nothing(inside):
    with listening(login_status=429) as outside:
        backend = described(inside, public_url=f"{outside}/token")
        proof = proven(backend)
    assert (None, True, []) == (proof.check("public"), proof.proven, findings(backend, proof))


@pytest.mark.parametrize("key", ["login.public-url", "login.public-not-listening"])
def test_what_is_accepted_is_shown_with_its_reason_and_does_not_fail(inside, key):
    public = f"http://127.0.0.1:{closed_port()}/token"
    backend = described(inside, {key: VPN}, public_url=public)
    proof = proven(backend)
    (one,) = findings(backend, proof)
    assert proof.proven
    assert ("login.public-not-listening", Severity.NOTE) == (one.fault, one.severity)
    assert one.seen.endswith(f"; accepted: {VPN}")
    assert [VPN] == [check.accepted for check in proof.checks if check.ok is False]


def test_what_is_accepted_covers_nothing_else(inside):
    with listening(login_status=404) as outside:
        backend = described(
            inside, {"login.public-not-listening": VPN}, public_url=f"{outside}/token"
        )
        assert not proven(backend).proven


def test_that_the_login_does_not_work_cannot_be_accepted():
    for flaws, key in (
        ({"login_status": 401}, "refused"),
        ({"me_status": 500}, "protected-refused"),
    ):
        with listening(**flaws) as url:
            proof = proven(described(url, {f"login.{key}": VPN}))
        assert not proof.proven


def test_the_operation_fails_for_what_is_not_accepted_and_for_nothing_else():
    public = f"http://127.0.0.1:{closed_port()}/token"
    with listening() as url:
        fields = {"public_url": public, "headers": {"X-Halext-Code": canaries.ACCESS_CODE}}
        whole = described(url, **fields)
        bare = Backend("bare", login=whole.login, accounts=whole.accounts)
        accepting = dataclasses.replace(bare, accepted={"login.public-url": VPN})
        outcomes = [runs.ran(verified, backend)[1] for backend in (bare, accepting)]
    assert [False, True] == outcomes


def test_a_login_by_tls_inside_is_proven_with_the_declared_certificate(signer):
    with listening(certificate=signer.signed("inside", "DNS:api.example.org")) as url:
        backend = described(url, ca=str(signer.pem), host_header="api.example.org")
        proof = proven(backend)
        distrusted = described(url, host_header="api.example.org")
        ((fault, seen),) = named(distrusted, proven(distrusted))
    assert proof.proven
    assert ("certificate-refused", f"POST {url}/token: ") == (fault, seen[: len(url) + 13])


@pytest.mark.parametrize("text", [None, "no certificate in here"])
def test_a_certificate_file_that_is_none_leaves_the_login_untried(tmp_path: Path, text):
    path = tmp_path / "ca.pem"
    if text:
        path.write_text(text)
    proof = proven(described("https://127.0.0.1:1", ca=str(path)))
    assert proof.check("login") is None
    assert f"Login: ca {path} is no PEM file here (" in proof.said("login")


PAGE = "https://app.example.com"


def test_a_page_of_the_declared_origin_is_let_in(inside):
    proof = proven(described(inside, origin=PAGE))
    assert proof.proven
    assert [
        f"POST {inside}/token for a page of {PAGE}: allowed",
        f"GET {inside}/users/me for a page of {PAGE}: allowed",
    ] == [check.said for check in proof.checks if check.family == "cors"]


NOT_LET_IN: tuple[tuple[dict[str, Any], str], ...] = (
    ({"origin": ""}, "OPTIONS answered 405, no CORS middleware answers"),
    ({"origin": "https://other.example"}, "OPTIONS answered 400, Disallowed CORS origin"),
    (
        {"allows": {"Access-Control-Allow-Headers": "x-halext-code, authorization",
                    "Access-Control-Allow-Origin": "*, *"}},
        "Access-Control-Allow-Origin is *, *",
    ),
    ({"allows": {}}, "Access-Control-Allow-Headers lacks x-halext-code"),
)  # fmt: skip


@pytest.mark.parametrize(("flaws", "said"), NOT_LET_IN)
def test_a_preflight_that_a_browser_would_not_take_is_a_fault(flaws, said):
    with listening(**flaws) as url:
        backend = described(url, origin=PAGE)
        proof = proven(backend)
    assert ("cors-refused", f"POST {url}/token for a page of {PAGE}: {said}") in named(
        backend, proof
    )
    assert not proof.proven


def test_a_star_lets_everything_in_but_the_authorization_header():
    star = {"Access-Control-Allow-Headers": "*"}
    with listening(allows=star) as url:
        backend = described(url, origin=PAGE)
        said = named(backend, proven(backend))
    route = f"GET {url}/users/me for a page of {PAGE}"
    assert [("cors-refused", f"{route}: Access-Control-Allow-Headers lacks authorization")] == said


def test_with_a_public_url_browsers_are_asked_about_there(inside):
    with listening(origin="") as outside:
        backend = described(inside, origin=PAGE, public_url=f"{outside}/token")
        proof = proven(backend)
    assert [f"cors: {outside}/token"] == [
        check.name for check in proof.checks if check.family == "cors"
    ]


def test_a_session_in_a_cookie_is_proven_and_forged_ones_are_tried():
    with listening(cookie="sid") as url:
        backend = described(url, token=Cookie("sid"))
        proof = proven(backend)
    assert [] == findings(backend, proof)
    assert proof.proven
    assert proof.check("forged: of algorithm none") is True


def test_a_cookie_of_another_name_is_said():
    with listening(cookie="session") as url:
        backend = described(url, token=Cookie("sid"))
        assert ["token-not-found"] == [fault for fault, _ in named(backend, proven(backend))]


def test_no_finding_shows_a_secret(inside):
    with listening(field="welcome") as outside:
        backend = described(inside, public_url=f"{outside}/token", origin="https://x.example")
        said = repr((findings(backend, proven(backend)), proven(backend)))
    assert not [secret for secret in canaries.ALL if secret in said]
