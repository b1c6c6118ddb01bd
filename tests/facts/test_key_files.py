"""The files of the keys of tokens, as a host shows them; a private key never leaves it."""

import subprocess
from pathlib import Path

import pytest

from relogin import KeyFile
from relogin.facts.key_files import Keys, parse, script
from relogin.finding import Unreadable
from relogin.remote import Answer
from tests.facts.answers import SHELLS, run

KINDS = {
    "RS256": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "ES256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
}


def openssl(*words: object) -> str:
    done = subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(params=KINDS)
def key(tmp_path: Path, request) -> KeyFile:
    private, public = tmp_path / "the private.pem", tmp_path / "public.pem"
    openssl("genpkey", *KINDS[request.param], "-out", private)
    public.write_text(openssl("pkey", "-in", private, "-pubout"))
    return KeyFile(str(public), private=str(private))


def seen(key: KeyFile, sh: tuple[str, ...] = ("sh",)) -> Keys | Unreadable:
    return parse(key, run(script(key, None), sh))


@pytest.mark.parametrize("sh", SHELLS)
def test_a_pair_is_one_and_nothing_of_the_private_key_is_in_the_answer(key, sh):
    answer = run(script(key, None), sh)
    found = parse(key, answer)
    assert (True, True, True) == (found.pair, found.public.sound, found.private.sound)
    assert Path(key.path).read_text().strip() == found.pem.strip()
    assert b"PRIVATE" not in answer.text
    lines = Path(key.private).read_text().splitlines()[1:-1]
    assert [] == [line for line in lines if line.encode() in answer.text]


def test_a_public_key_that_is_gone_is_had_from_the_private_one(key):
    before = Path(key.path).read_text()
    Path(key.path).unlink()
    found = seen(key)
    assert (False, None, before.strip()) == (found.public.there, found.pair, found.pem.strip())


def test_the_public_key_of_another_pair_is_told(key, tmp_path):
    openssl("genpkey", *KINDS["ES256"], "-out", tmp_path / "other.pem")
    Path(key.path).write_text(openssl("pkey", "-in", tmp_path / "other.pem", "-pubout"))
    assert seen(key).pair is False


def test_a_text_that_is_no_key_is_told(key):
    Path(key.private).write_text("changeme\n")
    found = seen(key)
    assert (False, True, None) == (found.private.sound, found.public.sound, found.pair)


def test_a_public_key_may_be_declared_alone(key):
    found = seen(KeyFile(key.path))
    assert (True, None, None) == (found.public.sound, found.private, found.pair)


def test_a_file_that_only_root_may_see_could_not_be_seen():
    answer = Answer(b"hidden\n\n\n-----\n", 0)
    assert Unreadable("the key files are shown to root alone") == parse(KeyFile("/k"), answer)
