"""`relogin check`: every mistake of a description is told at once, and nothing is connected to."""

import json
from pathlib import Path

import jsonschema
import pytest

from relogin.report.files import schema
from tests.command.folder import Folder

INVENTORY = "web = ['web1.invalid', 'web2.invalid']\nshop = ['web2.invalid']\n"
SOUND = """\
from relogin import Backend, EnvFile, Secret

{name} = Backend("{name}", env_file=EnvFile("/srv/{name}/.env", keys={keys}))
"""


@pytest.fixture
def described(folder: Folder) -> Folder:
    """Two groups of hosts that nobody can reach; `web` has a sound description."""
    (folder.home / "inventory.py").write_text(INVENTORY)
    write(folder, "web")
    return folder


def write(folder: Folder, group: str, text: str = SOUND, keys: str = "{'MODE': 'live'}") -> Path:
    (folder.home / "group_data").mkdir(exist_ok=True)
    path = folder.home / f"group_data/{group}.py"
    path.write_text(text.replace("{name}", group).replace("{keys}", keys))
    return path


def checked(folder: Folder, *words: str, **environ: str) -> tuple[int, list[str]]:
    done = folder.run("check", "inventory.py", *words, **environ)
    assert "" == done.stderr
    return done.returncode, done.stdout.splitlines()


def test_sound_descriptions_are_0_and_no_host_is_asked(described: Folder) -> None:
    expected = ["  web: web1.invalid, web2.invalid", "no mistake; nothing was connected to"]
    assert (0, expected) == checked(described)
    assert not (described.home / "state").exists()


WRONG = """\
from relogin import *

shop = Backend(
    "shop",
    env_file=EnvFile("relative/.env", keys={}),
    database=Postgres(url=FromEnv("DATABASE_URL"), schema=""),
    login=Login("htp://127.0.0.1/token", acount="ops"),
    token=Jwt(secret=FromEnv("NOWHERE")),
)
"""


def test_every_mistake_is_one_line_with_its_file_and_line_and_ends_with_64(described) -> None:
    shop = write(described, "shop", WRONG)
    broken = write(described, "broken", "def (:\n")
    raising = write(described, "raising", "\n1 / 0\n")

    code, lines = checked(described)

    assert 64 == code
    assert [
        f"✗ {broken}:1: SyntaxError: invalid syntax",
        f"✗ {raising}:2: ZeroDivisionError: division by zero",
        f"✗ {shop} line 5: EnvFile: 'relative/.env' is not an absolute path",
        f"✗ {shop} line 6: Postgres: schema is '', expected a text",
        f"✗ {shop} line 7: Login has no field 'acount'; did you mean 'account'?",
        "  web: web1.invalid, web2.invalid",
        "5 mistakes; nothing was connected to",
    ] == lines


def test_what_follows_from_a_mistake_is_not_told_with_it(described: Folder) -> None:
    """The key is in the env file that was not made, and the file's own code uses that."""
    text = WRONG.replace(', schema=""', "").replace("    login=", "    # login=")
    shop = write(described, "shop", text + "print(shop.env_file.keys)\n")

    _, lines = checked(described)

    mistakes = [line for line in lines if line.startswith("✗")]
    assert [f"✗ {shop} line 5: EnvFile: 'relative/.env' is not an absolute path"] == mistakes


def test_the_same_mistakes_end_any_other_command_with_64(described: Folder) -> None:
    write(described, "shop", WRONG)
    assert 64 == described.run("diagnose", "inventory.py").returncode


def test_two_groups_that_a_host_has_one_variable_of_are_a_mistake(described: Folder) -> None:
    write(described, "shop", SOUND.replace("{name} =", "web ="))
    code, lines = checked(described)
    assert (64, 1) == (code, sum(line.startswith("✗") for line in lines))
    assert "✗ web2.invalid: web is declared by group web and by group shop" in lines[0]


def test_a_description_of_no_host_is_judged_and_said(described: Folder) -> None:
    write(described, "weeb")
    code, lines = checked(described)
    assert 0 == code
    assert "  no host of this inventory is in the group: weeb" in lines


SOURCES = (
    "{'A': Secret.env('IN_ENVIRONMENT'), 'B': Secret.env('IN_DOTENV'), 'C': Secret.env('GONE'),"
    " 'D': Secret.file('code.txt'), 'E': Secret.file('nosuch.txt'), 'F': Secret.generated(),"
    " 'G': Secret.command('touch asked; echo canary-6f1d-of-g'),"
    " 'H': Secret.command('nosuchtool -d x'), 'I': Secret.command('! true')}"
)


@pytest.fixture
def with_sources(described: Folder) -> Folder:
    write(described, "web", keys=SOURCES)
    (described.home / ".env").write_text("IN_DOTENV=canary-6f1d-of-b\n")
    (described.home / "code.txt").write_text("canary-6f1d-of-d\n")
    return described


GONE = [
    "! web: Secret.env('GONE') has no value: set it in the environment or in {home}/.env",
    "! web: Secret.file('nosuch.txt') has no value: the file is missing, empty or not readable"
    " on this machine",
    "! web: Secret.command('nosuchtool -d x') has no value: there is no command 'nosuchtool' here",
]


def test_missing_sources_are_told_without_asking_for_any_value(with_sources: Folder) -> None:
    code, lines = checked(with_sources, IN_ENVIRONMENT="canary-6f1d-of-a")
    assert 0 == code
    assert [one.format(home=with_sources.home) for one in GONE] == [
        line for line in lines if line.startswith("!")
    ]
    assert "no mistake, 3 missing on this machine; nothing was connected to" == lines[-1]
    assert not (with_sources.home / "asked").exists()


def test_asked_for_the_values_themselves_a_missing_one_ends_with_1(with_sources: Folder) -> None:
    code, lines = checked(with_sources, "--secrets", IN_ENVIRONMENT="canary-6f1d-of-a")
    assert (1, 4) == (code, sum(line.startswith("!") for line in lines))
    assert (with_sources.home / "asked").exists()
    assert "canary" not in "\n".join(lines)


def test_a_value_that_no_reader_can_carry_ends_with_1_where_values_are_asked_for(described) -> None:
    write(described, "web", keys="{'CODE': Secret.env('CODE')}")
    assert 0 == checked(described, CODE="${canary-6f1d}")[0]
    code, lines = checked(described, "--secrets", CODE="${canary-6f1d}")
    assert 1 == code
    assert "no form of the value is read alike" in lines[0]
    assert "canary" not in "\n".join(lines)


def test_as_json_it_fits_its_schema(with_sources: Folder) -> None:
    write(with_sources, "shop", WRONG)
    done = with_sources.run("check", "inventory.py", "--json")
    told = json.loads(done.stdout)
    jsonschema.validate(told, schema("check"))
    assert (64, 64, 3) == (done.returncode, told["exit"], len(told["mistakes"]))
    assert [{"name": "web", "hosts": ["web1.invalid", "web2.invalid"]}] == told["backends"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch.py"], "there is no such inventory"),
        (["inventory.py", "--limit", "nobody*"], "no host is left by --limit nobody*"),
        (["inventory.py", "--chdir", "nosuch"], "No such file or directory: 'nosuch'"),
    ],
)
def test_what_cannot_be_loaded_is_one_line_and_64(described: Folder, words, said) -> None:
    done = described.run("check", *words)
    assert 64 == done.returncode
    assert said in done.stdout.splitlines()[0]
    assert "Traceback" not in done.stderr
