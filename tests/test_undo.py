"""The command that takes a run back, as its users run it: pyinfra, on this machine."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from relogin import Backend, undo
from tests.facts.answers import run
from tests.lab.leaks import leaks

ROOT = Path(__file__).parents[1]
FORMER = "canary-of-yesterday-8d1f"
NEW = "canary-of-today-2c77"
INVENTORY = """\
from relogin import Backend, EnvFile, Secret

def backend(name):
    keys = {{"CODE": Secret.env("CODE"), "MODE": "live"}}
    return Backend(name, env_file=[EnvFile("{home}/" + name + ".env", keys=keys),
                                   EnvFile("{home}/" + name + "2.env", keys={{"MODE": "live"}})])

hosts = [("@local", {{"_sudo": False, "one": backend("one"), "two": backend("two")}})]
"""
IMPORTING = """\
from relogin.deploys.undo import undo

undo()
"""
DRY = "What would be brought back"
BACK = "What was brought back"
REFUSED = "What was not brought back"


@dataclass
class Place:
    """A user's folder: an inventory of two backends, whose env files are sick."""

    home: Path

    def run(self, deploy: str, *words: str, yes: bool = True) -> "subprocess.CompletedProcess[str]":
        pyinfra = str(Path(sys.executable).with_name("pyinfra"))
        base = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        mine = {"HOME": str(self.home), "XDG_STATE_HOME": f"{self.home}/state", "CODE": NEW}
        return subprocess.run(
            [pyinfra, *(["-y"] if yes else []), "inventory.py", deploy, *words],
            cwd=self.home,
            env={**base, **mine, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def mended(self, backend: str) -> str:
        """Mend what is sick; give the run's name, as the verdict says it."""
        ran = self.run(f"{ROOT}/deploys/restore_access.py", "--data", f"backend={backend}")
        (name,) = re.findall(
            r": pyinfra inventory.py deploys/undo.py --data run=(\S+) brings it back", ran.stderr
        )
        return name

    def both_mended(self) -> tuple[str, str]:
        """Mend one after the other: without a login each run fails its host at the end."""
        return self.mended("one"), self.mended("two")

    def undone(self, *words: str) -> tuple[int, str]:
        ran = self.run(f"{ROOT}/deploys/undo.py", *words)
        return ran.returncode, ran.stderr

    @property
    def texts(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(self.home.glob("*.env"))}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "inventory.py").write_text(INVENTORY.format(home=tmp_path))
    (tmp_path / "importing.py").write_text(IMPORTING)
    for name in ("one", "one2", "two", "two2"):
        (tmp_path / f"{name}.env").write_text(f"# {name}\nCODE={FORMER}\nMODE=dead\n")
        (tmp_path / f"{name}.env").chmod(0o600)
    return Place(tmp_path)


def section(said: str, title: str) -> list[str]:
    """Give the lines of all sections of this title."""
    found = re.findall(rf"^  {title}\n((?:    .*\n)+)", said, re.MULTILINE)
    return [line.strip() for lines in found for line in lines.splitlines()]


@pytest.mark.parametrize(
    "deploy", [f"{ROOT}/deploys/undo.py", "relogin.deploys.undo.undo", "importing.py"]
)
def test_it_brings_the_last_run_back_and_a_second_one_has_nothing_to_do(place, deploy):
    former = place.texts
    names = place.both_mended()
    new = place.texts
    assert former.keys() == {key for key in former if former[key] != new[key]}
    ran = place.run(deploy)
    assert (0, former) == (ran.returncode, place.texts), ran.stderr
    assert list(names) == re.findall(r"@local · \w+: run (\S+) is taken back", ran.stderr)
    assert 4 == len([line for line in section(ran.stderr, BACK) if "✓ bring back /" in line])
    again = place.run(deploy)
    assert (0, former) == (again.returncode, place.texts)
    assert 2 == again.stderr.count("nothing is left to bring back of run")
    assert [] == section(again.stderr, BACK)


def test_a_dry_run_shows_it_and_changes_nothing(place):
    place.both_mended()
    new = place.texts
    for yes in (False, True):
        ran = place.run(f"{ROOT}/deploys/undo.py", "--dry", yes=yes)
        expected = [f"{place.home}/{name}.env" for name in ("one2", "one", "two2", "two")]
        assert (0, expected) == (ran.returncode, section(ran.stderr, DRY)), ran.stderr
        assert ("would bring back" in ran.stdout + ran.stderr) is not yes
    assert new == place.texts


def test_what_somebody_changed_since_is_left_the_rest_comes_back_and_the_host_fails(place):
    former = place.texts
    place.both_mended()
    (place.home / "one.env").write_text("MODE=of-somebody-else\n")
    code, said = place.undone()
    assert 1 == code
    assert {**former, "one.env": "MODE=of-somebody-else\n"} == place.texts
    why = f"{place.home}/one.env: changed since by somebody else"
    assert f"✗ {why}" == section(said, REFUSED)[0]
    assert 1 == len(
        re.findall(r"one: not brought back: .* \(changed since by somebody else\)", said)
    )


def test_a_schedules_values_come_back_where_it_is_named_and_then_nothing_else(place, monkeypatch):
    """What a schedule keeps has its name where a backend's has the backend's."""
    monkeypatch.setenv("XDG_STATE_HOME", f"{place.home}/state")
    place.both_mended()
    mended, unit = place.texts, place.home / "relogin-drift.timer"
    unit.write_text("former\n")
    script = undo.store(Backend("relogin-drift"))
    assert 0 == run(f"( {script}keep {unit}; echo new >{unit}\n)").status

    code, said = place.undone("--data", "schedule=relogin-drift")

    assert (0, "former\n", mended) == (code, unit.read_text(), place.texts), said
    assert "was not restarted" not in said
    again = re.findall(r"deploys/undo.py (.*) brings it back", said)
    assert 1 == len(again)
    assert again[0].startswith("--data schedule=relogin-drift --data run=")
    code, said = place.undone(*again[0].split())
    assert (0, "new\n", mended) == (code, unit.read_text(), place.texts), said


def test_one_backend_alone_can_be_taken_back(place):
    former = place.texts
    place.both_mended()
    new = place.texts
    assert 0 == place.undone("--data", "backend=two")[0]
    assert {**new, "two.env": former["two.env"], "two2.env": former["two2.env"]} == place.texts


def test_an_earlier_run_is_taken_back_by_its_name_and_what_undid_it_too(place):
    first, second = place.both_mended()
    new = place.texts
    code, said = place.undone("--data", f"run={first}")
    assert 0 == code, said
    assert f"two: run {first} kept nothing here" in said
    (undoing,) = re.findall(r"--data run=(\S+) brings it back", said)
    assert 3 == len({first, second, undoing})
    assert 0 == place.undone("--data", f"run={undoing}")[0]
    assert new["one.env"] == place.texts["one.env"]


def test_a_run_that_is_not_there_is_refused_in_one_line_that_lists_those_that_are(place):
    code, said = place.undone("--data", "run=nosuch")
    assert (1, 1) == (code, said.count("[@local] one: there is no run nosuch"))
    assert "in its undo store; none has kept anything" in said
    name = place.mended("one")
    code, said = place.undone("--data", "run=nosuch")
    assert 1 == code
    assert 1 == said.count(
        f"[@local] one: there is no run nosuch in its undo store; there is {name}\n"
    )


def test_where_nothing_was_ever_kept_there_is_nothing_to_do(place):
    code, said = place.undone()
    assert (0, 2) == (code, said.count(": nothing was kept\n"))
    assert "Traceback" not in said


def test_no_secret_is_shown_however_much_detail_is_asked_for(place):
    place.both_mended()
    (place.home / "one.env").write_text(f"MODE=of-somebody-else\nCODE={FORMER}\n")
    for words in (("--dry", "-vvv"), ("-vvv", "--debug"), ("-vvv", "--debug-facts")):
        ran = place.run(f"{ROOT}/deploys/undo.py", *words)
        assert [] == leaks(ran.stdout + ran.stderr, [FORMER, NEW])
    fact = place.run("fact", "relogin.facts.kept.KeptValues", "backend=one", "-vvv")
    assert '"as it was before the run"' in fact.stdout + fact.stderr
    assert [] == leaks(fact.stdout + fact.stderr, [FORMER, NEW])
