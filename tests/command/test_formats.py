"""What programs read, each form by a tool of its own ecosystem."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from prometheus_client.parser import text_string_to_metric_families

from relogin.report import prometheus
from relogin.report.files import schema
from tests.command.folder import LOCAL, PASSWORD, TOKEN, Folder
from tests.command.test_run import NOWHERE, over_ssh
from tests.core.ssh_server import serving_ssh

CANARIES = (PASSWORD, TOKEN)


def told(folder: Folder, *words: str, code: int, **environ: str) -> dict[str, Any]:
    """Run with --json; give what it wrote, which is JSON, fits the schema, and holds no secret."""
    done = folder.run(*words, "inventory.py", "--json", **environ)
    assert code == done.returncode, done.stderr
    assert [] == [one for one in CANARIES if one in done.stdout + done.stderr]
    document: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert code == document["exit"]
    return document


@pytest.mark.parametrize("of", ["run", "history", "faults", "check"])
def test_a_schema_is_one_and_refuses_what_it_does_not_know(of: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(of))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"version": 1}, schema(of))


def test_a_healthy_run(folder: Folder) -> None:
    document = told(folder, "diagnose", code=0)
    [host] = document["hosts"]
    [backend] = host["backends"]
    assert ("diagnose", "proven") == (document["purpose"], host["outcome"])
    assert ([], [], None) == (backend["findings"], backend["changes"], backend["halted"])
    assert {"login", "protected", "identity"} <= {one["name"] for one in backend["proof"]["checks"]}
    assert 0 < backend["proof"]["seconds"] < 60
    assert abs(time.time() - document["began"]) < 120


def test_a_repair_with_its_finding_its_change_and_its_proof(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    [host] = told(folder, "restore", code=0)["hosts"]
    [backend] = host["backends"]
    [finding] = backend["findings"]
    [change] = backend["changes"]
    assert ("mended", True, "critical") == (
        finding["state"],
        finding["leads"],
        finding["severity"],
    )
    assert finding["before"] != finding["after"]
    assert ([finding["fault"], finding["subject"]], True) == (
        [change["fault"], change["subject"]],
        change["ok"],
    )


def test_what_is_left_and_what_is_accepted(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    [finding] = told(folder, "diagnose", code=2)["hosts"][0]["backends"][0]["findings"]
    assert "left" == finding["state"]
    folder.hosts(accepted={finding["fault"]: "known since May"})
    [finding] = told(folder, "diagnose", code=0)["hosts"][0]["backends"][0]["findings"]
    assert ("accepted", "note") == (finding["state"], finding["severity"])


def test_hosts_beyond_reach_and_the_last_one_failing_are_told_all_the_same(folder) -> None:
    folder.hosts(LOCAL, ("web2", NOWHERE))
    folder.backend.lets_in = "another one"
    document = told(folder, "restore", code=1)
    assert [("@local", "not-proven"), ("web2", "unreachable")] == [
        (one["host"], one["outcome"]) for one in document["hosts"]
    ]
    assert document["hosts"][1]["error"]


def test_a_run_that_could_not_begin_writes_no_json(folder: Folder) -> None:
    done = folder.run("diagnose", "inventory.py", "--limit", "nobody", "--json")
    assert (64, "") == (done.returncode, done.stdout)


def test_all_but_the_json_is_on_stderr(folder: Folder) -> None:
    done = folder.run("diagnose", "inventory.py", "--json")
    assert "people can log in; nothing was changed" in done.stderr
    assert "people can log in" not in done.stdout


def test_an_answer_of_ours_that_is_no_ascii_passes_any_pipe(folder: Folder) -> None:
    folder.env.write_text("MODE=d\u00e9ad\n")
    done = folder.run("diagnose", "inventory.py", "--json", LC_ALL="C", PYTHONUTF8="0")
    assert done.stdout.isascii()
    assert "Traceback" not in done.stderr


def suites(path: Path) -> dict[str, list[Any]]:
    return {suite.name: list(suite) for suite in JUnitXml.fromfile(str(path))}


def verdicts(cases: list[Any]) -> set[type]:
    return {type(result) for case in cases for result in case.result}


def test_junit_has_a_suite_for_each_backend_and_counts_what_failed(folder: Folder) -> None:
    folder.hosts(LOCAL, ("web2", NOWHERE))
    folder.env.write_text("MODE=dead\n")
    file = folder.home / "report.xml"
    assert 1 == folder.run("diagnose", "inventory.py", "--junit", "report.xml").returncode
    found = suites(file)
    assert {"@local · mine", "web2"} == set(found)
    failed = [case for case in found["@local · mine"] if Failure in verdicts([case])]
    assert ["@local.mine.env_file"] == [case.classname for case in failed]
    assert "MODE in" in failed[0].result[0].message
    assert {Error} == verdicts(found["web2"])
    total = JUnitXml.fromfile(str(file))
    total.update_statistics()
    assert (1, 1) == (total.failures, total.errors)
    assert PASSWORD not in file.read_text()


def test_junit_passes_what_was_mended_and_skips_what_could_not_be_checked(folder) -> None:
    folder.env.write_text("MODE=dead\n")
    folder.run("restore", "inventory.py", "--junit", "report.xml")
    [cases] = suites(folder.home / "report.xml").values()
    assert set() == verdicts(cases) - {Skipped}
    assert [1] == [case.name.count("MODE in") for case in cases if "env_file" in case.name]


def metrics(path: Path) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(path.read_text()):
        assert ("gauge", True) == (family.type, bool(family.documentation))
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


MINE = {"host": "@local", "backend": "mine"}


def test_prometheus_has_what_an_alert_needs(folder: Folder) -> None:
    folder.hosts(LOCAL, ("web2", NOWHERE))
    folder.env.write_text("MODE=dead\n")
    folder.run("restore", "inventory.py", "--prometheus", "relogin.prom")
    file = folder.home / "relogin.prom"
    found = metrics(file)
    assert [({}, 1)] == found["relogin_exit_code"]
    assert [({"host": "@local"}, 1), ({"host": "web2"}, 0)] == found["relogin_reached"]
    assert [(MINE, 1)] == found["relogin_login_proven"]
    assert [(MINE, 1)] == found["relogin_changes"]
    assert [(MINE, 1)] == found["relogin_mended"]
    [(labels, moment)] = found["relogin_last_success_timestamp_seconds"]
    assert (MINE, True) == (labels, abs(time.time() - moment) < 120)
    [(_, seconds)] = found["relogin_login_seconds"]
    assert 0 < seconds < 60
    assert 0o644 == file.stat().st_mode & 0o777
    assert PASSWORD not in file.read_text()


def test_prometheus_keeps_the_last_success_while_runs_fail(folder: Folder) -> None:
    file = folder.home / "relogin.prom"
    words = ("diagnose", "inventory.py", "--prometheus", "relogin.prom")
    folder.run(*words)
    [(_, before)] = metrics(file)["relogin_last_success_timestamp_seconds"]
    folder.backend.lets_in = "another one"
    folder.env.write_text("MODE=dead\n")
    assert 3 == folder.run(*words).returncode
    found = metrics(file)
    [(_, after)] = found["relogin_last_success_timestamp_seconds"]
    assert before == pytest.approx(after, abs=0.5)
    assert [(MINE, 0)] == found["relogin_login_proven"]
    left = {labels["severity"]: value for labels, value in found["relogin_findings"]}
    assert left["critical"] >= 2


def test_prometheus_counts_drift_that_was_corrected_as_a_success(folder: Folder) -> None:
    words = ("drift", "inventory.py", "--prometheus", "relogin.prom")
    folder.env.write_text("MODE=dead\n")
    assert 2 == folder.run(*words, "--report-only").returncode
    assert "relogin_last_success_timestamp_seconds" not in metrics(folder.home / "relogin.prom")
    assert 2 == folder.run(*words).returncode
    [(_, moment)] = metrics(folder.home / "relogin.prom")["relogin_last_success_timestamp_seconds"]
    assert abs(time.time() - moment) < 120


UNIT = """\
Id=mine-api.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
MainPID=0
NRestarts=0
"""


@pytest.fixture
def journal(folder: Folder, tmp_path: Path) -> Iterator[Path]:
    """The journal of a unit that is declared, on a host whose systemd is two scripts."""
    journal, tools = tmp_path / "journal", tmp_path / "tools"
    tools.mkdir()
    (tmp_path / "unit").write_text(UNIT)
    for tool, file in (("systemctl", tmp_path / "unit"), ("journalctl", journal)):
        (tools / tool).write_text(f"#!/bin/sh\ncat {file}\n")
        (tools / tool).chmod(0o755)
    journal.write_text("2020-01-01T00:00:00+0000 web1 mine[7]: [AUTH] JWT expired\n")
    with serving_ssh(f"PATH={tools}:$PATH") as port:
        folder.hosts(("web1", over_ssh(port)))
        inventory = folder.home / "inventory.py"
        text = inventory.read_text().replace('"mine",', '"mine", service=Systemd("mine-api"),', 1)
        inventory.write_text(text.replace("import Account", "import Systemd, Account", 1))
        yield journal


def test_prometheus_has_what_the_log_refused_since_the_run_before(folder, journal) -> None:
    words = ("diagnose", "inventory.py", "--prometheus", "relogin.prom")
    name = "relogin_refused_logins"
    folder.run(*words)
    assert name not in metrics(folder.home / "relogin.prom")
    moment = int(time.time()) + 1
    at = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(moment))
    with journal.open("a") as file:
        for said in ("User not found - a@example.com", "User not found", "password mismatch"):
            file.write(f"{at} web1 mine[7]: WARNING [AUTH] Login failed: {said}\n")
    time.sleep(moment + 0.2 - time.time())
    counted = []
    for _ in range(2):
        folder.run(*words)
        found = metrics(folder.home / "relogin.prom")[name]
        counted.append({labels["reason"]: value for labels, value in found})
    refused = {"token expired": 0, "unknown user": 2, "password differs": 1}
    assert [refused, dict.fromkeys(refused, 0)] == counted


def test_what_a_name_may_hold_is_no_trouble_for_prometheus() -> None:
    name = 'a "quoted" \\ name\nin lines'
    host = {"host": name, "reached": False, "backends": []}
    document = {"began": 1.0, "seconds": 2.0, "exit": 1, "hosts": [host]}
    text = prometheus.written(document, {}).decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    assert [name] == [one.labels["host"] for one in samples if "host" in one.labels]


@pytest.mark.parametrize("option", ["--junit", "--prometheus"])
def test_a_file_that_cannot_be_is_refused_before_anything_is_touched(folder, option) -> None:
    folder.env.write_text("MODE=dead\n")
    done = folder.run("restore", "inventory.py", option, "nosuch/file")
    assert (64, "MODE=dead\n") == (done.returncode, folder.env.read_text())
    assert re.search(rf"{option} nosuch/file: there is no folder .*/nosuch", done.stderr)


def test_files_are_written_whole_or_not_at_all(folder: Folder) -> None:
    """A reader that comes at any moment finds a whole file; nothing else stays in the folder."""
    folder.run("diagnose", "inventory.py", "--junit", "a.xml", "--prometheus", "a.prom")
    first = (folder.home / "a.prom").stat().st_ino
    folder.run("diagnose", "inventory.py", "--junit", "a.xml", "--prometheus", "a.prom")
    assert first != (folder.home / "a.prom").stat().st_ino
    names = {path.name for path in folder.home.iterdir()}
    assert {"a.xml", "a.prom", "inventory.py", "app.env", "state"} == names - {"__pycache__"}
