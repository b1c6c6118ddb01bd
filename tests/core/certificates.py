"""Certificates as openssl makes them: an authority of one's own, and what it has signed."""

import contextlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_CONFIG = """
[ca]
default_ca = here
[here]
dir = {folder}
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@dataclass(frozen=True)
class Authority:
    """Signs what it is asked to; `pem` is the file that has to be trusted."""

    folder: Path

    @property
    def pem(self) -> Path:
        return self.folder / "ca.crt"

    def signed(self, name: str, names: str, start: str = "20240101", end: str = "20990101") -> Path:
        """Give a file with key and certificate, for `names` (DNS:…,IP:…), good between two days."""
        key, request, made = (self.folder / f"{name}.{kind}" for kind in ("key", "csr", "crt"))
        alternatives = ("-addext", f"subjectAltName={names}")
        out = ("-keyout", str(key), "-out", str(request))
        _openssl("req", "-new", *_KEY, "-subj", f"/CN={name}", *alternatives, *out)
        _openssl(
            *("ca", "-batch", "-config", str(self.folder / "ca.cnf"), "-in", str(request)),
            *("-cert", str(self.pem), "-keyfile", str(self.folder / "ca.key")),
            *("-startdate", f"{start}000000Z", "-enddate", f"{end}000000Z", "-out", str(made)),
        )
        both = self.folder / f"{name}.pem"
        both.write_text(key.read_text() + made.read_text())
        return both


def authority(folder: Path) -> Authority:
    """Make an authority in a folder."""
    (folder / "index.txt").touch()
    (folder / "ca.cnf").write_text(_CONFIG.format(folder=folder))
    out = ("-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.crt"))
    _openssl("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=authority", *out)
    return Authority(folder)


class Silent(ThreadingHTTPServer):
    """Clients that distrust the certificate break off: that is what is tested."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextlib.contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], certificate: Path | None = None, port: int = 0
) -> Iterator[str]:
    """Serve on a port of its own until the block ends, by TLS if there is a certificate."""
    server = Silent(("127.0.0.1", port), handler)
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
