"""Env files whose bytes, line ends or quotes mislead a reader."""

import dataclasses

import pytest

from relogin import EnvFile, Severity, Unreadable
from relogin.facts.env_file import UndecodableEnvFile
from relogin.operations.env_file import FAULTS
from tests.lab import canaries
from tests.operations.env_files import described, seen, written
from tests.operations.looks import (
    ENV,
    KEYS,
    Edit,
    carried_out,
    changes,
    env,
    found,
    halext,
    look,
    stopped,
    text,
    without,
)

CODE = f"ACCESS_CODE='{canaries.ACCESS_CODE}'"
FIRST = "# Halext, production\nDEV_MODE=false\n"
UNIT_READS_ANOTHER = text("service.show", f"{ENV} (ignore", "/etc/other.env (ignore")


def line(after: str, before: str = CODE) -> Edit:
    return env(before, after)


@pytest.mark.parametrize("odd", ["LOG_LEVEL=\udce4", "LOG_LEVEL=a\0b"])
def test_a_file_that_its_readers_refuse_is_a_persons_and_its_line_is_named(odd):
    looked = look(line(odd, "LOG_LEVEL=info"))
    assert UndecodableEnvFile(ENV, (15,)) == looked.env_files[0]
    (finding,) = found(FAULTS, looked)
    assert ("env_file.not-utf8", True, True) == (finding.fault, finding.critical, finding.by_person)
    assert finding.seen.startswith("line 15; ")
    assert [] == list(looked.unreadable())


def test_letters_of_other_languages_are_utf8():
    assert [] == found(FAULTS, look(line("LOG_LEVEL=größe", "LOG_LEVEL=info")))


def test_a_bom_that_hides_a_declared_key_is_taken_out():
    edit = env(FIRST, "\ufeffDEV_MODE=false\n")
    (finding,) = found(FAULTS, look(edit))
    assert f"{ENV} begins with a byte order mark, which hides DEV_MODE" == finding.what
    assert ("env_file.bom", Severity.CRITICAL) == (finding.fault, finding.severity)
    (change,) = changes(FAULTS, look(edit))
    assert "\ufeff" not in change.script
    assert "DEV_MODE=false\nDATABASE_URL=" in change.script


def test_a_bom_before_another_key_is_a_warning_and_before_a_note_nothing():
    (finding,) = found(FAULTS, look(env(FIRST, f"\ufeffOTHER=1\n{FIRST}")))
    assert ("env_file.bom", Severity.WARNING) == (finding.fault, finding.severity)
    assert [] == found(FAULTS, look(env(FIRST, f"\ufeff{FIRST}")))


CRLF = FIRST.replace("\n", "\r\n")


def test_line_ends_of_windows_are_a_warning_unless_a_shell_reads_the_file():
    (finding,) = found(FAULTS, look(env(FIRST, CRLF)))
    assert ("env_file.crlf", Severity.WARNING) == (finding.fault, finding.severity)
    assert finding.seen.startswith("1 keys' lines end in CR LF")
    read_by_sh = halext(env_file=EnvFile(ENV, keys=KEYS, readers=("python-dotenv", "sh")))
    findings = {one.fault: one for one in found(FAULTS, look(env(FIRST, CRLF)), read_by_sh)}
    assert findings["env_file.crlf"].critical


def test_bom_and_line_ends_are_mended_and_every_other_byte_kept(folder):
    raw = (
        b"\xef\xbb\xbfDEV_MODE=false\r\n# note\r\n\r\nPEM='a\r\nb'\r\nSECRET_KEY=x\n"
        b"ACCESS_CODE=y\nDATABASE_URL=postgresql://halext_user:p@127.0.0.1:5432/halext_org\r\n"
    )
    file = written(folder, raw, mode=0o600)
    backend = described(file, ACCESS_CODE="y")
    assert ["env_file.bom", "env_file.crlf"] == [
        one.fault for one in found(FAULTS, seen(file), backend)
    ]
    for _ in range(2):
        (change, *_) = changes(FAULTS, seen(file), backend)
        assert 0 == carried_out(change).status
    expected = raw[3:].replace(b"\r\n", b"\n").replace(b"'a\nb'", b"'a\r\nb'")
    assert expected == file.read_bytes()
    assert [] == found(FAULTS, seen(file), backend)


@pytest.mark.parametrize(
    "broken", [f"{CODE}x", "ACCESS_CODE='canary", f'ACCESS_CODE="{canaries.ACCESS_CODE}']
)
def test_a_declared_key_s_line_that_cannot_be_parsed_is_written_anew(broken):
    looked = look(line(broken))
    (finding,) = found(FAULTS, looked)
    assert f"ACCESS_CODE in {ENV} cannot be read: its line cannot be parsed" == finding.what
    assert ("env_file.unparsable-line", False) == (finding.fault, finding.by_person)
    assert finding.seen.startswith("line 6: ")
    (change,) = changes(FAULTS, looked)
    assert f"\n{CODE}\nSECRET_KEY=" in change.script.replace("'\"'\"'", "'")


def test_a_value_that_the_broken_line_may_still_hold_is_not_made_anew():
    broken = line("/halext_org'x\n", "/halext_org\n"), line("URL='p", "URL=p")
    for edit in (stopped, swallowed):
        looked = look(*broken, edit)
        (finding,) = found(FAULTS, looked)
        assert ("env_file.unparsable-line", True) == (finding.fault, finding.by_person)
        assert "correct line 3 by hand" == finding.remedy
        assert [] == changes(FAULTS, looked)


def swallowed(answers):
    """What systemd makes of a quote that is never closed: the rest of the file."""
    return text("service.environ", "halext_org\n", "halext_org\x01ACCESS_CODE=x\x01\n")(answers)


@pytest.mark.parametrize(
    ("odd", "severity"),
    [
        ("LOG_LEVEL='info' x", Severity.WARNING),
        ("just words of somebody", Severity.WARNING),
    ],
)
def test_another_line_that_cannot_be_parsed_is_a_persons(odd, severity):
    (finding,) = found(FAULTS, look(line(odd, "LOG_LEVEL=info")))
    assert f"line 15 of {ENV} cannot be parsed" == finding.what
    assert (severity, True) == (finding.severity, finding.by_person)
    assert "words" not in str(finding)


def test_a_quote_of_another_key_that_hides_declared_ones_is_a_persons_and_leads():
    """Its value is nobody's business, and what it hides is still there: none of it is made anew."""
    looked = look(env("# Halext, production\n", "OTHER='\n"), stopped)
    (finding,) = found(FAULTS, looked)
    assert ("env_file.unparsable-line", Severity.CRITICAL) == (finding.fault, finding.severity)
    assert finding.seen.endswith("; it hides ACCESS_CODE, DATABASE_URL, DEV_MODE")
    assert ([], True) == (changes(FAULTS, looked), finding.by_person)


def test_what_only_systemd_takes_for_a_part_of_a_value_counts_where_it_reads_the_file():
    edits = (line(f'{CODE}\nOTHER="'), line("QUOTED=a", 'QUOTED="a b"'))
    (finding,) = found(FAULTS, look(*edits))
    assert (Severity.CRITICAL, True) == (finding.severity, finding.seen.endswith("SECRET_KEY"))
    (elsewhere,) = found(FAULTS, look(*edits, UNIT_READS_ANOTHER))
    assert Severity.WARNING == elsewhere.severity


def test_a_note_that_begins_with_a_semicolon_hurts_nobody_but_a_shell():
    edit = line("; note\nLOG_LEVEL=info", "LOG_LEVEL=info")
    assert [] == found(FAULTS, look(edit))
    read_by_sh = halext(env_file=EnvFile(ENV, keys=KEYS, readers=("python-dotenv", "sh")))
    assert ["env_file.unparsable-line"] == [
        one.fault for one in found(FAULTS, look(edit), read_by_sh)
    ]


@pytest.mark.parametrize(
    ("odd", "meant"),
    [
        (f"{CODE} # for sign-ups", canaries.ACCESS_CODE),
        ('ACCESS_CODE="a\\nb"', canaries.ACCESS_CODE),
        ("ACCESS_CODE=a #b", canaries.ACCESS_CODE),
    ],
)
def test_a_line_that_is_read_differently_gets_the_declared_value_in_one_form(odd, meant):
    looked = look(line(odd))
    (finding,) = found(FAULTS, looked)
    assert f"ACCESS_CODE in {ENV} is not the same for python-dotenv and systemd" == finding.what
    assert ("env_file.readers-disagree", True, False) == (
        finding.fault,
        finding.critical,
        finding.by_person,
    )
    (change,) = changes(FAULTS, looked)
    assert f"ACCESS_CODE='{meant}'" in change.script.replace("'\"'\"'", "'")


def test_what_nobody_declares_stays_what_is_in_force():
    odd = line("SECRET_KEY='right' # the note", f"SECRET_KEY={canaries.SECRET_KEY}")
    process = text("service.environ", canaries.SECRET_KEY, "right# the note")
    for edits in ((odd, process), (odd, stopped)):
        (finding,) = [one for one in found(FAULTS, look(*edits)) if not one.fault.startswith("jwt")]
        assert ("env_file.readers-disagree", False) == (finding.fault, finding.by_person)
        (change,) = changes(FAULTS, look(*edits))
        assert "SECRET_KEY='\"'\"'right# the note'\"'\"'" in change.script


def test_a_file_that_systemd_does_not_read_may_have_notes_behind_its_values():
    assert [] == found(FAULTS, look(line(f"{CODE} # for sign-ups"), UNIT_READS_ANOTHER))


def test_a_key_that_systemd_alone_does_not_see_may_come_from_the_program_itself():
    assert [] == found(FAULTS, look(line(f"export {CODE}")))


def test_a_key_that_comes_twice_with_other_values_is_said_with_the_line_that_counts():
    (finding,) = found(FAULTS, look(line(f"ACCESS_CODE=of-last-year\n{CODE}")))
    assert ("env_file.key-twice", Severity.WARNING, True) == (
        finding.fault,
        finding.severity,
        finding.by_person,
    )
    assert "lines 6, 7, with other values: for every reader line 7 counts" == finding.seen
    assert "of-last-year" not in str(finding)
    (same,) = found(FAULTS, look(line(f"{CODE}\n{CODE}")))
    assert (Severity.NOTE, "lines 6, 7, with one value") == (same.severity, same.seen)


def test_others_keys_may_come_as_often_as_they_like():
    assert [] == found(FAULTS, look(line("LOG_LEVEL=info\nLOG_LEVEL=debug", "LOG_LEVEL=info")))


def test_who_reads_the_file_decides_what_is_missing():
    by_systemd = halext(env_file=EnvFile(ENV, keys=KEYS, readers=("systemd",)))
    looked = look(line(f"export {CODE}"), backend=by_systemd)
    (finding,) = found(FAULTS, looked, by_systemd)
    assert "env_file.key-missing" == finding.fault


def test_nothing_is_said_of_a_file_that_could_not_be_read():
    unseen = dataclasses.replace(look(), env_files=(Unreadable("no"),))
    assert [] == found(FAULTS, unseen)


def test_a_missing_key_is_not_also_a_broken_line():
    (finding,) = found(FAULTS, look(without("ACCESS_CODE")))
    assert "env_file.key-missing" == finding.fault
