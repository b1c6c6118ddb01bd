"""The keys of a bare host's tokens: made by the real openssl, once, and only where they may be."""

import getpass
import os
import stat
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from relogin import Backend, Jwt, KeyFile, Onboard, ProfileError, Systemd
from relogin.facts import key_files
from relogin.facts.bare import Bare
from relogin.facts.key_files import Keys
from relogin.facts.observation import Observation
from relogin.finding import Finding, Unreadable
from relogin.operations import jwt_keys, key_pair, onboard_checks, onboard_plan
from tests.facts.answers import run

from .releases import changed

ME = getpass.getuser()
BARE = Bare(0, ME, "x86_64", debian=True, systemd=True)


def backend(place: Path, algorithm: str = "RS256", *, generated: bool = True) -> Backend:
    key = KeyFile(f"{place}/public.pem", private=f"{place}/private.pem", generated=generated)
    return Backend(
        "mine",
        service=Systemd("mine", working_directory=str(place), user=ME),
        token=Jwt(public_key=key, algorithm=algorithm),
        onboard=Onboard(),
    )


def looked(declared: Backend) -> Observation:
    key = key_files.declared(declared)
    assert key is not None
    keys = key_files.parse(key, run(key_files.script(key, None)))
    assert isinstance(keys, Keys)
    return Observation(Unreadable("not asked"), keys=keys)


def make(declared: Backend) -> list[tuple[int, str]]:
    """Look, and make what is to be made; give the status and what was said of each change."""
    done = [changed(one.script) for one in key_pair.changes(declared, looked(declared), BARE)]
    return [(one.status, one.text.decode()) for one in done]


@pytest.mark.parametrize("algorithm", ["RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"])
def test_a_key_is_made_that_signs_with_the_algorithm(tmp_path, algorithm):
    declared = backend(tmp_path / "it's/deep", algorithm)
    assert [(0, "")] == make(declared)
    [path] = (tmp_path / "it's/deep").iterdir()
    assert "private.pem" == path.name
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    private = load_pem_private_key(path.read_bytes(), None)
    token = jwt.encode({"sub": "ada"}, private, algorithm=algorithm)
    assert {"sub": "ada"} == jwt.decode(token, private.public_key(), algorithms=[algorithm])
    before = path.read_bytes()
    assert [] == make(declared)
    assert before == path.read_bytes()


def test_the_catalogue_makes_the_public_one_of_it_and_then_nothing_is_wrong(tmp_path):
    declared = backend(tmp_path)
    make(declared)
    [found] = jwt_keys.PUBLIC_KEY_MISSING.found(declared, looked(declared))
    assert not found.by_person
    for fault in (jwt_keys.PRIVATE_KEY_MISSING, jwt_keys.KEYS_NO_PAIR):
        assert [] == list(fault.found(declared, looked(declared)))


def said(declared: Backend) -> tuple[bool, str]:
    seen = looked(declared)
    [check] = [
        one for one in onboard_checks.checked(declared, seen, BARE, "main") if one.name == "keys"
    ]
    return check.ok, check.said


def test_beside_a_public_key_no_other_pair_is_made(tmp_path):
    (tmp_path / "public.pem").write_text("-----BEGIN PUBLIC KEY-----\n")
    declared = backend(tmp_path)
    assert [] == make(declared)
    ok, why = said(declared)
    assert not ok
    assert "private.pem, which signs, is not" in why


def test_a_key_that_nobody_may_make_is_refused_and_says_what_to_declare(tmp_path):
    declared = backend(tmp_path, generated=False)
    assert [] == make(declared)
    ok, why = said(declared)
    assert not ok
    assert "declare KeyFile(generated=True)" in why


def test_it_is_planned_and_needs_openssl(tmp_path):
    declared = backend(tmp_path)
    assert (True, f"{tmp_path}/private.pem is made on the host") == said(declared)
    lines = [*onboard_plan.lines(declared, looked(declared), BARE, "main")]
    assert f"make the keys {tmp_path}/private.pem and {tmp_path}/public.pem" in lines
    assert "openssl" in key_pair.facts.packages(declared)


def test_a_repair_never_makes_one(tmp_path):
    declared = backend(tmp_path)
    [found] = jwt_keys.PRIVATE_KEY_MISSING.found(declared, looked(declared))
    assert isinstance(found, Finding)
    assert jwt_keys.PRIVATE_KEY_MISSING.fix is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of somebody else's")
def test_nothing_is_made_in_a_folder_of_somebody_else(tmp_path):
    place = tmp_path / "theirs"
    place.mkdir()
    os.chown(place, 65534, 65534)
    [(status, why)] = make(backend(place))
    assert 0 != status
    assert f"not to {ME}" in why
    assert [] == [*place.iterdir()]


def test_a_pair_that_is_generated_says_where_the_private_one_is_to_be():
    with pytest.raises(ProfileError, match="generated asks for private="):
        KeyFile("/srv/public.pem", generated=True)
