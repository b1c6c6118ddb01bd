"""What these tests share: a transport that forbids, an env file, keys made by openssl."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyinfra.api import State

from relogin import redaction, secret
from tests.core.far_ends import Transport
from tests.core.jwts import openssl
from tests.core.places import Place
from tests.core.verdicts import two_hosts


@pytest.fixture
def forbidding() -> Iterator[Transport]:
    transport = Transport()
    yield transport
    for channel in transport.opened:
        channel.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "env")
    made.write("A=0\nB=0\nC=1\n")
    return made


@pytest.fixture(scope="session")
def pems() -> dict[str, tuple[str, str]]:
    """Private and public PEM of each algorithm, made by openssl."""
    kinds = {
        "RS256": ("RSA", "rsa_keygen_bits:2048"),
        "ES256": ("EC", "ec_paramgen_curve:P-256"),
        "ES384": ("EC", "ec_paramgen_curve:P-384"),
        "ES512": ("EC", "ec_paramgen_curve:P-521"),
        "EdDSA": ("ED25519", None),
        "weak": ("RSA", "rsa_keygen_bits:1024"),
    }
    found = {}
    for name, (kind, option) in kinds.items():
        private = openssl("genpkey", "-algorithm", kind, *(["-pkeyopt", option] if option else []))
        public = openssl("pkey", "-pubout", stdin=private.stdout)
        found[name] = (private.stdout.decode(), public.stdout.decode())
    return {**found, "PS384": found["RS256"]}


@pytest.fixture
def state() -> State:
    return two_hosts()


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A value is asked for once in a process; each test is to be a process of its own."""
    monkeypatch.setattr(redaction, "_known", {})
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    for cached in (secret._resolve, secret._dotenv, secret._fingerprint_key):
        cached.cache_clear()
    yield
    for cached in (secret._resolve, secret._dotenv, secret._fingerprint_key):
        cached.cache_clear()
