"""What a host has of what a backend needs: asked of this machine, and of others in words."""

import getpass
import subprocess
from pathlib import Path

import pytest

from relogin import (
    AdminUrl,
    Backend,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Onboard,
    Postgres,
    ProfileError,
    Secret,
    Source,
    Systemd,
    Unreadable,
    Venv,
)
from relogin.facts import bare
from relogin.facts.bare import Bare
from relogin.remote import Answer
from tests.facts.answers import SHELLS, run, run_alone


def backend(here: Path, **more: object) -> Backend:
    declared = {"service": Systemd("mine", working_directory=str(here)), "onboard": Onboard()}
    return Backend("mine", **(declared | more))


def asked(one: Backend, sh: tuple[str, ...] = ("sh",)) -> Bare:
    answer = bare.parse(run(bare.script(one), sh))
    assert isinstance(answer, Bare)
    return answer


@pytest.mark.parametrize("sh", SHELLS)
def test_who_we_are_and_what_room_there_is(tmp_path, sh):
    seen = asked(backend(tmp_path / "none/deep"), sh)
    assert getpass.getuser() == seen.user
    assert {"/", "/var/lib", str(tmp_path)} == {*seen.room}
    assert all(left > 0 for left in seen.room.values())
    machine = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True)
    assert machine.stdout.strip() == seen.arch


@pytest.mark.parametrize(
    ("made", "code"),
    [((), "none"), (("",), "empty"), (("", "x"), "files"), (("", ".git/"), "git")],
)
def test_what_lies_where_the_working_tree_belongs(tmp_path, made, code):
    for name in made:
        path = tmp_path / "it's" / name
        path.mkdir(exist_ok=True) if name in {"", ".git/"} else path.touch()
    declared = backend(tmp_path, source=Source(str(tmp_path / "it's")))
    assert code == asked(declared).code.partition(" ")[0]


def test_folders_that_the_tree_does_not_bring_are_missing_one_by_one(tmp_path):
    (tmp_path / "etc").mkdir()
    root = tmp_path / "app"
    files = [EnvFile(f"{tmp_path}/{one}/.env") for one in ("etc", "other", "app/sub")]
    declared = backend(root, env_file=files, source=Source(str(root)))
    assert (str(root), f"{tmp_path}/other") == asked(declared).lacking


def test_a_user_and_a_package_that_are_not_there(tmp_path):
    own = Onboard(packages=["libnot-there0", "base-files"], user="nobody-there")
    seen = asked(backend(tmp_path, onboard=own))
    assert ("nobody-there",) == seen.strangers
    assert "libnot-there0" in seen.missing
    known = subprocess.run(["dpkg-query", "-W", "base-files"], capture_output=True, check=False)
    assert ("base-files" in seen.missing) is (known.returncode != 0)


def test_the_packages_are_those_that_the_description_asks_for():
    url = DatabaseUrl(user="u", database="d")
    database = Postgres(url=FromEnv("URL"))
    known = {
        "env_file": EnvFile("/srv/x/.env", keys={"URL": url}),
        "database": database,
        "venv": Venv("/srv/x/env", python="/usr/bin/python3.12"),
        "source": Source("/srv/x"),
        "service": Systemd("x", needs=["nginx"]),
    }
    here = Backend("x", **known, onboard=Onboard(packages="libpq5"))
    assert ["python3.12-venv", "postgresql", "git", "nginx", "libpq5"] == [*bare.packages(here)]
    far = EnvFile(
        "/srv/x/.env", keys={"URL": DatabaseUrl(user="u", database="d", host="db.example")}
    )
    by_url = Postgres(url=FromEnv("URL"), admin=AdminUrl(Secret.env("ADMIN")))
    there = Backend("x", env_file=far, database=by_url)
    assert ["postgresql-client"] == [*bare.packages(there)]
    assert [] == [*bare.packages(Backend("x", env_file=far, database=database))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("server_name other.example a.example;", True),
        ("server_name a.example other;", True),
        ("server_name aaexample;", False),
        ("server_name a.example.org;", False),
        ("server_name xa.example;", False),
    ],
)
def test_a_server_name_is_looked_for_as_it_is(tmp_path, text, found):
    place = tmp_path / "nginx"
    place.mkdir()
    (place / "site").write_text(f"server {{ {text} }}\n")
    declared = backend(tmp_path, onboard=Onboard(server_name="a.example"))
    script = bare.script(declared).replace("/etc/nginx/sites-enabled", str(place))
    answer = bare.parse(run(script))
    assert isinstance(answer, Bare)
    assert (() if found else ("a.example",)) == answer.unnamed


def test_another_distribution_s_words():
    lines = b"uid\t0\nuser\tada\nid\tubuntu\nlike\tdebian\nos\tUbuntu 24.04 LTS\napt\tyes\narch\tx"
    seen = bare.parse(Answer(lines, 0))
    assert Bare(0, "ada", "x", os="Ubuntu 24.04 LTS", debian=True) == seen
    assert isinstance(bare.parse(Answer(b"", 0)), Unreadable)


def test_which_packages_are_missing_can_be_asked_alone():
    fact = bare.Packages()
    lines = run_alone(fact.command(["libnot-there0", "git"]))
    assert ["libnot-there0"] == fact.process(lines)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"packages": ["x; reboot"]}, "is no package's name"),
        ({"server_name": "a b"}, "is no name of a host"),
        ({"server_name": "a;b"}, "is no name of a host"),
        ({"upstream": "http://127.0.0.1:8000/x;"}, "is not http://HOST"),
        ({"user": "a:b"}, "is not a user's name"),
        ({"pakages": ["x"]}, "did you mean 'packages'"),
    ],
)
def test_what_could_not_be_installed_or_served_is_refused_as_it_loads(fields, said):
    with pytest.raises(ProfileError, match=said):
        Onboard(**fields)
