"""HTTP through a tunnel, from a real server: TLS, proxies, and what goes wrong."""

import contextlib
import socket
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from relogin import tunnel, web
from relogin.trouble import trouble
from relogin.tunnel import Tunnel
from tests.core.certificates import Authority, authority, serving
from tests.core.far_ends import closed_port, full, through

LOCAL = Tunnel(None)


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/silent":
            time.sleep(2)
        if self.path == "/trickling":
            self.trickle()
        if self.path in {"/broken", "/trickling"}:
            return
        raw = b'{"you": "%s"}' % self.headers["Host"].encode()
        status = 302 if self.path == "/moved" else 200
        self.send_response(status)
        self.send_header("Location", "http://elsewhere.example/")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def trickle(self) -> None:
        with contextlib.suppress(OSError):
            for letter in b"HTTP/1.0 200 OK\r\n":
                self.wfile.write(bytes([letter]))
                time.sleep(0.1)

    def log_message(self, *words: object) -> None:
        pass


def http(certificate: Path | None = None) -> contextlib.AbstractContextManager[str]:
    return serving(Answering, certificate)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def certificate(signer: Authority) -> Path:
    return signer.signed("sound", "IP:127.0.0.1,DNS:localhost,DNS:api.example.org")


@pytest.fixture
def trusted(signer: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(signer.pem))


def get(
    url: str, through: Tunnel = LOCAL, deadline: float = 5, trust: Any = None, **headers: str
) -> web.Reply:
    return web.request(through, "GET", url, deadline=deadline, headers=headers, trust=trust)


def test_a_certificate_of_ones_own_is_not_trusted(certificate):
    with http(certificate) as url:
        reply = get(url)
    said = "the certificate is not trusted: nobody known has signed it"
    assert (None, said, "tls-untrusted") == (reply.status, reply.failure, reply.trouble)


@pytest.mark.usefixtures("trusted")
def test_a_certificate_that_the_system_trusts_is_good(certificate):
    with http(certificate) as url:
        assert 200 == get(url).status


def test_a_certificate_whose_signer_is_declared_is_good_beside_the_systems(certificate, signer):
    with http(certificate) as url:
        trust = web.trusting(str(signer.pem))
        assert 200 == get(url, trust=trust).status
    assert trust.cert_store_stats()["x509_ca"] >= 1


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("through_ssh", [False, True])
def test_the_name_that_is_asked_for_is_that_of_the_host_header(
    certificate, forbidding, through_ssh
):
    with http(certificate) as url:
        way = through(forbidding) if through_ssh else LOCAL
        for host in ("api.example.org", "api.example.org:443"):
            assert {"you": host} == get(url, way, Host=host).json
        reply = get(url, way, Host="other.example.org")
    assert "tls-wrong-name" == reply.trouble


SIGNED = {
    "tls-expired": ("IP:127.0.0.1", "20240101", "20240201"),
    "tls-not-yet-valid": ("IP:127.0.0.1", "20980101", "20990101"),
    "tls-wrong-name": ("IP:127.0.0.2,DNS:localhost", "20240101", "20990101"),
}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("kind", SIGNED)
def test_what_is_wrong_with_a_certificate_is_told_apart(signer, kind):
    with http(signer.signed(kind, *SIGNED[kind])) as url:
        assert (None, kind) == (get(url).status, get(url).trouble)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.usefixtures("trusted")
def test_requests_go_through_a_relay_as_well(forbidding, certificate, tls):
    with http(certificate if tls else None) as url:
        reply = get(url, through(forbidding))
    assert (200, "") == (reply.status, reply.failure)
    assert {"you": url.partition("//")[2]} == reply.json


def test_a_host_header_is_ones_own_to_choose():
    with http() as url:
        assert {"you": "org.halext.org"} == get(url, Host="org.halext.org").json


def test_a_redirect_is_an_answer_and_not_followed():
    with http() as url:
        assert 302 == get(f"{url}/moved").status


def test_the_operators_proxy_is_not_asked(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with http() as url:
        assert 200 == get(url).status


@pytest.mark.parametrize(
    ("path", "failure"),
    [
        ("/silent", "no answer in time"),
        ("/trickling", "no answer in time"),
        ("/broken", "the connection broke ("),
    ],
)
def test_what_comes_of_a_server_that_does_not_answer(path, failure):
    with http() as url:
        reply = get(url + path, deadline=0.5)
    assert (None, failure, False) == (reply.status, reply.failure[: len(failure)], reply.refused)


def test_a_closed_port_is_refused_and_said_so():
    reply = get(f"http://127.0.0.1:{closed_port()}/")
    assert (True, "nobody listens there") == (reply.refused, reply.shown)


def test_a_tls_request_to_a_plain_port_broke():
    with http() as url:
        reply = get(url.replace("http:", "https:"))
    assert reply.status is None
    assert "no TLS could be agreed on (WRONG_VERSION_NUMBER)" == reply.failure


def test_what_cannot_be_asked_is_no_failed_login(forbidding, monkeypatch):
    monkeypatch.setattr(tunnel, "_RELAY_BY_BASH", "exit 127")
    reply = get("http://127.0.0.1:1/", through(forbidding, ()))
    assert reply.failure.startswith("could not be asked: sshd forbids forwarding")


def test_a_name_without_an_address_is_told_from_one_that_could_not_be_looked_up():
    assert "name-missing" == get("http://nowhere.invalid/").trouble
    assert "name-unknown" == trouble(socket.gaierror(socket.EAI_AGAIN, "try again"))[0]


def test_a_port_that_lets_nobody_in_is_no_slow_answer():
    with full() as port:
        reply = get(f"http://127.0.0.1:{port}/", deadline=0.5)
    assert ("filtered", "no connection could be had in time") == (reply.trouble, reply.failure)


def test_a_server_that_does_not_shake_hands_is_silent(certificate):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        reply = get(f"https://127.0.0.1:{deaf.getsockname()[1]}/", deadline=0.3)
    assert "silent" == reply.trouble


def test_what_is_said_of_an_error_is_not_its_own_text():
    with http() as url:
        reply = get(url, Authorization="Bearer s3cret\nX: y")
    assert ("unsendable", False) == (reply.trouble, "s3cret" in repr(reply))
