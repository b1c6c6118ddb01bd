"""The loop behind every operation, driven by pyinfra itself, with faults of a user's own."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api import operation

from relogin import Backend, EnvFile, Fault, Finding, Secret, Severity
from relogin.fault import Change
from relogin.mend import mend
from tests.core.runs import again, connected, ran

CATALOGUE = "NEEDED"  # a key that the catalogue's own env_file layer minds


@dataclasses.dataclass
class Place:
    """An env file whose keys are what is sick (0) or sound (1)."""

    file: Path
    faults: tuple[Fault, ...] = ()
    keys: dict[str, Any] = dataclasses.field(default_factory=dict)
    accepted: dict[str, str] = dataclasses.field(default_factory=dict)

    def write(self, text: str) -> None:
        self.file.write_text(text)
        self.file.chmod(0o600)

    @property
    def text(self) -> str:
        return self.file.read_text()

    def backend(self) -> Backend:
        env_file = EnvFile(str(self.file), keys=self.keys)
        return Backend("mine", env_file=env_file, faults=self.faults, accepted=self.accepted)

    def sets(self, key: str, value: str = "1") -> str:
        return f"sed -i 's/^{key}=.*/{key}={value}/' {self.file}"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "env")
    made.write("A=0\nB=0\nC=1\n")
    return made


def fault(key: str, *scripts: str, fix: Callable[..., Any] | None = None, **fields: Any) -> Fault:
    """Find a key that is 0; mend it by these scripts."""

    def detect(backend, seen):
        if seen.env(key) == "0":
            return Finding(f"{key} is sick", subject=key, remedy="it is mended")
        return None

    def by_scripts(backend, seen, finding) -> Iterator[Change]:
        for script in scripts:
            yield Change(script, f"mend {key}", deadline=5)

    chosen = fix or (by_scripts if scripts else None)
    return Fault(f"mine.{key.lower()}", detect, chosen, **fields)


def layer(*faults: Fault) -> Any:
    @operation()
    def mine(backend: Backend) -> Iterator[Any]:
        yield from mend(backend, faults)

    return mine


def test_what_is_found_is_mended_and_judged_on_a_fresh_look(place):
    record, succeeded, lines = ran(layer(fault("A", place.sets("A")), fault("C")), place.backend())
    assert "A=1\nB=0\nC=1\n" == place.text
    assert (True, [("mend A", True)]) == (succeeded, [(c.why, c.ok) for c in record.changes])
    assert ([("mine.a", "A")], {}) == (list(record.mended), record.left)
    assert ["[@local] mine.a: A is sick", "[@local] mend A"] == [
        line for line in lines if "mine.a" in line or "mend A" in line
    ]


def test_the_second_run_yields_nothing(place):
    op = layer(fault("A", place.sets("A")))
    with connected() as (state, host):
        again(state, host, op, place.backend())
    with connected() as (state, host):
        record = again(state, host, op, place.backend())
        (meta,) = [data.operation_meta for data in state.ops[host].values()]
    assert (False, [], {}) == (meta.did_change(), record.changes, record.first)


def test_several_changes_run_one_after_another_until_one_fails(place):
    scripts = (place.sets("A", "2"), "exit 7", place.sets("B"))
    record, succeeded, _ = ran(layer(fault("A", *scripts)), place.backend())
    assert [True, False] == [change.ok for change in record.changes]
    assert "A=2\nB=0\nC=1\n" == place.text
    assert succeeded  # it is not sick any more


def test_a_fix_that_fails_is_recorded_and_the_next_fault_is_tried(place):
    first = fault("A", "echo because of password=canary-in-output; exit 7")
    record, succeeded, lines = ran(layer(first, fault("B", place.sets("B"))), place.backend())
    assert [("mend A", False), ("mend B", True)] == [(c.why, c.ok) for c in record.changes]
    assert "because of password=***" == record.changes[0].output
    assert "A=0\nB=1\nC=1\n" == place.text
    assert (False, ["mine.a"]) == (succeeded, [one.fault for one in record.left.values()])
    assert "[@local] mine: still wrong: mine.a (A is sick)" in lines
    assert "canary" not in "".join(lines)


def test_a_fix_that_does_not_hold_is_tried_once(place):
    count = place.file.with_name("count")
    record, succeeded, _ = ran(layer(fault("A", f"echo >>{count}")), place.backend())
    assert (False, 1) == (succeeded, len(count.read_text()))
    assert [True] == [change.ok for change in record.changes]


def test_every_finding_of_one_fault_gets_its_turn(place):
    def detect(backend, seen):
        for key in ("A", "B"):
            if seen.env(key) == "0":
                yield Finding(f"{key} is sick", subject=key)

    def fix(backend, seen, finding):
        yield Change(place.sets(finding.subject), f"mend {finding.subject}")

    record, succeeded, _ = ran(layer(Fault("mine.all", detect, fix)), place.backend())
    assert ("A=1\nB=1\nC=1\n", True) == (place.text, succeeded)
    assert ["mend A", "mend B"] == [change.why for change in record.changes]


def test_what_only_a_person_may_mend_fails_the_operation_and_changes_nothing(place):
    record, succeeded, _ = ran(layer(fault("A")), place.backend())
    assert (False, [], True) == (
        succeeded,
        record.changes,
        next(iter(record.left.values())).by_person,
    )


def test_a_warning_is_mended_but_does_not_fail_the_operation(place):
    warning = fault("A", "false", severity=Severity.WARNING)
    record, succeeded, _ = ran(layer(warning), place.backend())
    assert (True, [False]) == (succeeded, [change.ok for change in record.changes])


def test_an_accepted_fault_is_neither_mended_nor_failing(place):
    place.accepted = {"mine.a": "locked on purpose"}
    record, succeeded, lines = ran(layer(fault("A", place.sets("A"))), place.backend())
    assert (True, [], "A=0") == (succeeded, record.changes, place.text[:3])
    assert "[@local] mine.a: A is sick (accepted: locked on purpose)" in lines


def blocked_by(place: Place, cause: str) -> Place:
    """Give a backend of which something is broken, that fault A builds on."""
    if cause == "a fault of the catalogue":
        place.keys = {CATALOGUE: Secret.kept()}
    elif cause == "a fault of the user's own":
        place.faults = (dataclasses.replace(fault("B"), id="env_file.b"),)
    else:
        place.file.unlink()
        place.file.mkdir()
    return place


CAUSES = ("a fault of the catalogue", "a fault of the user's own", "an unreadable layer")


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("field", ["unless", "symptom_of"])
@pytest.mark.parametrize("named", ["env_file", "its id"])
def test_what_a_fix_builds_on_must_be_sound_first(place, cause, field, named):
    ids = {CAUSES[0]: "env_file.key-missing", CAUSES[1]: "env_file.b", CAUSES[2]: "env_file.b"}
    name = ids[cause] if named == "its id" else named
    backend = blocked_by(place, cause).backend()
    always = Fault(
        "mine.always",
        lambda b, s: Finding("always"),
        lambda b, s, f: iter([Change("exit 1", "do it")]),
        **{field: (name,)},
    )
    record, succeeded, lines = ran(layer(always), backend)
    assert ([], False) == (record.changes, succeeded)
    in_the_way = "env_file cannot be seen" if cause == CAUSES[2] else ids[cause]
    why = f"not tried while there is {in_the_way}"
    assert {("mine.always", ""): why} == record.held
    assert 1 == lines.count(f"[@local] mine.always: {why}")


@pytest.mark.parametrize("field", ["unless", "symptom_of"])
def test_once_that_is_sound_the_fix_is_tried(place, field):
    place.faults = (dataclasses.replace(fault("B", place.sets("B")), id="env_file.b"),)
    late = fault("A", place.sets("A"), **{field: ("env_file",)})
    record, succeeded, _ = ran(layer(*place.faults, late), place.backend())
    assert (["mend B", "mend A"], True) == ([one.why for one in record.changes], succeeded)


def test_a_users_own_fault_is_mended_with_its_layer(place):
    place.faults = (dataclasses.replace(fault("A", place.sets("A")), id="other.a"),)
    catalogue = Fault("other.b", lambda b, s: None)
    record, _, _ = ran(layer(catalogue), place.backend())
    assert ["mend A"] == [one.why for one in record.changes]


@pytest.mark.parametrize(
    ("data", "mended"),
    [
        ({"skip": "mine.a"}, ["mend B"]),
        ({"only": "other"}, []),
        ({"only": "mine,x"}, ["mend A", "mend B"]),
    ],
)
def test_a_run_can_be_narrowed(place, data, mended):
    faults = (fault("A", place.sets("A")), fault("B", place.sets("B")))
    record, _, _ = ran(layer(*faults), place.backend(), **data)
    assert mended == [one.why for one in record.changes]


def test_after_a_command_whose_end_is_unknown_nothing_more_is_changed(place):
    """It kills the shell that would have said how it ended."""
    cut = fault("A", f"{place.sets('A')}; kill -9 $$")
    record, succeeded, lines = ran(layer(cut, fault("B", place.sets("B"))), place.backend())
    said = "the connection was lost before the answer was complete"
    assert f"the outcome of a change is unknown: {said}" == record.halted
    assert ("A=1\nB=0\nC=1\n", False) == (place.text, succeeded)
    assert [False] == [change.ok for change in record.changes]
    assert f"[@local] {record.halted}" in lines


def test_a_change_that_takes_too_long_is_cut(place):
    def fix(backend, seen, finding):
        yield Change("exec sleep 30", "take long", deadline=-9)  # the channel adds ten seconds

    record, succeeded, _ = ran(layer(fault("A", fix=fix)), place.backend())
    assert "unknown: no answer within" in (record.halted or "")
    assert not succeeded


def test_a_host_that_is_halted_stays_so_for_the_next_operation(place):
    with connected() as (state, host):
        again(state, host, layer(fault("A", "kill -9 $$")), place.backend())
    with connected() as (state, host):
        from relogin import run

        run.entry(state, host, place.backend()).halted = "so it is"
        again(state, host, layer(fault("B", place.sets("B"))), place.backend())
        assert host in state.failed_hosts
    assert "B=0" in place.text


def test_a_value_that_cannot_be_written_is_recorded_and_the_next_fault_is_tried(place):
    def fix(backend, seen, finding):
        raise ValueError("no form of the value is read alike")
        yield

    faults = (fault("A", fix=fix), fault("B", place.sets("B")))
    record, succeeded, lines = ran(layer(*faults), place.backend(), yes=False)
    assert [("mend A is sick", False), ("mend B", True)] == [(c.why, c.ok) for c in record.changes]
    assert "no form of the value is read alike" == record.changes[0].output
    assert not succeeded
    assert "[@local] no form of the value is read alike" in lines


def test_a_fix_that_has_a_mistake_is_a_finding_and_the_next_fault_is_tried(place):
    def fix(backend, seen, finding):
        yield Change(place.sets("C", "2"), "begin")
        raise KeyError("canary-in-the-message")

    faults = (fault("A", fix=fix), fault("B", place.sets("B")))
    record, succeeded, lines = ran(layer(*faults), place.backend())
    assert "A=0\nB=1\nC=2\n" == place.text
    assert ("relogin.internal-error", "the fix of mine.a") in record.first
    assert ("relogin.internal-error", "the fix of mine.a") not in record.mended
    assert not succeeded
    assert "canary" not in "".join(lines)


def test_a_detect_that_has_a_mistake_is_a_finding_and_the_other_checks_go_on(place):
    def detect(backend, seen):
        raise KeyError("canary-in-the-message")

    faults = (Fault("mine.broken", detect), fault("B", place.sets("B")))
    record, succeeded, lines = ran(layer(*faults), place.backend())
    assert "B=1" in place.text
    assert [("relogin.internal-error", "mine.broken")] == list(record.left)
    assert not succeeded
    assert "canary" not in "".join(lines)


def test_a_dry_run_says_every_finding_and_changes_nothing(place):
    faults = (fault("A", place.sets("A")), fault("B", place.sets("B")))
    record, _, lines = ran(layer(*faults), place.backend(), yes=False, dry=True)
    assert "A=0\nB=0\nC=1\n" == place.text
    assert ["[@local] mine.a: A is sick", "[@local] mine.b: B is sick"] == [
        line for line in lines if "sick" in line
    ]
    assert ([], False) == (record.changes, record.executed)


def test_a_finding_is_said_once_though_a_run_prepares_and_executes(place):
    record, _, lines = ran(layer(fault("A", place.sets("A"))), place.backend(), yes=False)
    assert 1 == len([line for line in lines if "sick" in line])
    assert record.executed


def test_a_person_who_mended_it_at_the_prompt_leaves_nothing_to_do(place):
    op = layer(fault("A", place.sets("A", "by us")))
    with connected(yes=False) as (state, host):
        again(state, host, op, place.backend(), dry=True)
        place.write("A=by hand\n")
        from pyinfra.api.operations import run_ops
        from pyinfra.api.state import StateStage

        state.set_stage(StateStage.Execute)
        run_ops(state)
    assert "A=by hand\n" == place.text


def test_a_missing_secret_stops_the_backend_before_anything_is_looked_at(place):
    place.keys = {"X": Secret.env("RELOGIN_TEST_NONE"), "Y": Secret.file("/nosuch/file")}
    record, succeeded, lines = ran(layer(fault("A", place.sets("A"))), place.backend())
    assert (False, False, [], "A=0") == (succeeded, record.looked, record.changes, place.text[:3])
    said = [line for line in lines if "RELOGIN_TEST_NONE" in line]
    assert 1 == len(said)
    assert "Secret.file('/nosuch/file') has no value" in said[0]


def test_what_is_logged_does_not_obey_the_host(place):
    hostile = Fault("mine.h", lambda b, s: Finding("a\nb\x1b[2J", seen="c\rd"))
    _, _, lines = ran(layer(hostile), place.backend())
    assert r"[@local] mine.h: a\nb\x1b[2J (c\rd)" in lines
