import pytest
from packaging.markers import default_environment

from relogin import requirements
from relogin.requirements import NotJudged, Requirement


def names(raw: bytes) -> list[str]:
    return [str(each) for each in requirements.parse("r.txt", raw) if isinstance(each, Requirement)]


@pytest.mark.parametrize(
    ("raw", "asked"),
    [
        (b"six==1.17.0\n", ["six==1.17.0"]),
        (b"Typing_Extensions>=4\n", ["typing-extensions>=4"]),
        (b"psycopg[binary] >=3.2, <4  # the driver\n", ["psycopg<4,>=3.2"]),
        (b"six==1.17.0 --hash=sha256:00 --hash=sha256:11\n", ["six==1.17.0"]),
        (b"six==1.17.0 \\\n    --hash=sha256:00\nidna\n", ["six==1.17.0", "idna"]),
        (b"\xef\xbb\xbfsix\r\nidna\r\n", ["six", "idna"]),
        (b"\xff\xfe" + "six\nidna\n".encode("utf-16-le"), ["six", "idna"]),
        ("# coding: latin-1\nsix # für\n".encode("latin-1"), ["six"]),
        (b"-i https://index.example/simple\n--no-index\n-r more.txt\n-c bounds.txt\n", []),
        (b"\n# six\n   # idna \\\nh11\n", ["h11"]),
        (b"thing @ https://user:token@host.example/thing.whl\n", ["thing"]),
    ],
)
def test_a_line_asks_for_what_pip_takes_it_for(raw, asked):
    assert names(raw) == asked


@pytest.mark.parametrize(
    "line", ["-e .", "./six.whl", "git+https://token@host.example/x.git", "six=1.0", "${NAME}==1"]
)
def test_a_line_that_only_pip_can_judge_is_named_by_its_place_alone(line):
    (found,) = requirements.parse("/srv/r.txt", f"\n{line}\n".encode())
    assert isinstance(found, NotJudged)
    assert (found.file, found.line) == ("/srv/r.txt", 2)
    assert "token" not in repr(found)


def test_the_place_of_a_requirement_is_that_of_its_first_line():
    found = list(requirements.parse("/srv/r.txt", b"six \\\n  ==1.0\n\nidna\n"))
    assert [each.line for each in found] == [1, 4]


def test_latin_1_without_a_coding_line_cannot_be_decoded():
    with pytest.raises(UnicodeDecodeError):
        names("six # für\n".encode("latin-1"))


def test_a_marker_is_judged_in_the_targets_environment_and_not_in_ours():
    (asked,) = requirements.parse("r.txt", b'six; sys_platform == "win32" and extra != "x"\n')
    assert isinstance(asked, Requirement)
    target = dict(default_environment(), sys_platform="win32")
    assert asked.applies(target)
    assert not asked.applies(dict(target, sys_platform="linux"))


@pytest.mark.parametrize(
    ("specifier", "version", "met"),
    [
        ("==4.0.1", "4.0.1", True),
        ("==4.0.1", "5.0.0", False),
        ("==1.0", "1.0+local", True),
        (">=2", "3.0rc1", True),
        ("", "0.1", True),
        ("==1", "made up", None),
    ],
)
def test_an_installed_version_meets_a_specifier(specifier, version, met):
    assert Requirement("x", specifier, "", "r.txt", 1).met_by(version) is met
