"""Who can read an env file, judged on a recorded look; what is done about it, on real files."""

import os
from pathlib import Path

import pytest

from relogin import EnvFile, Severity, Systemd
from relogin.operations.env_file import FAULTS
from tests.operations.env_files import TEXT, described, seen, written
from tests.operations.looks import (
    ENV,
    KEYS,
    Edit,
    carried_out,
    changes,
    env,
    found,
    halext,
    look,
    said,
    text,
)
from tests.operations.undoing import taken_back


@pytest.mark.parametrize(
    ("mode", "owner", "user", "by_person"),
    [
        ("644", "halext|halext", "halext", False),
        ("644", "root|root", "", False),
        ("644", "root|halext", "halext", False),
        ("604", "root|halext", "halext", True),
        ("644", "root|root", "halext", True),
    ],
)
def test_rights_that_the_service_lives_on_are_not_taken_away(mode, owner, user, by_person):
    edits = (
        env("|600|halext|halext|", f"|{mode}|{owner}|"),
        text("service.show", "\nUser=halext\n", f"\nUser={user}\n"),
    )
    (finding,) = found(FAULTS, look(*edits))
    assert ("env_file.readable-by-others", by_person) == (finding.fault, finding.by_person)
    assert finding.severity is Severity.WARNING


def test_a_file_that_only_systemd_reads_may_be_roots_alone():
    edits = (env("|600|halext|halext|", "|644|root|root|"),)
    backend = halext(env_file=EnvFile(ENV, keys=KEYS, readers=("systemd",)))
    (finding,) = found(FAULTS, look(*edits), backend)
    assert not finding.by_person


def test_the_rights_of_others_are_taken_away_and_noted(folder):
    raw = TEXT.replace(b"true", b"false").replace(b"ACCESS_CODE=", b"ACCESS_CODE=x")
    file = written(folder, raw, mode=0o646)
    backend = described(file, ACCESS_CODE="x")
    (change,) = changes(FAULTS, seen(file), backend)
    assert 0 == carried_out(change).status
    assert 0o640 == file.stat().st_mode & 0o777
    assert [] == [one for one in found(FAULTS, seen(file), backend) if not one.by_person]
    assert [0] == [answer.status for answer in taken_back(backend)]
    assert 0o646 == file.stat().st_mode & 0o777


def test_a_mode_is_never_widened_whatever_it_was_at_the_look(folder):
    raw = TEXT.replace(b"true", b"false").replace(b"ACCESS_CODE=", b"ACCESS_CODE=x")
    file = written(folder, raw, mode=0o664)
    backend = described(file, ACCESS_CODE="x")
    (change,) = changes(FAULTS, seen(file), backend)
    file.chmod(0o600)
    carried_out(change)
    assert 0o600 == file.stat().st_mode & 0o777


def owned(mode: str, owner: str, user: str = "halext") -> tuple[Edit, Edit]:
    """Let the file have another owner, and the service run as somebody."""
    return (
        env("|600|halext|halext|999|997|", f"|{mode}|{owner}|"),
        text("service.show", "\nUser=halext\n", f"\nUser={user}\n"),
    )


ROOT = "root|root|0|0"


@pytest.mark.parametrize(
    ("mode", "owner"), [("600", ROOT), ("640", ROOT), ("600", "ada|halext|1|2")]
)
def test_a_file_that_the_backends_user_cannot_read_has_the_wrong_owner(mode, owner):
    (finding,) = found(FAULTS, look(*owned(mode, owner)))
    assert ("env_file.wrong-owner", True, False) == (
        finding.fault,
        finding.critical,
        finding.by_person,
    )
    assert f"halext, as whom the backend runs, cannot read {ENV}" == finding.what
    assert "owner halext" == finding.expected
    assert "it is given to halext, with the mode that it has" == finding.remedy


@pytest.mark.parametrize(
    ("mode", "owner", "user"),
    [
        ("600", "halext|halext|999|997", "halext"),
        ("600", "halext|halext|999|997", "999"),
        ("600", ROOT, "root"),
        ("600", ROOT, ""),
        ("640", "root|halext|0|997", "halext"),
        ("640", "root|www-data|0|33", "halext"),
    ],
)
def test_one_that_its_user_may_be_able_to_read_has_not(mode, owner, user):
    """Whether the user is in another group is not known: nothing is guessed."""
    assert [] == found(FAULTS, look(*owned(mode, owner, user)))


def test_a_file_that_systemd_alone_reads_may_be_roots():
    backend = halext(env_file=EnvFile(ENV, keys=KEYS, readers=("systemd",)))
    assert [] == found(FAULTS, look(*owned("600", ROOT)), backend)


def test_nothing_is_guessed_where_the_service_could_not_be_seen():
    assert [] == found(FAULTS, look(owned("600", ROOT)[0], said("service.show", "", 1)))


def test_a_declared_owner_who_is_not_the_backends_user_is_a_persons():
    backend = halext(env_file=EnvFile(ENV, keys=KEYS, owner="ada"))
    (finding,) = found(FAULTS, look(*owned("600", ROOT)), backend)
    assert (True, "declare halext as its owner, or let the backend run as ada") == (
        finding.by_person,
        finding.remedy,
    )


def given(folder: Path, mode: int) -> Path:
    """Give a real file in the place of the recorded one to nobody, as whom the backend runs."""
    file = written(folder, mode=mode)
    os.chown(file, 0, 0)
    backend = halext(env_file=EnvFile(str(file), keys=KEYS))
    edit = env("|600|halext|halext|999|997|", f"|{mode:o}|{ROOT}|")
    place = text("env_0", f"\n{ENV}\n", f"\n{file}\n")
    user = text("service.show", "\nUser=halext\n", "\nUser=nobody\n")
    (change,) = changes(FAULTS, look(edit, place, user, backend=backend), backend)
    answer = carried_out(change)
    assert (0, b"") == (answer.status, answer.text)
    return file


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(("mode", "group"), [(0o600, "nogroup"), (0o640, "root")])
def test_it_is_given_to_the_backends_user_and_nobody_else_comes_to_read_it(folder, mode, group):
    file = given(folder, mode)
    status = file.stat()
    assert ("nobody", group, mode) == (file.owner(), file.group(), status.st_mode & 0o777)
    assert TEXT == file.read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_whose_it_was_is_noted(folder):
    file = given(folder, 0o600)
    assert [0] == [answer.status for answer in taken_back(described(file))]
    assert (0, 0) == (file.stat().st_uid, file.stat().st_gid)


@pytest.mark.parametrize(("groups", "found_"), [("997 42", []), ("997", ["wrong-owner"])])
def test_a_user_reads_by_each_of_its_groups(groups, found_):
    edits = (
        env("|600|halext|halext|999|997|", "|640|root|secrets|0|42|"),
        text("service.show", "Id=halext-api.service", f"Groups={groups}\nId=halext-api.service"),
    )
    assert [f"env_file.{name}" for name in found_] == [
        one.fault for one in found(FAULTS, look(*edits))
    ]


def test_the_declared_user_is_asked_for_and_not_the_wrong_one_of_this_moment():
    backend = halext(service=Systemd("halext-api", user="halext"))
    edits = (text("service.show", "\nUser=halext\n", "\nUser=nobody\n"),)
    assert [] == found(FAULTS, look(*edits), backend)
    (finding,) = found(FAULTS, look(*edits))
    assert finding.what.startswith("nobody, as whom the backend runs, cannot read")
