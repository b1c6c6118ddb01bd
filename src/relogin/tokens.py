"""Read, check and make JSON Web Tokens.

HMAC is computed here, the rest by PyJWT: it refuses or warns of an empty, short or key-like secret,
and a backend may well be running with one.
"""

import base64
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from relogin.values import dataclass

_HMAC = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


@dataclass(frozen=True)
class Token:
    """What a token says, not whether it is true; the signature is left out."""

    algorithm: str
    claims: Mapping[str, Any]


def read(token: str) -> Token | None:
    """Give the algorithm and claims of a token without checking anything; None if it is no JWT."""
    if not isinstance(token, str) or not _COMPACT.fullmatch(token):
        return None
    header, claims, _ = token.split(".")
    try:
        said, claimed = json.loads(_decoded(header)), json.loads(_decoded(claims))
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not isinstance(claimed, dict):
        return None
    algorithm = said.get("alg")
    return Token(algorithm, claimed) if isinstance(algorithm, str) else None


def signed_by(token: str, secret_or_public_key: str | bytes, algorithm: str) -> bool:
    """Tell whether a token names this algorithm and this key made its signature.

    Expiry and other claims are not looked at. A key that is none of the algorithm's has made no
    signature; a private PEM stands for its public part.
    """
    found = read(token)
    if found is None or found.algorithm != algorithm:
        return False
    signed, _, signature = token.rpartition(".")
    try:
        return _verifies(signed.encode(), _decoded(signature), secret_or_public_key, algorithm)
    except ValueError:
        return False


def secret_variant(token: str, secret: str, algorithm: str) -> str | None:
    """Name the variant of a secret that made a token's signature; None if none did.

    "as is", or how the backend came by another text than we did: "with a trailing newline", "with
    a trailing carriage return", "stripped", "without quotes", "in double quotes", "in single
    quotes", "base64-decoded".
    """
    for name, variant in _variants(secret):
        if signed_by(token, variant, algorithm):
            return name
    return None


def mint(claims: Mapping[str, Any], secret: str | bytes, algorithm: str) -> str:
    """Make a token; the secret is a private PEM where the algorithm is not HMAC.

    Raises ValueError for an unknown algorithm or a key that is none of its.
    """
    header = _encoded(_json({"alg": algorithm, "typ": "JWT"}))
    return _signed(header, _encoded(_json(claims)), secret, algorithm)


def forged(token: str) -> dict[str, str]:
    """Make tokens that no backend may accept from one that it does: name to token.

    Header and claims are those of the good token, byte for byte, but for the algorithm where that
    is what is forged (or one that nobody knows). Raises ValueError if the token is no JWT.
    """
    found = _required(token)
    header, claims, _ = token.split(".")
    own = found.algorithm if _is_known(found.algorithm) else "HS256"
    weak = own if own in _HMAC else "HS256"
    return {
        "signed with another secret": _signed(_with(header, own), claims, _stranger(own), own),
        "of algorithm none": f"{_with(header, 'none')}.{claims}.",
        "signed with the empty secret": _signed(_with(header, weak), claims, b"", weak),
    }


def expired(token: str, secret: str | bytes, algorithm: str) -> str:
    """Make the token as it will be long after its end: times moved to the past, all else alike.

    Its end is an hour before it was issued, or before now if that is earlier, so that neither
    leeway nor a clock that is off makes it good. Raises ValueError if it is no JWT, and as `mint`.
    """
    found = _required(token)
    times = {name: _seconds(found.claims.get(name)) for name in ("exp", "iat", "nbf")}
    now = int(time.time())
    end = min(now, times["iat"] or now) - 3600
    shift = (times["exp"] or now) - end
    moved = {name: value - shift for name, value in times.items() if value is not None}
    claims = _encoded(_json({**found.claims, **moved, "exp": end}))
    header, _, _ = token.partition(".")
    return _signed(_with(header, algorithm), claims, secret, algorithm)


def _required(token: str) -> Token:
    found = read(token)
    if found is None:
        raise ValueError("the token is not a JWT")
    return found


def _is_known(algorithm: str) -> bool:
    if algorithm in _HMAC:  # importing PyJWT's own list takes 20 ms
        return True
    from jwt.algorithms import get_default_algorithms

    return algorithm != "none" and algorithm in get_default_algorithms()


def _verifies(signed: bytes, signature: bytes, key: str | bytes, algorithm: str) -> bool:
    if algorithm in _HMAC:
        return hmac.compare_digest(hmac.digest(_bytes(key), signed, _HMAC[algorithm]), signature)
    implementation, prepared = _asymmetric(key, algorithm)
    public = prepared.public_key() if hasattr(prepared, "public_key") else prepared
    return bool(implementation.verify(signed, public, signature))


def _signed(header: str, claims: str, key: Any, algorithm: str) -> str:
    unsigned = f"{header}.{claims}"
    if algorithm in _HMAC:
        signature = hmac.digest(_bytes(key), unsigned.encode(), _HMAC[algorithm])
    else:
        implementation, prepared = _asymmetric(key, algorithm)
        if not hasattr(prepared, "sign"):
            raise ValueError(f"the key for {algorithm} is not a private one")
        signature = implementation.sign(unsigned.encode(), prepared)
    return f"{unsigned}.{_encoded(signature)}"


def _asymmetric(key: Any, algorithm: str) -> tuple[Any, Any]:
    from jwt.algorithms import get_default_algorithms
    from jwt.exceptions import PyJWTError

    if not _is_known(algorithm):
        raise ValueError(f"unknown algorithm {algorithm!r}")
    implementation = get_default_algorithms()[algorithm]
    try:
        return implementation, implementation.prepare_key(key)
    except (PyJWTError, ValueError, TypeError):
        raise ValueError(f"the key is none for {algorithm}") from None


def _stranger(algorithm: str) -> Any:
    if algorithm in _HMAC:
        return secrets.token_bytes(64)
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if algorithm[:2] in ("RS", "PS"):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    curves: dict[str, ec.EllipticCurve] = {
        "ES256": ec.SECP256R1(),
        "ES256K": ec.SECP256K1(),
        "ES384": ec.SECP384R1(),
        "ES512": ec.SECP521R1(),
        "ES521": ec.SECP521R1(),
    }
    if algorithm in curves:
        return ec.generate_private_key(curves[algorithm])
    return ed25519.Ed25519PrivateKey.generate()


def _variants(secret: str) -> Iterator[tuple[str, str | bytes]]:
    yield "as is", secret
    yield "with a trailing newline", secret + "\n"
    yield "with a trailing carriage return", secret + "\r"
    yield "stripped", secret.strip()
    stripped = secret.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'":
        yield "without quotes", stripped[1:-1]
    yield "in double quotes", f'"{secret}"'
    yield "in single quotes", f"'{secret}'"
    try:
        yield "base64-decoded", _decoded(stripped.rstrip("=").translate({43: "-", 47: "_"}))
    except ValueError:
        return


def _with(header: str, algorithm: str) -> str:
    said = json.loads(_decoded(header))
    return header if said["alg"] == algorithm else _encoded(_json({**said, "alg": algorithm}))


def _seconds(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        return None


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(value), separators=(",", ":")).encode()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
