"""Units of users' own managers, found by a real shell in their folders."""

from pathlib import Path

import pytest

from relogin.facts import user_units
from tests.facts.answers import SHELLS, run


def looked(folder: Path, sh: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Look where these are the only users: one with a blank in the path, one without a home."""
    users = f"plain:x:1000:1000::{folder}/a home:/bin/sh\\nnobody:x:99:99::/:/bin/false\\n"
    passwd = f"getent() {{ printf '{users}'; }}"
    script = f"{passwd}\n{user_units.SCRIPT}\nunit=api.service; user_units"
    return user_units.parse(run(script, sh))


@pytest.mark.parametrize("sh", SHELLS)
@pytest.mark.parametrize("under", [".config/systemd/user", ".local/share/systemd/user"])
def test_a_unit_in_a_users_folder_is_found_with_its_user(tmp_path, sh, under):
    unit = tmp_path / "a home" / under / "api.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\n")
    (unit.parent / "other.service").write_text("[Service]\n")
    assert (("plain", str(unit)),) == looked(tmp_path, sh)


@pytest.mark.parametrize("sh", SHELLS)
def test_where_nobody_has_one_there_is_none(tmp_path, sh):
    assert () == looked(tmp_path, sh)


def test_what_was_not_asked_for_is_none():
    assert () == user_units.parse(None)
