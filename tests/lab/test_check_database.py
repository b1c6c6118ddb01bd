"""The databases of healthy backends in the lab: a check finds nothing, and changes nothing."""

import shutil
from pathlib import Path

import pytest

from tests.lab.backends.places import PLACES
from tests.lab.backends.product import SECRETS
from tests.lab.host import Host
from tests.lab.inventory import by
from tests.lab.product import REPOSITORY, Ran, pyinfra

pytestmark = pytest.mark.lab
CHECK = ("deploys/check_database.py", "--dry")
SOUND = "the database is sound; nothing was changed"


def sound(ran: Ran) -> list[str]:
    """Give what the verdict's lines begin with that call a database sound."""
    return sorted(line.partition(": ")[0] for line in ran.verdict.splitlines() if SOUND in line)


def test_nothing_is_wrong_with_the_examples_database(lab: list[Host]) -> None:
    ran = pyinfra([lab[0]], *CHECK)
    assert 0 == ran.code, ran.output
    assert [f"{lab[0].name} · halext"] == sound(ran), ran.output
    assert [] == ran.section("What could not be seen")


def test_nothing_is_wrong_with_the_database_of_any_other_backend(
    tmp_path: Path, many: Host
) -> None:
    names = [place.backend for place in PLACES]
    data = tmp_path / "group_data"
    data.mkdir()
    for name in names:
        shutil.copy(REPOSITORY / "inventories/group_data" / f"{name}.py", data)
    (tmp_path / "desk.pem").write_text(many.root("cat /etc/nginx/desk.crt"))
    inventory = tmp_path / "hosts.py"
    inventory.write_text("".join(f"{name} = [\n{by(many).line()}]\n" for name in names))
    groups = ("--group-data", str(data))
    ran = pyinfra([], *groups, *CHECK, inventory=str(inventory), secrets=SECRETS)
    assert 0 == ran.code, ran.output
    assert len(names) == len(sound(ran)), ran.output
    assert "What could not be seen" not in ran.verdict, ran.verdict
