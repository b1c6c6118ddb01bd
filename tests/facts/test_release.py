"""What a release has to know of the working tree, by real git."""

import pytest

from relogin import Alembic, Backend, EnvFile, Postgres, Secret, Source, Systemd
from relogin.facts import release, release_new
from relogin.facts.postgres_state import Target
from relogin.facts.release import SourceTree
from relogin.facts.release_state import Tree
from relogin.remote import Answer
from tests.facts import trees
from tests.facts.answers import SHELLS, run, run_alone
from tests.facts.trees import Trees, git


@pytest.fixture
def here(tmp_path) -> Trees:
    return trees.made(tmp_path, {"main.py": "1\n"})


def seen(trees: Trees, revision: str = "main", sh: tuple[str, ...] = ("sh",)) -> Tree:
    answer = run(release.tree_script(Source(str(trees.here)), revision), sh)
    return release.tree(answer.lines)


@pytest.mark.parametrize("sh", SHELLS)
def test_a_tree_that_is_at_its_remotes_head(here, sh):
    tree, head = seen(here, sh=sh), git(here.far, "rev-parse", "HEAD")
    assert (head, head, "refs/heads/main", True) == (tree.head, tree.wanted, tree.ref, tree.present)
    assert ("main", (), False, "") == (tree.branch, tree.dirty, tree.locked, tree.problem)
    assert tree.moved > 1e9


def test_a_commit_that_is_not_on_the_host_yet(here):
    new = here.commit({"main.py": "2\n"})
    for asked in ("main", new):
        tree = seen(here, asked)
        assert (new, False) == (tree.wanted, tree.present)
        assert tree.head != new


def test_a_tag_is_the_commit_that_it_names_and_comes_before_a_branch(here):
    first = git(here.far, "rev-parse", "HEAD")
    git(here.far, "tag", "-a", "v1", "-m", "x")
    new = here.commit({"main.py": "2\n"})
    git(here.far, "branch", "v1", new)
    assert (first, "refs/tags/v1") == (seen(here, "v1").wanted, seen(here, "v1").ref)


def test_a_branch_whose_name_only_ends_so_is_another_one(here):
    git(here.far, "branch", "other/main2")
    assert "" == seen(here, "main2").wanted


def test_what_was_changed_by_hand_is_told_and_what_git_does_not_track_is_not(here):
    (here.here / "main.py").write_text("3\n")
    (here.here / "notes.txt").write_text("mine\n")
    assert (" M main.py",) == seen(here).dirty


def test_a_lock_that_git_left_is_seen(here):
    (here.here / ".git/index.lock").touch()
    assert seen(here).locked


def test_a_remote_that_does_not_answer_is_said(here):
    git(here.here, "remote", "set-url", "origin", "/nosuch")
    tree = seen(here)
    assert tree.unfetched
    assert "" == tree.wanted


@pytest.mark.parametrize(("folder", "said"), [("nosuch", "is not there"), (".", "no git working")])
def test_a_folder_that_is_no_working_tree(tmp_path, folder, said):
    answer = run(release.tree_script(Source(str(tmp_path / folder)), "main"))
    assert said in release.tree(answer.lines).problem


def test_the_fact_works_alone(here):
    fact = SourceTree()
    (here.here / "main.py").write_text("3\n")
    told = fact.process(run_alone(fact.command(str(here.here))))
    head = git(here.far, "rev-parse", "HEAD")
    assert {"commit": head, "branch": "main", "changed": [" M main.py"]} == told


def test_what_is_under_way_comes_back_with_its_token(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = tmp_path / "relogin/mine/release"
    (place / "under-way").mkdir(parents=True)
    for name, text in {"from": "a", "to": "b", "steps": "one\ntwo\n", "token": "eyJx"}.items():
        (place / "under-way" / name).write_text(text)
    (place / "running").write_text("a 1795259233\n")
    (place / "backups").mkdir()
    (place / "backups/20261121T100000Z.dump").write_text("x")
    answers = {
        "tree": Answer(b"", 0),
        "room": Answer(b"left 1000 / /srv\nvenv 5\nlacking git\n", 0),
        "kept": run(release.kept_script(Backend("mine"))),
    }
    state = release.parse(answers)
    assert not isinstance(state, release.Unreadable)
    under_way = state.under_way
    assert under_way is not None
    assert ("a", "b", ("one", "two")) == (under_way.old, under_way.new, under_way.steps)
    assert under_way.token is not None
    assert "eyJx" == under_way.token.reveal()
    assert "eyJx" not in repr(state)
    assert ("a", 1) == (state.running, state.backups[0].size)
    assert ({"/srv": ("/", 1000)}, 5, ("git",)) == (
        state.room.left,
        state.room.venv,
        state.room.lacking,
    )


DOWN = {
    "undone": "def downgrade():\n    op.drop_column('a', 'b')\n",
    "passes": "def downgrade():\n    pass\n",
    "documented": 'def downgrade() -> None:\n    """Nothing.\n\n    More.\n    """\n    # pass\n',
    "raises": "def downgrade():\n    raise NotImplementedError('no')\n",
    "none": "",
}


@pytest.mark.parametrize(("kind", "lasts"), [(kind, kind != "undone") for kind in DOWN])
def test_a_migration_without_a_downgrade_lasts(tmp_path, kind, lasts):
    backend = Backend(
        "mine",
        service=Systemd("mine", working_directory="/srv/app/backend"),
        env_file=EnvFile("/srv/app/backend/.env", keys={}),
        database=Postgres(url=Secret.seen("postgresql://r@h/d")),
        migrations=Alembic("/srv/app/backend"),
    )
    versions = tmp_path / "stage/backend/migrations/versions"
    versions.mkdir(parents=True)
    (tmp_path / "stage/backend/alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    first = 'revision = "0001"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n\n\n'
    (versions / "a.py").write_text(first + DOWN["undone"])
    second = first.replace("None", '"0001"').replace('"0001"\nd', '"0002"  # x\nd')
    (versions / "b.py").write_text(second + DOWN[kind])
    parts = release_new.scripts(
        backend, Source("/srv/app"), str(tmp_path / "stage"), "a" * 40, Target("r", "d", 5432)
    )
    answers = {name: run(parts[name]) for name in ("files", "lasting")}
    known = {**answers, "own": Answer(b"", 0), "recorded": Answer(b"0001\n", 0)}
    new = release_new.parse(known)
    assert isinstance(new, release_new.NewRevision)
    assert (["0002"], ("0002",) if lasts else ()) == (
        [one.id for one in new.pending],
        new.lasting,
    )
    assert "0001" == new.undone


@pytest.mark.parametrize(
    ("first", "then", "held", "gone"),
    [
        (None, "A=2\n", (".env",), ()),
        ("A=1\n", None, (), (".env",)),
        ("A=1\n", "A=2\n", (".env",), ()),
        ("A=1\n", "A=1\n", (), ()),
        (None, None, (), ()),
    ],
)
def test_an_env_file_that_a_revision_brings_or_takes_away(tmp_path, first, then, held, gone):
    here = trees.made(tmp_path, {"main.py": "1\n", **({".env": first} if first else {})})
    (here.here / ".env").write_text("A=1\n")
    change = {} if first == then else {".env": then}
    new = here.commit({"main.py": "2\n", **change})
    git(here.here, "fetch", "-q")
    top = str(here.here)
    backend = Backend("mine", env_file=EnvFile(f"{top}/.env", keys={}))
    parts = release_new.scripts(backend, Source(top), f"{tmp_path}/stage", new, None)
    found = release_new.parse({name: run(script) for name, script in parts.items()})
    assert isinstance(found, release_new.NewRevision)
    assert (held, gone) == (found.env_files, found.gone)
