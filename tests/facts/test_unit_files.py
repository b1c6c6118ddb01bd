"""What is made of a unit's files on disk; the script runs here, on a tree of our own."""

import os

import pytest

from relogin.facts import unit_files
from relogin.facts.unit_files import Settings, together
from relogin.remote import Answer
from tests.facts.answers import SHELLS, run

UNIT = "halext-api.service"


def write(tree, path: str, text: str):
    file = tree / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def seen(tree, unit: str = UNIT, sh: tuple[str, ...] = ("sh",)):
    """Run the part of the look on folders below `tree`, and take its answer apart."""
    script = unit_files.script(unit)
    for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib"):
        script = script.replace(f" {folder} ", f" {tree}{folder} ")
    answer = run(f"{script.replace('in /etc ', f'in {tree}/etc ')}\nfiles", sh)
    return unit_files.parse(answer)


@pytest.mark.parametrize("sh", SHELLS)
def test_the_fragment_comes_first_and_drop_ins_in_the_order_of_their_names(tmp_path, sh):
    write(tmp_path, f"etc/systemd/system/{UNIT}", "[Service]\nWorkingDirectory=/srv/a\n")
    write(tmp_path, f"run/systemd/system/{UNIT}.d/b.conf", "[Service]\nEnvironmentFile=/b\n")
    write(tmp_path, f"etc/systemd/system/{UNIT}.d/c.conf", "[Service]\nEnvironmentFile=/c\n")
    write(tmp_path, "usr/lib/systemd/system/halext-.service.d/a.conf", "[Service]\n")
    files = seen(tmp_path, sh=sh)
    assert [UNIT, "a.conf", "b.conf", "c.conf"] == [one.name for one in files]
    last = files[-1].path
    expected = {"WorkingDirectory": files[0].path, "EnvironmentFile": last}
    assert Settings("/srv/a", ("/b", "/c"), expected) == together(files)


def test_a_unit_may_have_a_colon_in_its_name(tmp_path):
    unit = "api:8000\\x2db.service"
    write(tmp_path, f"etc/systemd/system/{unit}", "[Service]\nWorkingDirectory=/srv/a: b\n")
    write(tmp_path, f"etc/systemd/system/{unit}.d/a:1.conf", "[Service]\nEnvironmentFile=/b\n")
    told = together(seen(tmp_path, unit))
    assert told is not None
    assert ("/srv/a: b", ("/b",)) == (told.working_directory, told.environment_files)


def test_of_two_of_one_name_the_one_in_etc_counts(tmp_path):
    for folder in ("usr/lib", "etc", "run"):
        text = f"[Service]\nWorkingDirectory=/{folder}\n"
        write(tmp_path, f"{folder}/systemd/system/{UNIT}", text)
        write(tmp_path, f"{folder}/systemd/system/{UNIT}.d/a.conf", text)
    files = seen(tmp_path)
    assert [str(tmp_path / "etc")] * 2 == [one.path.partition("/systemd/")[0] for one in files]


def test_a_file_of_old_contents_has_the_time_at_which_it_came(tmp_path):

    file = write(tmp_path, f"etc/systemd/system/{UNIT}", "[Service]\n")
    os.utime(file, (0, 0))
    (one,) = seen(tmp_path)
    assert one.changed == pytest.approx(file.stat().st_ctime, abs=0.001)


def test_a_mask_is_a_link_to_dev_null_with_a_time_of_its_own(tmp_path):
    link = tmp_path / "etc/systemd/system" / UNIT
    link.parent.mkdir(parents=True)
    link.symlink_to("/dev/null")
    (one,) = seen(tmp_path)
    assert one.masks
    assert one.changed == pytest.approx(link.lstat().st_ctime, abs=0.001)


def test_a_link_to_nowhere_is_no_file(tmp_path):
    write(tmp_path, f"etc/systemd/system/{UNIT}", "[Service]\n")
    folder = tmp_path / f"etc/systemd/system/{UNIT}.d"
    folder.mkdir()
    (folder / "a.conf").symlink_to("/nowhere")
    assert [UNIT] == [one.name for one in seen(tmp_path)]


def test_a_template_has_its_files_under_its_own_name(tmp_path):
    write(tmp_path, "etc/systemd/system/api@.service", "[Service]\nEnvironmentFile=/a\n")
    write(tmp_path, "etc/systemd/system/api@.service.d/a.conf", "[Service]\nEnvironmentFile=/b\n")
    files = seen(tmp_path, "api@one.service")
    assert ["api@.service", "a.conf"] == [one.name for one in files]


def said(*texts: str) -> Settings | None:
    """Give what a fragment and its drop-ins say together."""
    lines = []
    for number, text in enumerate(texts):
        path = f"/etc/x.service.d/{number}.conf" if number else "/etc/x.service"
        lines.append(f"2026-11-21 10:00:00.5 +0000|{path}")
        lines += [f"{path}:{line}" for line in text.splitlines()]
    return together(unit_files.parse(Answer("\n".join(lines).encode(), 0)))


@pytest.mark.parametrize(
    ("texts", "folder", "files"),
    [
        (["[Service]\nWorkingDirectory = -/srv//a/ "], "/srv/a", ()),
        (["[Service]\nEnvironmentFile=-/a\nEnvironmentFile=/b"], "", ("/a", "/b")),
        (["[Service]\nEnvironmentFile=/a", "[Service]\nEnvironmentFile=\n"], "", ()),
        (["[Service]\nWorkingDirectory=/a", "[Service]\nWorkingDirectory=/b"], "/b", ()),
        (["[Unit]\nWorkingDirectory=/a\n[Service]"], "", ()),
        (["[Service]\nEnvironmentFile=/a b/c=d"], "", ("/a b/c=d",)),
    ],
)
def test_settings_are_read_as_systemd_reads_them(texts, folder, files):
    found = said(*texts)
    assert found is not None
    assert (folder, files) == (found.working_directory, found.environment_files)


@pytest.mark.parametrize("value", ["/srv/%i", "~", "srv", "/srv/*", '"/srv"', "/a/../b", "/a\\"])
def test_what_only_systemd_can_tell_is_not_guessed(value):
    assert said(f"[Service]\nWorkingDirectory={value}") is None


def test_without_a_fragment_on_disk_nothing_is_known():
    assert together(()) is None
