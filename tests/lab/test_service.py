"""The service on a real host, where more than one thing is wrong with it."""

from collections.abc import Iterator

import pytest

from .cases.case import BACKEND, UNINSTALL, code, drop_in
from .host import Host
from .product import diagnose, restore

pytestmark = pytest.mark.lab


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


def starts(host: Host) -> int:
    """Count the starts of the service since the host was healed, as the journal has them."""
    return int(
        host.root(
            "journalctl --sync; journalctl -u halext-api -o cat | grep -c '^Started ' || true"
        )
    )


def test_all_that_needs_a_restart_is_mended_by_one(host: Host) -> None:
    host.use.holders = ("/etc/halext.env",)
    host.root(
        f"sed 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' {BACKEND}/.env >/etc/halext.env"
        + f"\ncp -rp {BACKEND} /srv/elsewhere"
        + drop_in(
            "override",
            "[Service]\\nWorkingDirectory=/srv/elsewhere\\nEnvironmentFile=/etc/halext.env",
        )
        + "systemctl restart halext-api; sleep 2\n"
        + f"sed -i s/^DEV_MODE=.*/DEV_MODE=true/ {BACKEND}/.env"
        + drop_in("later", "[Service]\\nEnvironment=ADDED=1", reload=False)
    )
    before = starts(host)

    ran = restore(host)

    assert 0 == ran.code, ran.output
    assert host.login().works, ran.output
    assert 1 == starts(host) - before, ran.output
    assert [] == restore(host).changed()


def test_a_needed_unit_that_does_not_start_is_a_persons_with_its_own_words(host: Host) -> None:
    host.root("echo 'nonsense on;' >>/etc/nginx/sites-enabled/halext; systemctl stop nginx")

    ran = restore(host)

    assert 1 == ran.code, ran.output
    assert "service.needed-unit-down" in ran.section("What was wrong first")[0]
    needs = "\n".join(ran.section("What needs you"))
    assert 'unknown directive "nonsense" in /etc/nginx/sites-enabled/halext' in needs, ran.output


def test_a_name_that_no_unit_has_is_answered_with_those_that_may_be_meant(host: Host) -> None:
    ran = diagnose(host, profile='service=_replace(_example.service, unit="halext", user=None)')

    wrong = "\n".join(ran.section("What was wrong first"))
    assert "halext.service does not exist" in wrong, ran.output
    assert "correct its name in the inventory (there is halext-api.service)" in wrong, ran.output


def test_workers_that_crash_under_a_parent_that_stays_up_are_mended_by_their_cause(
    host: Host,
) -> None:
    command = f"ExecStart=\\nExecStart={BACKEND}/env/bin/uvicorn main:app --port 8000 --workers 2"
    host.root(
        drop_in("workers", f"[Service]\\n{command}")
        + f"{UNINSTALL} python-multipart; systemctl restart halext-api; sleep 12"
    )

    ran = restore(host)

    assert 0 == ran.code, ran.output
    assert "venv.requirement-missing" in ran.section("What was wrong first")[0]
    assert any("service.crash-looping" in line for line in ran.section("What followed from it"))
    assert host.login().works, ran.output


def test_a_login_that_is_refused_shows_what_the_backend_said_meanwhile(host: Host) -> None:
    said = "locked by policy 7, see postgresql://u:hunter2-of-theirs@db/x"
    host.root(
        code(
            "    user = find(database, form.username)",
            f"    print({said!r}, flush=True)\n    raise HTTPException(403)",
        )
    )

    for ran in (diagnose(host), restore(host)):
        lines = ran.section("What the backend said")
        assert any("locked by policy 7, see postgresql://u:***@db/x" in line for line in lines), (
            ran.output
        )
        assert any('"POST /token HTTP/1.0" 403' in line for line in lines), ran.output
        assert not any("Started server process" in line for line in lines), ran.output
        assert "hunter2-of-theirs" not in ran.output


def test_a_login_that_works_shows_no_log(host: Host) -> None:
    assert [] == diagnose(host).section("What the backend said")


def test_a_backend_that_somebody_restarted_this_second_is_waited_for(host: Host) -> None:
    slow = "import time; time.sleep(4)"
    host.root(f"cd {BACKEND}; sed -i '1i {slow}' main.py; systemctl restart halext-api")
    assert 502 == host.login().token_status, "it answers at once: nothing is to be waited for"

    ran = restore(host)

    assert 0 == ran.code, ran.output
    assert 1 == starts(host), ran.output
    assert host.login().works
