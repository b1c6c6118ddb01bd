"""The lab proves itself: what it says of a host is so, and a broken host becomes whole again."""

from collections.abc import Iterator

import pytest

from . import canaries
from .host import Host

pytestmark = pytest.mark.lab

DAMAGE = """
backend=/srv/halext.org/halext-org/backend
systemctl stop halext-api
systemctl disable -q halext-api
mkdir -p /etc/systemd/system/halext-api.service.d /run/systemd/system/nginx.service.d
printf '[Service]\\nUser=nobody\\n' >/etc/systemd/system/halext-api.service.d/extra.conf
printf '[Service]\\nNice=5\\n' >/run/systemd/system/nginx.service.d/extra.conf
(cd $backend && env/bin/python -m pip uninstall -qy pyjwt bcrypt 2>/dev/null)
rm $backend/.env $backend/env/bin/uvicorn
chmod 777 $backend
runuser -u postgres -- psql -qX -d halext_org <<'SQL'
DELETE FROM users WHERE username = 'ops';
UPDATE users SET is_active = false;
CREATE TABLE litter (id int);
DROP OWNED BY blog_user;
\\c postgres
DROP DATABASE halext_org WITH (FORCE);
CREATE ROLE intruder SUPERUSER;
DROP ROLE halext_user;
SQL
echo 'host all all all trust' >>/etc/postgresql/15/main/pg_hba.conf
systemctl stop postgresql nginx
systemctl mask -q postgresql@15-main
echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/extra
mkdir -p /var/lib/relogin && touch /var/lib/relogin/undo /tmp/left
echo 'AllowUsers root' >/etc/ssh/sshd_config.d/lab.conf
systemctl restart ssh
"""


@pytest.fixture
def host(lab: list[Host]) -> Host:
    return lab[0]


@pytest.fixture
def patient(host: Host) -> Iterator[Host]:
    yield host
    host.heal()


def test_a_healthy_host_logs_people_in(lab: list[Host]) -> None:
    logins = [host.login() for host in lab]
    assert [(200, 200)] * len(lab) == [(login.token_status, login.me_status) for login in logins]
    assert '"username":"ops"' in logins[0].body


def test_a_wrong_password_is_refused(host: Host) -> None:
    assert host.login(password="wrong").token_status == 401
    assert host.login("nobody", canaries.OPS_PASSWORD).token_status == 401
    assert host.login("tony", canaries.OTHERS_PASSWORD).token_status == 400


def test_without_the_jwt_secret_health_stays_green_and_the_login_fails(patient: Host) -> None:
    patient.root("""
    sed -i /^SECRET_KEY=/d /srv/halext.org/halext-org/backend/.env
    systemctl restart halext-api
    until curl -sf -o /dev/null http://127.0.0.1/api/health; do sleep 0.2; done
    """)
    assert patient.login().token_status == 500


def test_without_its_database_the_backend_starts_and_the_login_fails(patient: Host) -> None:
    patient.root("""
    systemctl stop 'postgresql@*-main.service'
    systemctl restart halext-api
    until curl -sf -o /dev/null http://127.0.0.1/api/health; do sleep 0.2; done
    """)
    assert patient.login().token_status == 500


def test_a_broken_host_becomes_whole_again(patient: Host) -> None:
    before = patient.snapshot()
    patient.root(DAMAGE)
    assert len(differing(before, patient.snapshot())) > 50
    patient.heal()
    assert differing(before, patient.snapshot()) == []
    assert patient.login().works


def test_hosts_are_alike_but_for_what_names_them(lab: list[Host]) -> None:
    one, *others = (host.snapshot() for host in lab)
    key = "file:/etc/ssh/ssh_host_ed25519_key"
    for other in others:
        assert differing(one, other) == ["file:/etc/machine-id", key, f"{key}.pub"]


def test_a_file_that_has_its_size_and_time_again_is_seen_by_what_it_holds(patient: Host) -> None:
    before = patient.snapshot()
    patient.root("""cd /home/deploy; cp -p .profile /tmp/kept; sed 1s/./X/ /tmp/kept >/tmp/changed
    cat /tmp/changed >.profile; touch -r /tmp/kept .profile; rm /tmp/kept /tmp/changed""")
    changed = patient.snapshot()
    patient.root("rm /home/deploy/.profile")  # healing goes by size and time
    assert differing(before, changed) == ["file:/home/deploy/.profile"]


def test_a_change_of_one_row_is_seen_as_that_row(patient: Host) -> None:
    before = patient.snapshot()
    patient.psql("UPDATE users SET full_name = 'Ada' WHERE username = 'ada'")
    [key] = differing(before, patient.snapshot())
    assert key == "row:halext_org.public.users:2"


def test_a_changed_password_of_a_role_is_seen_as_its_verifier(patient: Host) -> None:
    before = patient.snapshot()
    patient.psql("ALTER ROLE blog_user PASSWORD 'other'")
    assert differing(before, patient.snapshot()) == ["role-verifier:blog_user"]


def test_a_short_lived_program_is_recorded_with_its_environment(host: Host) -> None:
    host.forget_execs()
    host.ssh("LAB_MARK=seen-it /bin/true a-mark 'two words' ''")
    [found] = [e for e in host.execs() if "a-mark" in e.argv]
    assert found.argv == ["/bin/true", "a-mark", "two words", ""]
    assert "LAB_MARK=seen-it" in found.environ
    assert 1000 <= found.uid < 2000


def test_a_setuid_program_is_recorded_too(host: Host) -> None:
    host.forget_execs()
    host.ssh("sudo -n /bin/true by-sudo")
    assert {"sudo", "/bin/true"} == {e.argv[0] for e in host.execs() if "by-sudo" in e.argv}


def test_only_the_backend_is_given_secrets(patient: Host) -> None:
    patient.root("systemctl restart halext-api")
    patient.login()
    given = [e for e in patient.execs() if e.holds(canaries.PREFIX)]
    assert given
    assert all(e.is_of("halext-api.service") for e in given)


def test_files_with_secrets_are_found_by_their_text(patient: Host) -> None:
    expected = ["/srv/halext.org/halext-org/backend/.env"]
    assert expected == patient.files_holding([canaries.PREFIX])
    patient.root(f"echo {canaries.SECRET_KEY} >/var/tmp/leak")
    assert [*expected, "/var/tmp/leak"] == patient.files_holding([canaries.PREFIX])
    with pytest.raises(AssertionError, match="/var/tmp/leak"):
        patient.heal()


@pytest.mark.parametrize(
    ("user", "command", "stdin", "expected"),
    [
        ("root", "id -un", "", "root"),
        ("deploy", "id -un; sudo -n id -un", "", "deploy\nroot"),
        ("deploypw", "sudo -k; sudo -n id -un || echo asked", "", "asked"),
        ("deploypw", "sudo -k -S -p '' id -un", f"{canaries.SUDO_PASSWORD}\n", "root"),
        ("deploypw", "sudo -k -S -p '' id -un || echo refused", "wrong\n", "refused"),
        ("nosudo", "sudo -n id -un || echo refused", "", "refused"),
    ],
    ids=["root", "passwordless", "password-needed", "password", "wrong-password", "no-sudo"],
)
def test_each_user_has_the_rights_it_is_there_for(
    host: Host, user: str, command: str, stdin: str, expected: str
) -> None:
    assert expected == host.ssh(command, user=user, stdin=stdin).stdout.strip()


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(k for k in before | after if before.get(k) != after.get(k))
