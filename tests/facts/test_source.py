"""What is found in a backend's folder: only places of code leave the host, never its text."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from relogin import Backend, EnvFile, FromEnv, Jwt, Secret, Supervisor, Systemd, Venv
from relogin.facts import source
from relogin.facts.source import Fallbacks, Source
from tests.facts.answers import SHELLS, run, run_alone

has_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


@pytest.fixture(params=SHELLS)
def sh(request) -> tuple[str, ...]:
    return request.param  # type: ignore[no-any-return]


def described(folder: Path, *names: str, **changed: object) -> Backend:
    keys = {"SECRET_KEY": Secret.kept(), "CODE": Secret.kept()}
    fields: dict[str, object] = {
        "service": Systemd("mine", working_directory=str(folder)),
        "env_file": tuple(EnvFile(f"{folder}/{name}", keys=keys) for name in names or (".env",)),
        "token": Jwt(secret=FromEnv("SECRET_KEY")),
    }
    return Backend("mine", **{**fields, **changed})  # type: ignore[arg-type]


def look(backend: Backend, sh: tuple[str, ...] = ("sh",)) -> tuple[Source, str]:
    folder = source.directory(backend)
    assert folder is not None
    answer = run(source.script(backend, folder), sh)
    return source.parse(folder, answer), answer.text.decode()


@pytest.mark.parametrize(
    "line",
    [
        'SECRET_KEY = os.getenv("SECRET_KEY", "canary-in-code")',
        "SECRET_KEY = os.environ.get('SECRET_KEY', 'canary-in-code')",
        'os.environ.setdefault("SECRET_KEY", "canary-in-code")',
        'SECRET_KEY = config("SECRET_KEY", default="canary-in-code")',
        'SECRET_KEY = env.str("SECRET_KEY", default="canary-in-code")',
        'SECRET_KEY = os.getenv("SECRET_KEY") or "canary-in-code"',
        'key = os.environ["SECRET_KEY"] or "canary-in-code"',
        'secret = settings.secret_key or "canary-in-code"',
        'SECRET_KEY = "canary-in-code"',
        'SECRET_KEY: str = "canary-in-code"',
        '    secret_key: str = "canary-in-code"',
        '    secret_key: Optional[str] = Field(default="canary-in-code")',
        '    secret_key: SecretStr = SecretStr("canary-in-code")',
        '    secret_key: SecretStr = Field(default=SecretStr("canary-in-code"))',
    ],
)
def test_a_value_that_is_written_into_the_code_is_found_with_its_line(tmp_path, sh, line):
    (tmp_path / "app").mkdir()
    (tmp_path / "app/settings.py").write_text(f"import os\n\n{line}\n")
    found, said = look(described(tmp_path), sh)
    assert ("app/settings.py:3",) == found.fallbacks
    assert "canary" not in said


@pytest.mark.parametrize(
    "line",
    [
        'SECRET_KEY = os.getenv("SECRET_KEY")',
        'SECRET_KEY = os.environ["SECRET_KEY"]',
        'SECRET_KEY = os.getenv("SECRET_KEY", "")',
        'SECRET_KEY = os.getenv("SECRET_KEY") or secrets.token_hex(32)',
        'SECRET_KEY = ""',
        'for name in ("SECRET_KEY", "DATABASE_URL"):',
        '# SECRET_KEY = "an example"',
        'OTHER = os.getenv("OTHER", "x")',
        'SECRET_KEY_FALLBACKS = ["x"]',
        "    secret_key: str",
        "    secret_key: str = Field(...)",
        '    secret_key: SecretStr = SecretStr("")',
        'jwt.encode(claims, SECRET_KEY, algorithm="HS256")',
        '    secret_key = "of-the-object-store"',
    ],
)
def test_what_only_reads_the_environment_is_none(tmp_path, sh, line):
    (tmp_path / "main.py").write_text(line + "\n")
    assert () == look(described(tmp_path), sh)[0].fallbacks


@pytest.mark.parametrize(
    "place",
    [
        *("tests/conftest.py", "test_main.py", "conftest.py", ".tox/a.py", "node_modules/x/a.py"),
        *("venv/lib/a.py", "lib/site-packages/a.py", "main.pyc", "readme.md", "a/b/c/d/e/f.py"),
    ],
)
def test_what_is_not_the_backend_s_own_code_does_not_count(tmp_path, sh, place):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('SECRET_KEY = "for tests"\n')
    assert Source(str(tmp_path)) == look(described(tmp_path), sh)[0]


def test_other_files_of_a_declared_one_s_name_are_read_and_the_declared_one_is_not(tmp_path, sh):
    (tmp_path / "two words").mkdir()
    (tmp_path / ".env").write_text("SECRET_KEY=declared-one\n")
    (tmp_path / "two words/.env").write_text("\ufeffSECRET_KEY='canary-other'\nCODE=1\n")
    (tmp_path / ".env.example").write_text("SECRET_KEY=x\n")
    (tmp_path / "a-link").symlink_to(tmp_path)
    found, said = look(described(tmp_path), sh)
    expected = {f"{tmp_path}/two words/.env": {"SECRET_KEY": "canary-other", "CODE": "1"}}
    assert expected == found.others
    assert "canary" not in said + str(found)
    assert {} == look(described(tmp_path, ".env", "two words/.env"), sh)[0].others


@has_git
def test_a_file_that_git_tracks_is_told_with_its_repository(tmp_path, sh):
    top = tmp_path / "it's a repository"
    (top / "backend").mkdir(parents=True)
    (top / "backend/.env").write_text("A=1\n")
    (top / "backend/prod.env").write_text("A=1\n")
    for words in (["init", "-q"], ["add", "backend/.env"]):
        subprocess.run(["git", "-C", str(top), *words], check=True)
    backend = described(top / "backend", ".env", "prod.env", "nosuch")
    assert {f"{top}/backend/.env": str(top)} == look(backend, sh)[0].tracked


@has_git
def test_nothing_of_a_repository_is_run_but_by_its_owner(tmp_path):
    """Its configuration names programs that git would run: core.fsmonitor is one."""
    (tmp_path / ".env").write_text("A=1\n")
    for words in (["init", "-q"], ["add", ".env"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\nid -un >{tmp_path}/ran; printf '/\\0'\n")
    hook.chmod(0o755)
    config = ["config", "core.fsmonitor", str(hook)]
    subprocess.run(["git", "-C", str(tmp_path), *config], check=True)
    assert [str(tmp_path / ".env")] == list(look(described(tmp_path))[0].tracked)
    assert not (tmp_path / "ran").exists()


@has_git
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_repository_of_somebody_else_is_asked_as_that_one(tmp_path):
    top = tmp_path / "theirs"
    top.mkdir()
    for parent in (top, *top.parents[:3]):
        parent.chmod(0o755)
    (top / ".env").write_text("A=1\n")
    for words in (["init", "-q"], ["add", ".env"]):
        subprocess.run(["git", "-C", str(top), *words], check=True)
    subprocess.run(["chown", "-R", "nobody", str(top)], check=True)
    assert {f"{top}/.env": str(top)} == look(described(top))[0].tracked


def test_a_link_that_git_tracks_gives_no_secret_away(tmp_path, sh):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".env").symlink_to("/nosuch")
    assert {} == look(described(tmp_path), sh)[0].tracked


def test_where_time_ran_out_that_is_said():
    body = source.script(described(Path("/tmp")), "/tmp")
    answer = run(f"within() {{ return 124; }}\n{body}")
    assert not source.parse("/tmp", answer).complete


def test_a_folder_that_is_not_there_is_no_fault(tmp_path):
    assert Source(f"{tmp_path}/nosuch") == look(described(tmp_path / "nosuch"))[0]


@pytest.mark.parametrize(
    ("changed", "folder"),
    [
        ({}, "/srv/mine"),
        ({"service": Supervisor("mine"), "venv": Venv("/srv/mine/env")}, "/srv/mine"),
        ({"service": Supervisor("mine")}, None),
        ({"service": Systemd("mine")}, None),
        ({"service": Systemd("mine", working_directory="/srv/")}, None),
        ({"service": Systemd("mine", working_directory="/")}, None),
        ({"service": Systemd("mine", working_directory="/srv/mine/")}, "/srv/mine"),
    ],
)
def test_only_a_folder_that_is_the_backend_s_own_is_looked_through(changed, folder):
    assert folder == source.directory(described(Path("/srv/mine"), **changed))


def test_the_fact_works_alone(tmp_path):
    (tmp_path / "main.py").write_text('KEY = os.getenv("KEY", "canary")\n')
    fact = Fallbacks()
    lines = run_alone(fact.command(str(tmp_path), "KEY"))
    assert ["main.py:1"] == fact.process(lines)
    assert "canary" not in "".join(lines)
