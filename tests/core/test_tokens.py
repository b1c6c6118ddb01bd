import base64
import hashlib
import hmac
import json
import subprocess
import time
import warnings

import jwt
import pytest

from relogin import tokens

SECRET = "s3cret-" * 10
CLAIMS = {"sub": "ops", "exp": 4102444800, "iat": 1700000000, "roles": ["admin"], "name": "Zoë"}
ASYMMETRIC = ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"]
KINDS = ["signed with another secret", "of algorithm none", "signed with the empty secret"]


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "==")


def _joined(header: bytes, claims: bytes) -> str:
    return f"{_b64(header)}.{_b64(claims)}.x"


def _by_hand(header: dict, claims: dict, secret: bytes, digest: str = "sha256") -> str:
    unsigned = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}"
    return f"{unsigned}.{_b64(hmac.new(secret, unsigned.encode(), digest).digest())}"


def _good(secret: str | bytes = SECRET, **header: str) -> str:
    secret = secret if isinstance(secret, bytes) else secret.encode()
    return _by_hand({"typ": "JWT", "alg": "HS256", **header}, CLAIMS, secret)


def _openssl(*arguments: str, stdin: bytes = b"", check: bool = True):
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=check)


@pytest.fixture(scope="module")
def pems():
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
        private = _openssl("genpkey", "-algorithm", kind, *(["-pkeyopt", option] if option else []))
        public = _openssl("pkey", "-pubout", stdin=private.stdout)
        found[name] = (private.stdout.decode(), public.stdout.decode())
    return {**found, "PS384": found["RS256"]}


def test_a_token_is_read_without_its_secret():
    assert tokens.read(_good()) == tokens.Token("HS256", CLAIMS)


def test_a_token_of_another_library_is_read():
    made = jwt.encode(CLAIMS, SECRET, "HS512", headers={"kid": "1"})
    assert tokens.read(made) == tokens.Token("HS512", CLAIMS)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "5ecret",
        "a.b.c",
        "a.b",
        "..",
        None,
        b"a.b.c",
        "Bearer " + _good(),
        _good() + "\n",
        "." + _good(),
        _good().replace(".", "..", 1),
        _joined(b"[]", b"{}"),
        _joined(b"{}", b"{}"),
        _joined(b'{"alg":1}', b"{}"),
        _joined(b'{"alg":"HS256"}', b"[1]"),
        _joined(b'{"alg":"HS256"}', b"\xff"),
        _joined(b"[" * 100_000, b"{}"),
        "gAAAAABl.opaque.token",
    ],
    ids=lambda token: repr(token)[:30],
)
def test_what_is_no_jwt_is_none_and_signed_by_nobody(token):
    assert tokens.read(token) is None
    assert tokens.signed_by(token, SECRET, "HS256") is False


def test_a_signature_is_judged_by_key_and_algorithm():
    token = _good()
    assert tokens.signed_by(token, SECRET, "HS256") is True
    assert tokens.signed_by(token, SECRET.encode(), "HS256") is True
    assert tokens.signed_by(token, SECRET + "\n", "HS256") is False
    assert tokens.signed_by(token, SECRET, "HS512") is False
    assert tokens.signed_by(token, SECRET, "RS256") is False
    assert tokens.signed_by(token, SECRET, "none") is False


def test_a_signature_of_another_algorithm_than_the_header_names_is_not_good():
    token = _by_hand({"alg": "HS512"}, CLAIMS, SECRET.encode(), "sha256")
    assert tokens.signed_by(token, SECRET, "HS256") is False
    assert tokens.signed_by(token, SECRET, "HS512") is False


def test_a_changed_claim_or_a_cut_signature_is_not_signed():
    header, claims, signature = _good().split(".")
    changed = _b64(_raw(claims).replace(b"ops", b"obs"))
    assert tokens.signed_by(f"{header}.{changed}.{signature}", SECRET, "HS256") is False
    assert tokens.signed_by(f"{header}.{claims}.{signature[:-4]}", SECRET, "HS256") is False
    assert tokens.signed_by(f"{header}.{claims}.", SECRET, "HS256") is False


def test_expiry_does_not_make_a_signature_bad():
    token = _by_hand({"alg": "HS256"}, {"exp": 1, "nbf": 4102444800, "aud": "x"}, SECRET.encode())
    assert tokens.signed_by(token, SECRET, "HS256") is True


@pytest.mark.parametrize("secret", ["", "short", "-----BEGIN PUBLIC KEY-----\nx", '{"kty":"oct"}'])
def test_a_secret_that_pyjwt_refuses_or_warns_of_is_judged_quietly(secret):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert tokens.signed_by(_good(secret), secret, "HS256") is True
        assert tokens.signed_by(tokens.mint(CLAIMS, secret, "HS256"), secret, "HS256") is True
        assert tokens.secret_variant(_good(secret), secret, "HS256") == "as is"
    assert seen == []


def test_a_weak_rsa_key_is_judged_quietly(pems):
    private, public = pems["weak"]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert tokens.signed_by(tokens.mint(CLAIMS, private, "RS256"), public, "RS256") is True
    assert seen == []


@pytest.mark.parametrize(("algorithm", "digest"), [("HS256", "sha256"), ("HS512", "sha512")])
def test_openssl_computes_the_same_signature_of_a_minted_token(algorithm, digest):
    unsigned, _, signature = tokens.mint(CLAIMS, SECRET, algorithm).rpartition(".")
    key = f"hexkey:{SECRET.encode().hex()}"
    done = _openssl(
        "dgst", f"-{digest}", "-mac", "HMAC", "-macopt", key, "-binary", stdin=unsigned.encode()
    )
    assert done.stdout == _raw(signature)


def test_openssl_verifies_a_minted_rs256_token(pems, tmp_path):
    private, public = pems["RS256"]
    unsigned, _, signature = tokens.mint(CLAIMS, private, "RS256").rpartition(".")
    (tmp_path / "public.pem").write_text(public)
    (tmp_path / "signature").write_bytes(_raw(signature))
    verify = ("-verify", str(tmp_path / "public.pem"), "-signature", str(tmp_path / "signature"))
    done = _openssl("dgst", "-sha256", *verify, stdin=unsigned.encode(), check=False)
    assert (0, b"Verified OK\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_pyjwt_accepts_a_minted_token(algorithm):
    minted = tokens.mint(CLAIMS, SECRET, algorithm)
    assert CLAIMS == jwt.decode(minted, SECRET, algorithms=[algorithm])
    assert jwt.get_unverified_header(minted) == {"alg": algorithm, "typ": "JWT"}


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_pyjwt_and_we_agree_on_keys_that_come_in_pairs(pems, algorithm):
    private, public = pems[algorithm]
    assert CLAIMS == jwt.decode(
        tokens.mint(CLAIMS, private, algorithm), public, algorithms=[algorithm]
    )
    theirs = jwt.encode(CLAIMS, private, algorithm)
    assert tokens.signed_by(theirs, public, algorithm) is True
    assert tokens.signed_by(theirs, private, algorithm) is True
    assert tokens.signed_by(theirs[:-8] + "AAAAAAAA", public, algorithm) is False


def test_a_key_of_another_kind_has_signed_nothing(pems):
    token = tokens.mint(CLAIMS, pems["RS256"][0], "RS256")
    mangled = pems["RS256"][1].replace("\n", "\\n")
    for key in (pems["ES256"][1], pems["weak"][1], mangled, SECRET, "", b"\xff"):
        assert tokens.signed_by(token, key, "RS256") is False


def test_a_token_signed_with_the_public_key_as_if_it_were_a_secret_is_not_rs256(pems):
    public = pems["RS256"][1]
    assert tokens.signed_by(_good(public), public, "RS256") is False


@pytest.mark.parametrize("algorithm", ["none", "HS257", "RS256", "ES256"])
def test_minting_with_what_is_no_key_is_refused_without_showing_it(algorithm):
    with pytest.raises(ValueError, match=r"unknown algorithm|the key is none for") as caught:
        tokens.mint(CLAIMS, "5ecret", algorithm)
    assert "5ecret" not in str(caught.value)


def test_minting_with_a_public_key_is_refused(pems):
    with pytest.raises(ValueError, match="the key for RS256 is not a private one"):
        tokens.mint(CLAIMS, pems["RS256"][1], "RS256")


@pytest.mark.parametrize(
    ("used", "configured", "variant"),
    [
        (SECRET, SECRET, "as is"),
        (SECRET + "\n", SECRET, "with a trailing newline"),
        (SECRET + "\r", SECRET, "with a trailing carriage return"),
        (SECRET, f" {SECRET}\n", "stripped"),
        (SECRET, f'"{SECRET}"', "without quotes"),
        (SECRET, f"'{SECRET}'\n", "without quotes"),
        (f'"{SECRET}"', SECRET, "in double quotes"),
        (f"'{SECRET}'", SECRET, "in single quotes"),
        (b"\xfb\xff\x00binary", base64.b64encode(b"\xfb\xff\x00binary").decode(), "base64-decoded"),
        (b"\xfb\xff\x00binar", _b64(b"\xfb\xff\x00binar"), "base64-decoded"),
        ("", '""', "without quotes"),
        (b"secret", "c2Vj!cmV0", None),
        ("another", SECRET, None),
        ("another", "ä€", None),
    ],
)
def test_the_variant_of_a_secret_that_signed_is_named(used, configured, variant):
    assert variant == tokens.secret_variant(_good(used), configured, "HS256")


def test_forged_tokens_say_what_the_good_one_says_and_only_their_signature_is_wrong():
    good = _good(kid="main")
    forged = tokens.forged(good)
    assert list(forged) == KINDS
    for name in ("signed with another secret", "signed with the empty secret"):
        assert good.rpartition(".")[0] == forged[name].rpartition(".")[0]
        assert tokens.signed_by(forged[name], SECRET, "HS256") is False
    header, claims, signature = forged["of algorithm none"].split(".")
    assert json.loads(_raw(header)) == {"typ": "JWT", "alg": "none", "kid": "main"}
    assert (claims, signature) == (good.split(".")[1], "")


def test_the_token_of_the_empty_secret_is_really_signed_with_it():
    unsigned, _, signature = tokens.forged(_good())["signed with the empty secret"].rpartition(".")
    assert _raw(signature) == hmac.new(b"", unsigned.encode(), hashlib.sha256).digest()


def test_the_other_secret_is_another_one_each_time():
    first, second = tokens.forged(_good()), tokens.forged(_good())
    assert first["signed with another secret"] != second["signed with another secret"]


def test_a_backend_done_right_accepts_the_good_token_and_refuses_every_forged_one():
    assert CLAIMS == jwt.decode(_good(), SECRET, algorithms=["HS256"])
    for token in tokens.forged(_good()).values():
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(token, SECRET, algorithms=["HS256"])


def test_a_backend_that_does_not_verify_accepts_every_forged_token():
    for token in tokens.forged(_good()).values():
        assert CLAIMS == jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_stranger_with_a_key_pair_of_his_own_is_refused(pems, algorithm):
    private, public = pems[algorithm]
    forged = tokens.forged(jwt.encode(CLAIMS, private, algorithm))
    other = forged["signed with another secret"]
    assert jwt.get_unverified_header(other)["alg"] == algorithm
    assert jwt.get_unverified_header(forged["signed with the empty secret"])["alg"] == "HS256"
    for token in forged.values():
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(token, public, algorithms=[algorithm])
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(other, public, algorithms=[algorithm])


@pytest.mark.parametrize("algorithm", ["none", "XX999"])
def test_a_token_of_an_algorithm_that_nobody_knows_is_forged_as_hs256(algorithm):
    forged = tokens.forged(_good(alg=algorithm))
    header = jwt.get_unverified_header(forged["signed with another secret"])
    assert header["alg"] == "HS256"


def test_an_expired_token_is_signed_with_the_configured_secret_and_long_over():
    now = int(time.time())
    good = tokens.mint({**CLAIMS, "iat": now, "nbf": now, "exp": now + 1800}, SECRET, "HS256")
    over = tokens.expired(good, SECRET, "HS256")
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(over, SECRET, algorithms=["HS256"], leeway=600)
    claims = jwt.decode(over, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert claims == {**CLAIMS, "iat": now - 5400, "nbf": now - 5400, "exp": now - 3600}
    assert good.split(".")[0] == over.split(".")[0]


def test_a_token_of_a_server_whose_clock_is_behind_is_expired_there_too():
    issued = int(time.time()) - 86400
    over = tokens.expired(
        tokens.mint({"iat": issued, "exp": issued + 60}, SECRET, "HS256"), SECRET, "HS256"
    )
    assert tokens.read(over).claims["exp"] == issued - 3600


@pytest.mark.parametrize("exp", [None, "soon", True, 1e400, [1], str(4102444800), 4102444800.5])
def test_a_token_with_any_end_or_none_expires(exp):
    claims = {"sub": "ops"} if exp is None else {"sub": "ops", "exp": exp}
    over = tokens.expired(tokens.mint(claims, SECRET, "HS256"), SECRET, "HS256")
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(over, SECRET, algorithms=["HS256"])


def test_what_is_no_jwt_can_be_neither_forged_nor_expired():
    for attempt in (
        lambda: tokens.forged("5ecret"),
        lambda: tokens.expired("5ecret", "s", "HS256"),
    ):
        with pytest.raises(ValueError, match="the token is not a JWT"):
            attempt()
