"""A fault of a user's own, from their own folder, takes part in all that the catalogue's do.

It is the README's example, in the file that it names.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
from junitparser import JUnitXml
from prometheus_client.parser import text_string_to_metric_families

from relogin.report.files import schema
from tests.core.test_report_page import Parsed
from tests.lab import canaries
from tests.operations.flawed import listening

ROOT = Path(__file__).parents[1]
FAULT = "service.maintenance-left-on"
INVENTORY = """\
from own_faults import MAINTENANCE
from relogin import Account, Accounts, Backend, EnvFile, FromEnv, Jwt, Login, Secret

hosts = [("@local", {{"_sudo": False, "mine": Backend(
    "mine",
    env_file=EnvFile("{folder}/.env", keys={{"KEY": Secret.kept()}}),
    accounts=Accounts(present=[
        Account("ops", email="o@example.com", password=Secret.env("OPS"))
    ]),
    login=Login("{url}/token", account="ops", protected="{url}/users/me",
                headers={{"X-Halext-Code": Secret.env("CODE")}}),
    token=Jwt(secret=FromEnv("KEY")),
    faults=[MAINTENANCE],
    {more}
)}})]
"""


@dataclass
class Place:
    """A user's folder: an inventory, a module of faults and a backend's folder."""

    folder: Path
    url: str

    @property
    def switch(self) -> Path:
        return self.folder / "MAINTENANCE"

    def run(self, deploy: str, *words: str, more: str = "") -> tuple[int, str]:
        by_name = f"relogin.deploys.{deploy}.{deploy}"
        done = self.command("pyinfra", "-y", "inventory.py", by_name, *words, more=more)
        return done.returncode, done.stdout + done.stderr

    def command(self, name: str, *words: str, more: str = "") -> "subprocess.CompletedProcess[str]":
        text = INVENTORY.format(folder=self.folder, url=self.url, more=more)
        (self.folder / "inventory.py").write_text(text)
        secrets = {"OPS": canaries.OPS_PASSWORD, "CODE": canaries.ACCESS_CODE}
        return subprocess.run(
            [str(Path(sys.executable).with_name(name)), *words],
            cwd=self.folder,
            env={
                **os.environ,
                **secrets,
                "NO_COLOR": "1",
                "XDG_STATE_HOME": str(self.folder / "state"),
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    readme = (ROOT / "README.md").read_text()
    [example] = re.findall(r"```python\n(# own_faults.py.*?)```", readme, re.DOTALL)
    (tmp_path / "own_faults.py").write_text(example)
    (tmp_path / ".env").write_text(f"KEY={canaries.SECRET_KEY}\n")
    (tmp_path / ".env").chmod(0o600)
    with listening() as url:
        yield Place(tmp_path, url)


def test_where_nothing_is_wrong_it_is_not_mentioned(place):
    code, output = place.run("restore_access")
    assert 0 == code, output
    assert FAULT not in output
    assert "people can log in; nothing was changed" in output


def test_it_is_diagnosed_and_nothing_is_changed(place):
    place.switch.write_text("until Monday\n")
    code, output = place.run("diagnose")
    assert 0 == code, output
    assert f"    ✗ maintenance is still on  {FAULT}\n        until Monday\n" in output
    assert "        would be mended: it is moved away\n" in output
    assert place.switch.exists()


def test_it_is_mended_once_and_said_in_the_verdict(place):
    place.switch.write_text("until Monday\n")
    code, output = place.run("restore_access")
    assert 0 == code, output
    assert f"  What was wrong first\n    ✓ maintenance is still on  {FAULT}\n" in output
    assert f"✓ move {place.switch} away" in output
    assert (False, "until Monday\n") == (
        place.switch.exists(),
        place.switch.with_name("MAINTENANCE.off").read_text(),
    )
    assert "nothing was changed" in place.run("restore_access")[1]


def test_a_drift_run_corrects_it_and_the_history_has_both_runs(place):
    assert 0 == place.command("relogin", "drift", "inventory.py", "--json").returncode
    place.switch.write_text("until Monday\n")

    done = place.command("relogin", "drift", "inventory.py", "--json")

    assert 2 == done.returncode, done.stdout + done.stderr
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema()).validate(document)
    [backend] = document["hosts"][0]["backends"]
    [found] = backend["findings"]
    assert (FAULT, "mended", "corrective") == (found["fault"], found["state"], found["cause"])
    assert [f"move {place.switch} away"] == [one["why"] for one in backend["changes"]]
    assert not place.switch.exists()
    told = json.loads(place.command("relogin", "history", "--json").stdout)
    assert [(f"move {place.switch} away", document["run"])] == [
        (one["why"], one["run"]) for one in told["last_changes"]
    ]
    assert [("drift", 1), ("drift", 0)] == [
        (one["purpose"], one["changes"]) for one in told["results"]
    ]


def test_it_is_in_every_form_that_programs_and_people_read(place):
    place.switch.write_text("until Monday\n")
    forms = ("--junit", "it.xml", "--prometheus", "it.prom", "--html", "it.html")
    done = place.command("relogin", "diagnose", "inventory.py", *forms)
    assert 2 == done.returncode, done.stdout + done.stderr

    cases = [case for suite in JUnitXml.fromfile(str(place.folder / "it.xml")) for case in suite]
    [failed] = [case for case in cases if case.result]
    assert "@local.mine.service" == failed.classname
    assert "maintenance is still on" in f"{failed.name} {failed.result[0].message}"
    counted = {
        sample.labels["severity"]: sample.value
        for family in text_string_to_metric_families((place.folder / "it.prom").read_text())
        for sample in family.samples
        if sample.name == "relogin_findings"
    }
    assert 1 == sum(counted.values()), counted
    page = Parsed((place.folder / "it.html").read_text())
    chain = page.text.partition("Transcript")[0]  # it has all of it in any case
    for said in ("maintenance is still on", FAULT, "until Monday"):
        assert said in chain, said


def test_what_it_makes_impossible_follows_from_it(place):
    place.switch.write_text("")
    with listening(login_status=500) as place.url:
        code, output = place.run("restore_access", "--data", f"skip={FAULT}")
        assert "What was wrong first\n    ✗ the login itself fails" in output
        code, output = place.run("restore_access")
    assert 1 == code, output
    assert f"  What was wrong first\n    ✓ maintenance is still on  {FAULT}\n" in output
    followed = output.partition("What followed from it\n")[2]
    assert followed.startswith("    ✗ the login itself fails"), output


def test_it_can_be_left_alone(place):
    place.switch.write_text("")
    for more, words in (
        ("", ("--data", f"skip={FAULT}")),
        ("", ("--data", "only=env_file")),
        (f'accepted={{"{FAULT}": "until the move"}},', ()),
    ):
        code, output = place.run("restore_access", *words, more=more)
        assert 0 == code, output
        assert place.switch.exists(), output
    assert "accepted: until the move" in output


def test_what_it_could_not_look_for_is_said_and_costs_no_other_part(place):
    for broken in ("echo 'unbalanced", None):
        text = (place.folder / "own_faults.py").read_text()
        look = f"\n\ndef look(backend):\n    return {broken!r} + ''\n\n\nMAINTENANCE ="
        (place.folder / "own_faults.py").write_text(text.replace("\n\nMAINTENANCE =", look))
        code, output = place.run("diagnose")
        assert 0 == code, output
        assert "  What could not be seen\n    service: " in output, output
        assert "ops logged in at" in output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("service.maintenance-left-on", ""),
        (
            "servce.maintenance",
            "fault 'servce.maintenance' must be named LAYER.WHAT-IS-WRONG, its layer; did you mean"
            " 'service'?",
        ),
        ("service", "fault 'service' must be named LAYER.WHAT-IS-WRONG"),
        ("login.maintenance", "fault 'login.maintenance' has a fix, but the login is only tried"),
        ("service.failed", "fault 'service.failed' is in the catalogue already"),
    ],
)
def test_an_id_that_no_operation_would_mend_is_refused_in_one_line(place, change, said):
    text = (place.folder / "own_faults.py").read_text()
    (place.folder / "own_faults.py").write_text(text.replace(FAULT, change))
    code, output = place.run("diagnose")
    assert (1 if said else 0) == code, output
    assert said in output
    assert "Traceback" not in output
