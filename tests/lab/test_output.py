"""What a host says that is huge, no text, or not ours to hear: right, or unreadable, no guess."""

import re
from collections.abc import Iterator

import pytest

from .cases.case import BACKEND, PSQL
from .host import Host
from .inventory import block, by, run
from .product import Ran, diagnose, restore
from .test_restore import differences

pytestmark = pytest.mark.lab

# Straight to the journal's socket: over 128 kB or so as a sealed memfd (systemd.io, NATIVE_JOURNAL_
# PROTOCOL), which is how one line of 10 MB gets in; stdout is split at 48 kB.
JOURNAL = """
systemd-run -q --wait --pipe --unit=halext-noise -p User=root python3 - <<'PYTHON'
import array, fcntl, os, socket
text = {text}
data = b"MESSAGE\\n" + len(text).to_bytes(8, "little") + text + b"\\nPRIORITY=6\\n"
data += b"SYSLOG_IDENTIFIER=uvicorn\\nOBJECT_SYSTEMD_UNIT=halext-api.service\\n"
data += b"UNIT=halext-api.service\\n"
file = os.memfd_create("line", os.MFD_ALLOW_SEALING)
os.write(file, data)
fcntl.fcntl(file, 1033, 1 | 2 | 4 | 8)
line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
line.connect("/run/systemd/journal/socket")
line.sendmsg([], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
PYTHON
journalctl --sync
"""


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


@pytest.mark.parametrize(
    "text", ["b'x' * 10_000_000", r"b'Gr\xfc\xdfe \xff\xfe' * 20", r"b'\x00\x01\x1b[2J' * 20"],
    ids=["10 MB", "latin-1", "controls"],
)  # fmt: skip
def test_a_log_line_that_is_huge_or_no_text_does_no_harm(host, text):
    host.root(JOURNAL.format(text=text))
    size = len(host.root("journalctl -q -u halext-api -n 3 -o short-iso --no-pager"))
    assert size > 10_000_000 or "10_000_000" not in text
    host.root("systemctl stop halext-api")

    ran = restore(host)

    assert 0 == ran.code, ran.output
    assert_no_noise(ran)
    assert host.login().works


UNREADABLE = {
    "latin-1": (r"printf 'NAME=Gr\374n\n' >>.env", r"not UTF-8"),
    "50 MB": (
        "head -c 50000000 /dev/zero | tr '\\0' x >>.env",
        r"has 500\d+ bytes: that is no env",
    ),
    "binary": ("head -c 3000 /dev/urandom >.env", r"not UTF-8"),
    "a pipe": ("mv .env .env.away; mkfifo -m 600 .env; chown halext: .env", r"is a fifo"),
    "a folder": ("mv .env .env.away; mkdir .env", r"is a directory"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_env_file_that_is_none_is_said_and_left_as_it_is(host, case):
    script, said = UNREADABLE[case]
    host.root(f"cd {BACKEND}\n{script}")
    before = host.root(f"ls -l --time-style=full-iso {BACKEND}/.env")

    ran = restore(host)

    assert_no_noise(ran)
    assert re.search(said, ran.verdict), ran.verdict
    assert before == host.root(f"ls -l --time-style=full-iso {BACKEND}/.env")


BANNERS = {
    "a banner": "echo 'Welcome to the host'",
    "latin-1, without a line's end": r"printf 'Gr\374\337e'",
    "stderr": r"printf 'Gr\374\337e\n' >&2; yes warning | head -c 100000 >&2",
    "a child that stays": "sleep 300 & :",
}


@pytest.mark.parametrize("case", BANNERS)
def test_a_login_script_that_writes_does_no_harm(host, tmp_path, case):
    host.root(f"""cp -p /home/deploy/.bashrc /root/bashrc
cat - /root/bashrc >/home/deploy/.bashrc <<'SAID'
{BANNERS[case]}
SAID
""")
    try:
        host.root(f"systemctl stop halext-api\n{PSQL} -c \"ALTER ROLE halext_user PASSWORD 'x'\"")
        ran = run(tmp_path, [by(host)])
        assert 0 == ran.code, ran.output
        assert_no_noise(ran)
        assert host.console(["curl", "-sf", "http://127.0.0.1/api/health"]).returncode == 0
    finally:
        host.root("cp -p /root/bashrc /home/deploy/.bashrc; rm /root/bashrc; pkill -x sleep; true")


def test_a_psql_that_dies_in_the_middle_of_its_answer_is_no_finding(host):
    host.root("""
    mv /usr/lib/postgresql/15/bin/psql /usr/lib/postgresql/15/bin/psql.real
    printf '#!/bin/sh\\n/usr/lib/postgresql/15/bin/psql.real "$@" | head -c 900\\nkill -9 $$\\n' \
        >/usr/lib/postgresql/15/bin/psql
    chmod 755 /usr/lib/postgresql/15/bin/psql
    """)
    try:
        ran = diagnose(host)
    finally:
        host.root("mv /usr/lib/postgresql/15/bin/psql.real /usr/lib/postgresql/15/bin/psql")
    assert_no_noise(ran)
    assert ran.section("What could not be seen"), ran.verdict
    assert [] == ran.section("What was wrong first")


RESTRICTED = """
useradd --create-home --shell /bin/bash limited 2>/dev/null
echo 'limited ALL=(root) NOPASSWD: /usr/bin/systemctl' >/etc/sudoers.d/limited
chmod 440 /etc/sudoers.d/limited
echo 'AllowUsers limited' >/etc/ssh/sshd_config.d/zz-limited.conf
systemctl restart ssh; sleep 0.5
"""


def test_sudo_for_some_commands_alone_is_no_root(host, tmp_path):
    host.root(RESTRICTED)
    try:
        host.root("systemctl stop halext-api")
        before = host.snapshot()
        ran = run(tmp_path, [by(host, "limited")])
        assert 1 == ran.code, ran.output
        assert_no_noise(ran)
        assert "we were limited there, without root" in block(ran, host)
        assert f"{BACKEND}/.env cannot be read by the user we are on the host" in block(ran, host)
        assert {} == differences(before, host.snapshot())
    finally:
        host.root("userdel -r limited 2>/dev/null; true")


def assert_no_noise(ran: Ran) -> None:
    assert "Traceback" not in ran.output, ran.output
    assert "relogin itself failed" not in ran.output, ran.output
    assert "\x1b[2J" not in ran.output
