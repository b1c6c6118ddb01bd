"""With which JWT secret a fetched revision would start a unit, by real git."""

import pytest

from relogin import Backend, EnvFile, FromEnv, Jwt, Secret, Source, Systemd
from relogin.facts import release_secret
from relogin.facts.observation import Observation
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.operations import release_tree, release_unfit
from tests.facts import trees
from tests.facts.answers import SHELLS, run
from tests.facts.trees import Trees, git

UNIT = "[Service]\nEnvironment=KEY=first-one\n"
FIRST: dict[str, str | None] = {
    "unit/mine.service": UNIT,
    "jwt.env": "KEY=first-one\nOTHER=1\n",
    "main.py": "1\n",
}


@pytest.fixture
def here(tmp_path) -> Trees:
    found = trees.made(tmp_path, FIRST)
    (found.here / ".env").write_text("KEY=not-tracked\n")
    return found


def changing(here: Trees, files: dict[str, str | None], sh: tuple[str, ...] = ("sh",)) -> str:
    """Give what is said of a new revision with these files."""
    top = here.here
    new = here.commit(
        {name: text and text.replace("TOP", str(top)) for name, text in files.items()}
    )
    git(top, "fetch", "-q")
    stage = top.parent / "stage"
    git(top, "worktree", "add", "-q", "--detach", str(stage), new)
    backend = Backend(
        "mine",
        service=Systemd("mine", working_directory=str(top)),
        env_file=EnvFile(f"{top}/.env", keys={"KEY": Secret.kept()}),
        token=Jwt(secret=FromEnv("KEY")),
    )
    state = ServiceState(
        "mine.service", exists=True, active=True, state="active", environ={"KEY": "first-one"},
        fragment=f"{top}/unit/mine.service", environment_files=(f"{top}/jwt.env", f"{top}/.env"),
    )  # fmt: skip
    before = Observation(machine=Unreadable("not asked"), service=state)
    script = release_secret.asked(backend, Source(str(top)), str(stage), new, before)
    found = release_secret.parse(backend, run(script, sh))
    assert not isinstance(found, Unreadable), found
    return release_unfit.new_secret(backend, before, found)


@pytest.mark.parametrize("sh", SHELLS)
@pytest.mark.parametrize(
    ("files", "where"),
    [
        ({"jwt.env": "KEY=second\nOTHER=1\n"}, "jwt.env"),
        ({"jwt.env": None}, "jwt.env"),
        ({"unit/mine.service": "[Service]\nEnvironment=KEY=second\n"}, "unit/mine.service"),
        ({"unit/mine.service": "[Service]\nEnvironment=A=1 KEY=first-one\n"}, "unit/mine.service"),
        ({"unit/mine.service": f"{UNIT}EnvironmentFile=-TOP/.env\n"}, "unit/mine.service"),
    ],
    ids=["an env file", "an env file gone", "the unit", "said otherwise", "one more env file"],
)
def test_another_secret_in_a_units_own_files_is_found_and_not_told(here, files, where, sh):
    said = changing(here, files, sh)
    assert f"sets another KEY in {where}" in said
    assert "everybody would be logged out" in said
    assert "second" not in said


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "2\n"},
        {"jwt.env": "# of ours\nKEY=first-one\nOTHER=2\nMY_KEY=3\n"},
        {"unit/mine.service": f"{UNIT}Restart=always\n# KEY\nEnvironmentFile=-/nosuch\n"},
    ],
    ids=["the code", "other keys", "other settings"],
)
def test_other_changes_are_let_be(here, files):
    assert "" == changing(here, files)


def test_what_git_does_not_track_lies_linked_in_the_stage(here, tmp_path):
    """A folder that both have is gone into; nothing that the revision has itself is covered."""
    top, stage = here.here, tmp_path / "stage"
    (top / "env").mkdir()
    (top / "env/pyvenv.cfg").write_text("mine\n")
    (top / "more").mkdir()
    (top / "more/secret file.env").write_text("KEY=x\n")
    (top / "more/new.yml").write_text("old\n")
    new = here.commit({"more/new.yml": "new\n", "jwt.env": None})
    git(top, "fetch", "-q")
    git(top, "worktree", "add", "-q", "--detach", str(stage), new)
    run(f'{release_tree.git.functions(str(top))}stage="{stage}"\n{release_secret._LINKED}')
    assert top / ".env" == (stage / ".env").readlink()
    assert top / "env" == (stage / "env").readlink()
    assert "KEY=x\n" == (stage / "more/secret file.env").read_text()
    assert "new\n" == (stage / "more/new.yml").read_text()
    assert not (stage / "jwt.env").exists()
