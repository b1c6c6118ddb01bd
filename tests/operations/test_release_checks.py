"""The ten checks before a release: each refuses what it has to, and says what it saw."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from relogin import Backup, EnvFile, Secret, Source, Unreadable
from relogin.facts import release_state
from relogin.facts.observation import Observation
from relogin.facts.proof import Check, Proof
from relogin.facts.release_state import ReleaseState, Room, Tree, UnderWay
from relogin.operations import release_checks

from .looks import ENV, HOST_CLOCK, KEYS, ROOT, halext, look, psql, said, stopped, without

OLD, NEW = "a" * 40, "b" * 40
TREE = Tree(head=OLD, owner="halext", branch="main", moved=1.0, wanted=NEW, ref="refs/heads/main")
ROOM = Room({"/srv": ("/", 900_000)}, venv=90_000, database=9_000)
STATE = ReleaseState(TREE, room=ROOM)
HALEXT = halext(source=Source(ROOT))
NAMES = [
    *("directory", "engine", "env file", "keys", "volumes", "disk", "database", "backup"),
    *("login", "source"),
]


def proof(*, works: bool = True, signature: bool = True) -> Proof:
    said = Check("login", works, "ops logged in" if works else "POST /token: 401")
    checks = (said, Check("signature", signature, "signature"))
    return Proof("ops", "http://127.0.0.1/token", checks)


def seen(*edits: Any, **more: Any) -> Observation:
    return dataclasses.replace(look(*edits), **{"login": proof(), **more})


def refused(
    seen: Observation, state: ReleaseState = STATE, backend: Any = HALEXT, **flags: bool
) -> dict[str, str]:
    """Give what each check that refuses says."""
    checks = release_checks.checked(backend, seen, state, **flags)
    assert NAMES == [check.name for check in checks]
    return {check.name: check.said for check in release_checks.refused(checks)}


def tree(**more: Any) -> ReleaseState:
    return dataclasses.replace(STATE, tree=dataclasses.replace(TREE, **more))


def test_a_healthy_host_may_be_released_on():
    assert {} == refused(seen())


@pytest.mark.parametrize(
    ("look", "name", "words"),
    [
        (lambda: seen(without("ACCESS_CODE")), "keys", "ACCESS_CODE"),
        (lambda: seen(login=proof(signature=False)), "keys", "everybody would be logged out"),
        (lambda: seen(login=proof(works=False)), "login", "401"),
        (lambda: seen(login=None), "login", "could not be proven"),
        (lambda: seen(postgres=Unreadable("it is down")), "database", "it is down"),
        (lambda: seen(psql("server", "role", can_login=False)), "database", "may not log in"),
        (lambda: seen(said("env_0", "none")), "env file", "does not exist"),
        (lambda: seen(service=Unreadable("no systemd")), "engine", "no systemd"),
    ],
)
def test_what_is_wrong_with_the_backend_is_refused(
    look: Callable[[], Observation], name: str, words: str
):
    said = refused(look())
    assert name in said, said
    assert words in said[name]


@pytest.mark.parametrize(
    ("state", "name", "words"),
    [
        (tree(problem="/srv is no git working tree"), "directory", "no git working tree"),
        (tree(dirty=(" M main.py",)), "source", "changed on the host: main.py"),
        (tree(locked=True), "source", "index.lock"),
        (tree(wanted=""), "source", "neither the remote's branches nor its tags"),
        (tree(wanted="", unfetched="no route"), "source", "no route"),
        (dataclasses.replace(STATE, running=NEW), "source", "but the last release left bbbbbbb"),
        (
            dataclasses.replace(STATE, room=Room({"/srv": ("/", 300_000)}, 90_000, 9_000)),
            "disk",
            "292 MB left on /",
        ),
        (
            dataclasses.replace(STATE, room=dataclasses.replace(ROOM, lacking=("pg_dump",))),
            "directory",
            "not installed on the host: pg_dump",
        ),
    ],
)
def test_what_is_wrong_with_the_tree_or_the_room_is_refused(state, name, words):
    said = refused(seen(), state)
    assert [name] == list(said), said
    assert words in said[name]


def test_a_jwt_secret_that_is_declared_as_another_one_is_refused():
    file = EnvFile(ENV, keys={**KEYS, "SECRET_KEY": Secret.seen("another-one-" * 6)})
    said = refused(seen(), backend=halext(source=Source(ROOT), env_file=file))
    assert ["keys"] == list(said)
    assert "everybody would be logged out" in said["keys"]
    assert "another-one" not in said["keys"]


def test_a_backend_outside_of_its_source_is_refused():
    assert ["directory"] == list(refused(seen(), backend=halext(source=Source("/srv/elsewhere"))))


def test_where_the_release_is_the_repair_a_broken_login_is_let_be():
    assert {} == refused(seen(login=proof(works=False)), repair=True)
    moved = dataclasses.replace(STATE, running=NEW)
    assert {} == refused(seen(), moved, repair=True)
    assert ["source"] == list(refused(seen(), tree(dirty=(" M main.py",)), repair=True))


def test_what_a_killed_release_has_left_does_not_stand_in_its_way():
    state = dataclasses.replace(
        tree(dirty=(" M main.py",), locked=True), under_way=UnderWay("r", OLD, NEW, "forward")
    )
    assert {} == refused(seen(stopped, login=proof(works=False)), state)


def test_a_backup_of_today_is_named_and_an_old_one_is_not():
    recent = release_state.Backup("/x/recent.dump", HOST_CLOCK - 3 * 3600, 9)
    old = release_state.Backup("/x/old.dump", HOST_CLOCK - 30 * 3600, 9)
    for backups, words in (((recent, old), "/x/recent.dump, 3 h old"), ((old,), "one is taken")):
        state = dataclasses.replace(STATE, backups=backups)
        checks = release_checks.checked(HALEXT, seen(), state)
        assert words in next(check.said for check in checks if check.name == "backup")


@pytest.mark.parametrize(
    ("declared", "said"), [({}, "all are kept"), ({"backup": Backup(keep=7)}, "the newest 7 are")]
)
def test_what_the_backups_take_and_what_becomes_of_them_is_said(declared, said):
    backups = tuple(release_state.Backup(f"/x/{n}.dump", 0.0, 2_500_000) for n in (1, 2))
    state = dataclasses.replace(STATE, backups=backups)
    checks = release_checks.checked(halext(source=Source(ROOT), **declared), seen(), state)
    told = next(check.said for check in checks if check.name == "backup")
    assert f"; 2 on the host take 5.0 MB, {said}" in told


def test_without_an_administrator_the_backends_own_url_has_to_do():
    declared = HALEXT.database
    assert declared is not None
    backend = dataclasses.replace(HALEXT, database=dataclasses.replace(declared, admin=None))
    unseen = seen(postgres=Unreadable("no administrator"))
    assert {} == refused(unseen, backend=backend)
    nobody = dataclasses.replace(STATE, room=dataclasses.replace(ROOM, database=0))
    assert "does not get in" in refused(unseen, nobody, backend)["database"]
    lost = dataclasses.replace(unseen, env_files=())
    assert "has no value" in refused(lost, backend=backend)["database"]
