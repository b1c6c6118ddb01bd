"""Tokens made by hand, and keys made by openssl."""

import base64
import hmac
import json
import subprocess

SECRET = "s3cret-" * 10
CLAIMS = {"sub": "ops", "exp": 4102444800, "iat": 1700000000, "roles": ["admin"], "name": "Zoë"}
ASYMMETRIC = ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "==")


def joined(header: bytes, claims: bytes) -> str:
    return f"{b64(header)}.{b64(claims)}.x"


def by_hand(header: dict, claims: dict, secret: bytes, digest: str = "sha256") -> str:
    unsigned = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{unsigned}.{b64(hmac.new(secret, unsigned.encode(), digest).digest())}"


def good(secret: str | bytes = SECRET, **header: str) -> str:
    secret = secret if isinstance(secret, bytes) else secret.encode()
    return by_hand({"typ": "JWT", "alg": "HS256", **header}, CLAIMS, secret)


def openssl(*arguments: str, stdin: bytes = b"", check: bool = True):
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=check)
