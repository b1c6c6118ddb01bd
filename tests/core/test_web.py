"""HTTP through a tunnel, from a real server: TLS, proxies, and what goes wrong."""

import contextlib
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from relogin import tunnel, web
from relogin.tunnel import Pipe, Tunnel
from tests.core.far_ends import closed_port, through

LOCAL = Tunnel(None)


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/silent":
            time.sleep(2)
        if self.path == "/broken":
            return
        raw = b'{"you": "%s"}' % self.headers["Host"].encode()
        status = 302 if self.path == "/moved" else 200
        self.send_response(status)
        self.send_header("Location", "http://elsewhere.example/")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *words: object) -> None:
        pass


class Silent(ThreadingHTTPServer):
    """Clients that distrust the certificate break off: that is what is tested."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextlib.contextmanager
def http(certificate: Path | None = None) -> Iterator[str]:
    server = Silent(("127.0.0.1", 0), Answering)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        scheme = "https" if certificate else "http"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pem = tmp_path_factory.mktemp("tls") / "both.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run(
        [*made, "-nodes", "-days", "2", *subject, "-keyout", f"{pem}.key", "-out", f"{pem}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    pem.write_text(Path(f"{pem}.key").read_text() + Path(f"{pem}.crt").read_text())
    return pem


def get(url: str, through: Tunnel = LOCAL, deadline: float = 5, **headers: str) -> web.Reply:
    return web.request(through, "GET", url, deadline=deadline, headers=headers)


def test_a_certificate_of_ones_own_is_not_trusted(certificate):
    with http(certificate) as url:
        reply = get(url)
    assert (None, "the certificate is not trusted") == (reply.status, reply.failure)


def test_a_certificate_that_is_trusted_is_good(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with http(certificate) as url:
        assert 200 == get(url).status


def test_a_trusted_certificate_of_another_name_is_not(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with http(certificate) as url:
        reply = get(url.replace("127.0.0.1", "127.0.0.2"), _At127001())
    assert "the certificate is not trusted" == reply.failure


class _At127001(Tunnel):
    def __init__(self) -> None:
        super().__init__(None)

    def open(self, address: str, port: int, timeout: float) -> Pipe:
        return super().open("127.0.0.1", port, timeout)


@pytest.mark.parametrize("tls", [False, True])
def test_requests_go_through_a_relay_as_well(forbidding, certificate, monkeypatch, tls):
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
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
    [("/silent", "no answer in time"), ("/broken", "the connection broke (")],
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
    assert reply.failure.startswith("the connection broke (SSL")


def test_what_cannot_be_asked_is_no_failed_login(forbidding, monkeypatch):
    monkeypatch.setattr(tunnel, "_RELAY_BY_BASH", "exit 127")
    reply = get("http://127.0.0.1:1/", through(forbidding, ()))
    assert reply.failure.startswith("could not be asked: sshd forbids forwarding")
