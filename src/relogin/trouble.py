"""What can become of a request that gets no answer, told by the error's kind, never by its text.

An error's own text may repeat a header that was sent (httpx quotes the header that it refuses).
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import httpx

from relogin.tunnel import Refused

SAID = {
    "refused": "nobody listens there",
    "name-missing": "the name has no address",
    "name-unknown": "the name could not be looked up from here",
    "no-route": "there is no network from here to that address",
    "filtered": "no connection could be had in time",
    "silent": "no answer in time",
    "tls-expired": "the certificate is not trusted: it has expired",
    "tls-not-yet-valid": "the certificate is not trusted: it is not valid yet",
    "tls-wrong-name": "the certificate is not trusted: it is another name's",
    "tls-untrusted": "the certificate is not trusted: nobody known has signed it",
    "unsendable": "could not be asked: a header or the URL cannot be sent",
}
"""The kinds of trouble, and what is said; `tls-broken`, `untried` and `broken` say more."""

# X509_V_ERR_… (openssl, x509_vfy.h): not yet valid, expired, and the two mismatches of names.
_VERIFY = {9: "tls-not-yet-valid", 10: "tls-expired", 62: "tls-wrong-name", 64: "tls-wrong-name"}
# getaddrinfo(3): no such name, and a name without an address.
_NO_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_BY_ERRNO = {
    errno.ECONNREFUSED: "refused",
    errno.ENETUNREACH: "no-route",
    errno.EHOSTUNREACH: "filtered",  # what a firewall's REJECT looks like (firewalld's default)
    errno.ETIMEDOUT: "filtered",
}
_UNSENDABLE = (ValueError, httpx.InvalidURL, httpx.LocalProtocolError)


def trouble(error: BaseException) -> tuple[str, str]:
    """Give the kind of an error, and what to say of it."""
    for cause in _chain(error):
        if kind := _kind(cause):
            return kind, SAID[kind]
    if agreed := _no_tls(error):
        return "tls-broken", f"no TLS could be agreed on ({agreed})"
    if type(error) is OSError and error.errno is None:  # the tunnel's own words
        return "untried", f"could not be asked: {error}"
    if isinstance(error, _UNSENDABLE):
        return "unsendable", SAID["unsendable"]
    return "broken", f"the connection broke ({type(error).__name__})"


def _kind(error: BaseException) -> str | None:
    if isinstance(error, Refused):
        return "refused"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY.get(error.verify_code, "tls-untrusted")
    if isinstance(error, socket.gaierror):
        return "name-missing" if error.errno in _NO_NAME else "name-unknown"
    if isinstance(error, httpx.ConnectTimeout):
        return "filtered"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return _BY_ERRNO.get(getattr(error, "errno", None) or 0, "silent")
    return _BY_ERRNO.get(error.errno or 0) if isinstance(error, OSError) else None


def _no_tls(error: BaseException) -> str | None:
    """Give OpenSSL's own word where the other side speaks no TLS, or none that we speak."""
    reasons = (cause.reason for cause in _chain(error) if isinstance(cause, ssl.SSLError))
    return next((said for said in reasons if said and "EOF" not in said), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
