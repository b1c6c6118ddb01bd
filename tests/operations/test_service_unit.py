"""What is found of a unit's files, settings and needs, in answers recorded from real hosts."""

import dataclasses
import os

import pytest

from relogin.backend import Backend
from relogin.facts.service import Need, ServiceState
from relogin.facts.unit_files import UnitFile, unglobbed
from relogin.finding import Severity
from relogin.operations import service
from relogin.operations.service_files import drop_in
from relogin.parts.configuration import EnvFile
from relogin.parts.runtime import Systemd
from relogin.undo.kinds import KINDS
from tests.facts.answers import run
from tests.operations.undoing import taken_back

from .services import KEYS, changes, file, found, named, observation, state

ROOT = "/srv/halext.org/halext-org/backend"
ENV = f"{ROOT}/.env"
FRAGMENT = "/etc/systemd/system/halext-api.service"
OVERRIDE = f"{FRAGMENT}.d/override.conf"
DECLARED = Backend(
    "halext",
    service=Systemd("halext-api", working_directory=ROOT, environment_files=[ENV], needs=["nginx"]),
    env_file=EnvFile(ENV, KEYS),
)


def declared(**settings: object) -> Backend:
    return dataclasses.replace(DECLARED, service=Systemd("halext-api", **settings))


def env(*, changed: float, **values: str | None) -> object:
    return dataclasses.replace(file(changed=changed, **values), path=ENV, real_path=ENV)


@pytest.mark.parametrize("folder", [ROOT, f"{ROOT}/", None])
def test_a_unit_that_is_as_declared_is_sound(folder):
    backend = declared(working_directory=folder, environment_files=[ENV])
    assert named("with-files", backend=backend) == []


def test_a_mask_says_since_when_and_is_taken_away():
    seen = observation(state("masked-since"))
    (finding,) = found(seen)
    assert finding.what == "halext-api.service is masked since 2026-11-21 11:59:58 UTC"
    assert finding.seen == f"{FRAGMENT} is a link to /dev/null"
    (change,) = changes(service.MASKED, seen)
    assert "systemctl unmask --runtime halext-api.service" in change.script
    assert f"[ ! -L {FRAGMENT} ] || keep {FRAGMENT}\n" in change.script


def test_what_runs_although_it_is_masked_is_a_warning():
    running = dataclasses.replace(state("with-files"), load="masked")
    assert [Severity.WARNING] == [one.severity for one in found(observation(running))]


def test_a_disabled_unit_is_a_warning_and_is_enabled_without_a_start():
    seen = observation(dataclasses.replace(state("with-files"), enabled="disabled"))
    (finding,) = service.DISABLED.found(DECLARED, seen)
    assert finding.severity is Severity.WARNING
    (change,) = changes(service.DISABLED, seen)
    assert 'keep "/etc/systemd/system/$target.wants/$unit"' in change.script
    assert change.script.endswith('systemctl enable "$unit"')


@pytest.mark.parametrize("word", ["enabled", "static", "indirect", "generated", "linked", ""])
def test_a_unit_that_is_not_to_be_enabled_is_no_finding(word):
    seen = observation(dataclasses.replace(state("with-files"), enabled=word))
    assert [] == list(service.DISABLED.found(DECLARED, seen))


def test_a_drop_in_that_sets_another_directory_and_file_is_named():
    folder, files = found(observation(state("overridden")), DECLARED)[:2]
    assert folder.fault == "service.wrong-working-directory"
    assert (folder.seen, folder.expected) == (f"/srv/elsewhere, by {OVERRIDE}", ROOT)
    assert files.fault == "service.wrong-environment-file"
    assert (files.seen, files.expected) == (f"{ENV}, /etc/halext.env, by {OVERRIDE}", ENV)
    assert OVERRIDE in files.remedy
    assert not files.by_person


def test_a_drop_in_of_ours_overrules_the_others_and_the_restart_is_left_to_one_place():
    seen = observation(state("overridden"))
    (change,) = changes(service.WRONG_ENVIRONMENT_FILE, seen, DECLARED)
    text = f"[Service]\nWorkingDirectory={ROOT}\nEnvironmentFile=\nEnvironmentFile={ENV}\n"
    assert text in change.script
    assert f"target={FRAGMENT}.d/zz-relogin.conf" in change.script
    assert "override" not in change.script
    assert "restart" not in change.script.replace(KINDS, "")  # undo restarts a schedule's timer


@pytest.mark.parametrize("before", [None, "[Service]\nWorkingDirectory=/old\n"])
def test_a_drop_in_of_ours_can_be_taken_back(tmp_path, systemctl, before):
    (change,) = changes(service.WRONG_ENVIRONMENT_FILE, observation(state("overridden")), DECLARED)
    folder = tmp_path / "units"
    script = change.script.replace(f"{FRAGMENT}.d", str(folder)).replace(ROOT, str(tmp_path))
    (tmp_path / ".env").touch()
    if before is not None:
        folder.mkdir()
        (folder / "zz-relogin.conf").write_text(before)
    assert carried_out(script) == 0
    assert f"WorkingDirectory={tmp_path}\n" in (folder / "zz-relogin.conf").read_text()
    assert {answer.status for answer in taken_back(DECLARED)} == {0}
    left = folder / "zz-relogin.conf"
    assert (left.read_text() if folder.exists() else None) == before


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """Put a systemctl on PATH that does nothing: here is no systemd."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "systemctl").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def carried_out(script: str) -> int:
    return run(f"(\n{script}\n)").status


def test_a_start_is_not_prepared_on_files_that_are_not_there(tmp_path, systemctl):
    (change,) = changes(service.WRONG_ENVIRONMENT_FILE, observation(state("overridden")), DECLARED)
    assert carried_out(change.script.replace(FRAGMENT, str(tmp_path / "unit"))) == 1
    assert not (tmp_path / "unit.d").exists()


def test_a_drop_in_that_applies_after_ours_is_a_persons():
    seen = state("overridden")
    last = dataclasses.replace(seen.files[-1], path=f"{FRAGMENT}.d/zzz.conf")
    seen = dataclasses.replace(
        seen, files=(*seen.files[:-1], last), drop_ins=(f"{FRAGMENT}.d/zzz.conf",)
    )
    (finding,) = service.WRONG_ENVIRONMENT_FILE.found(DECLARED, observation(seen))
    assert finding.by_person
    assert finding.remedy == f"take EnvironmentFile= out of {last.path}: it applies after ours"


def test_all_declared_environment_files_count_in_their_order():
    unit = state("overridden")
    orders = [[ENV, "/etc/halext.env"], ["/etc/halext.env", ENV], ["/etc/halext.env"]]
    counts = [
        len(service.WRONG_ENVIRONMENT_FILE.found(declared(environment_files=order), seen))
        for order in orders
        for seen in [observation(unit)]
    ]
    assert counts == [0, 1, 1]


def test_a_percent_sign_is_no_specifier_in_a_path_of_ours():
    backend = declared(working_directory="/srv/100%", environment_files=["/srv/a b/%h.env"])
    (change,) = changes(service.WRONG_WORKING_DIRECTORY, observation(state("with-files")), backend)
    assert "WorkingDirectory=/srv/100%%\n" in change.script
    assert "EnvironmentFile=/srv/a b/%%h.env\n" in change.script


@pytest.mark.parametrize(
    ("path", "folder", "file"),
    [
        ("/srv/100%", "/srv/100%%", "/srv/100%%"),
        ("/srv/a b ", "/srv/a b /.", "/srv/a b[ ]"),
        ("/srv/*[x]?", "/srv/*[x]?", r"/srv/\*\[x]\?"),
        ("/srv/a\\", "/srv/a\\/.", r"/srv/a\\"),
        ('/srv/it\'s "$x" #;', '/srv/it\'s "$x" #;', '/srv/it\'s "$x" #;'),
    ],
)
def test_a_drop_in_names_any_path_as_systemd_reads_it(path, folder, file):
    """tests/lab/test_hostile.py has systemd itself read them."""
    part = Systemd("a", working_directory=path, environment_files=[path])
    lines = drop_in(part).splitlines()
    assert [f"WorkingDirectory={folder}", f"EnvironmentFile={file}"] == [lines[2], lines[4]]
    assert path == unglobbed(file.replace("%%", "%"))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("first-drop-in", f"{OVERRIDE} is not among its drop-ins"),
        ("old-time", "EnvironmentFile is /etc/halext.env in force"),
    ],
)
def test_files_that_systemd_has_not_read_are_seen_although_it_says_no(name, why):
    assert state(name).stale is False
    (finding,) = service.NEEDS_DAEMON_RELOAD.found(DECLARED, observation(state(name)))
    assert why in finding.seen.split("; ")


def test_unread_files_are_critical_where_what_is_in_force_is_not_what_was_declared():
    severities = [
        service.NEEDS_DAEMON_RELOAD.found(DECLARED, observation(state(name)))[0].severity
        for name in ("first-drop-in", "old-time")
    ]
    assert severities == [Severity.WARNING, Severity.CRITICAL]


def test_what_runs_is_restarted_on_the_new_files_and_what_does_not_only_reads_them():
    running = state("old-time")
    failed = dataclasses.replace(running, active=False, state="failed")
    whys = [
        [one.why for one in changes(service.NEEDS_DAEMON_RELOAD, observation(seen), DECLARED)]
        for seen in (running, failed)
    ]
    assert whys == [["systemctl restart halext-api.service"], ["systemctl daemon-reload"]]


def test_a_setting_that_only_systemd_can_tell_is_not_compared():
    for value in ("/srv/%i", "relative", "~", "/srv/*.d", "/srv/../etc"):
        unit = state("with-files")
        (fragment,) = unit.files
        odd = dataclasses.replace(fragment, settings=(("WorkingDirectory", value),))
        seen = observation(dataclasses.replace(unit, files=(odd,)))
        assert [] == list(service.NEEDS_DAEMON_RELOAD.found(DECLARED, seen))


def aged(*names: str, cwd: str = ROOT, **environ: str) -> ServiceState:
    """Give a running unit whose files of these names changed a second after its start."""
    unit = state("with-files")
    paths = [FRAGMENT if name == "fragment" else f"{FRAGMENT}.d/{name}" for name in names]
    files = tuple(UnitFile(path, unit.started + 1) for path in paths)
    return dataclasses.replace(unit, files=files, cwd=cwd, environ=dict(KEYS, **environ))


def test_a_process_from_before_our_drop_in_is_older_than_its_unit():
    seen = observation(aged("fragment", "zz-relogin.conf"), env(changed=1, **KEYS))
    (finding,) = service.OLDER_THAN_UNIT.found(DECLARED, seen)
    assert finding.seen.endswith(f"; {FRAGMENT}.d/zz-relogin.conf is newer")


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        (aged("fragment", cwd="/srv/elsewhere"), f"it runs in /srv/elsewhere, not in {ROOT}"),
        (aged("override.conf", ACCESS_CODE="old"), "other values for ACCESS_CODE"),
    ],
)
def test_a_process_that_differs_from_its_newer_unit_is_older(unit, why):
    (finding,) = service.OLDER_THAN_UNIT.found(DECLARED, observation(unit, env(changed=1, **KEYS)))
    assert finding.seen.endswith(why)


def test_a_unit_file_that_was_touched_is_no_finding():
    seen = observation(aged("fragment", "override.conf"), env(changed=1, **KEYS))
    assert [] == list(service.OLDER_THAN_UNIT.found(DECLARED, seen))


def test_a_program_that_went_to_another_directory_by_itself_is_no_finding():
    unit = dataclasses.replace(state("with-files"), cwd="/var/empty")
    assert [] == list(service.OLDER_THAN_UNIT.found(DECLARED, observation(unit)))


def test_a_needed_unit_that_does_not_run_says_why():
    (finding,) = found(observation(state("nginx-failed")))
    assert finding.fault == "service.needed-unit-down"
    assert finding.what == "nginx.service, which the backend needs, does not run"
    assert 'unknown directive "foo" in /etc/nginx/sites-enabled/halext:11' in finding.seen
    assert not finding.by_person


def test_a_needed_unit_whose_start_failed_is_a_persons():
    seen = observation(state("nginx-failed"), done=("systemctl start nginx.service",))
    (finding,) = found(seen)
    assert finding.by_person
    assert "sites-enabled/halext:11" in finding.remedy


@pytest.mark.parametrize("load", ["masked", "not-found"])
def test_a_needed_unit_that_cannot_be_started_is_a_persons(load):
    need = Need("nginx.service", active=False, state="inactive", sub="dead", result="", load=load)
    (finding,) = found(observation(dataclasses.replace(state("with-files"), needs=(need,))))
    assert (finding.by_person, finding.seen) == (True, load)


def test_a_needed_unit_that_is_starting_is_not_judged():
    need = Need("nginx.service", active=False, state="activating", sub="start", result="")
    assert [] == found(observation(dataclasses.replace(state("with-files"), needs=(need,))))
