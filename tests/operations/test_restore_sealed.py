"""A backup encrypted by the programs that people use: it comes back, and is not in clear."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lab.steps import sample

from .backups import PASSWORD
from .restoring import backed

__all__ = ["backed"]
pytestmark = pytest.mark.embedded


def age(folder: Path) -> tuple[str, str]:
    key = folder / "age.key"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    said = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True, text=True)
    return f"age -r {said.stdout.strip()}", f"age -d -i {key}"


def gpg(folder: Path) -> tuple[str, str]:
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    words = ["gpg", "--homedir", str(home), "--batch", "--trust-model", "always", "--quiet"]
    made = ["--passphrase", "", "--quick-generate-key", "ops@example.com", "default", "default"]
    subprocess.run([*words, *made], check=True, capture_output=True)
    command = " ".join(words)
    return f"{command} --encrypt -r ops@example.com", f"{command} --decrypt"


@pytest.mark.parametrize("made", sample([age, gpg], 1))
def test_what_people_encrypt_with_is_read_back_and_restored(backed, tmp_path, made):
    if shutil.which(made.__name__) is None:
        pytest.skip(f"{made.__name__} is not installed")
    encrypt, decrypt = made(tmp_path)
    backed.described(f"backup=Backup(encrypt={encrypt!r}, decrypt={decrypt!r}),")
    try:
        backed.back_up()
        whole = b"".join(path.read_bytes() for path in backed.backups()[-1].iterdir())
        assert [] == [one for one in (b"PGDMP", PASSWORD.encode(), b"SCRAM") if one in whole]
        backed.sql("DELETE FROM shop.posts")
        code, said = backed.restore()
        assert 0 == code, said
        assert "2" == backed.sql("SELECT count(*) FROM shop.posts")
    finally:
        if made is gpg:  # it leaves its agent
            kill = ["gpgconf", "--homedir", tmp_path / "gnupg", "--kill", "all"]
            subprocess.run(kill, check=True)
