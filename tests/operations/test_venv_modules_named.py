"""Which distribution a module comes from, the index itself says: its wheels are looked into."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from relogin.operations.venv_modules import _DISTRIBUTIONS

SOURCE_ALONE = {"mysqlclient", "python-ldap"}  # no wheel is published for Linux


@pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="by make test-all: 300 MB")
def test_each_module_is_in_the_wheel_of_its_distribution(tmp_path: Path) -> None:
    named = {module: re.sub(r"\[.*", "", of) for module, of in _DISTRIBUTIONS.items()}
    wanted = sorted({*named.values()} - SOURCE_ALONE)
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    # one by one: together they would have to agree on what they need
    for name in wanted:
        words = [*pip, "--no-deps", "--only-binary", ":all:", "-d", str(tmp_path / name), name]
        subprocess.run(words, check=True, timeout=300)
    wrong = {
        module: name
        for module, name in named.items()
        if name not in SOURCE_ALONE and module not in _tops(tmp_path / name)
    }
    assert {} == wrong


def _tops(folder: Path) -> set[str]:
    [wheel] = folder.glob("*.whl")
    return {re.split(r"[/.]", name)[0] for name in zipfile.ZipFile(wheel).namelist()}
