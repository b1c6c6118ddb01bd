"""A backend that has its values from elsewhere than the declared env file, and a file in git."""

import base64
import dataclasses

import pytest

from relogin import Secret, Severity, Supervisor
from relogin.facts.observation import Observation
from relogin.facts.proof import Check, Proof
from relogin.operations.env_file import FAULTS
from relogin.tokens import mint
from tests.lab import canaries
from tests.operations.looks import ENV, ROOT, env, found, halext, look, said, stopped, text

OTHER = "another-secret-that-nobody-knows-of-here"
ELSEWHERE = text("service.environ", "ACCESS_CODE=canary-code", "ACCESS_CODE=of-last-year")


def test_values_that_are_in_no_env_file_are_a_persons():
    (finding,) = found(FAULTS, look(ELSEWHERE))
    assert f"the running backend has other values than {ENV}" == finding.what
    assert ("env_file.other-file-used", True, True) == (
        finding.fault,
        finding.critical,
        finding.by_person,
    )
    assert finding.seen.startswith("ACCESS_CODE: from none of its env files")
    assert "systemctl cat halext-api.service: Environment=, PassEnv" in finding.remedy
    assert "of-last-year" not in str(finding)


def test_a_unit_s_other_file_is_named():
    files = f"{ENV} (ignore_errors=no)\nEnvironmentFiles=/etc/other.env (ignore_errors=no)"
    edit = text("service.show", f"{ENV} (ignore_errors=no)", files)
    (finding,) = found(FAULTS, look(ELSEWHERE, edit))
    assert "systemctl cat halext-api.service: /etc/other.env, Environment=" in finding.remedy


def test_supervisord_has_an_environment_of_its_own():
    backend = halext(service=Supervisor("halext"))
    (finding,) = found(FAULTS, look(ELSEWHERE), backend)
    assert "environment= in supervisord's configuration" in finding.remedy


@pytest.mark.parametrize(
    "edits",
    [
        (ELSEWHERE, env("11:06:40.307317066", "11:06:59.000000000")),  # older than its file
        (ELSEWHERE, stopped),
        (ELSEWHERE, text("service.show", "\nUser=", "\nNeedDaemonReload=yes\nUser=")),
        (ELSEWHERE, said("env_0", f"none\n{ENV}\n", 1)),
        (text("service.environ", "ACCESS_CODE=canary", "OTHER=canary"),),
        (  # what systemd makes of the line is in the file
            env(f"ACCESS_CODE='{canaries.ACCESS_CODE}'", "ACCESS_CODE=a #b"),
            text("service.environ", f"ACCESS_CODE={canaries.ACCESS_CODE}", "ACCESS_CODE=a #b"),
        ),
    ],
)
def test_what_has_another_reason_is_not_another_file(edits):
    assert "env_file.other-file-used" not in {one.fault for one in found(FAULTS, look(*edits))}


def other_file(secret: str):
    content = base64.b64encode(f"SECRET_KEY={secret}\n#rc=0".encode()).decode()
    return said("source", f"./settings/.env\t{content}\n#rc 0")


def signed_with(secret: str, seen: Observation) -> Observation:
    token = mint({"sub": "ops"}, secret, "HS256")
    checks = (Check("login", True, ""), Check("signature", secret == canaries.SECRET_KEY, ""))
    proof = Proof("ops", "http://127.0.0.1/token", checks, 200, token=Secret.seen(token))
    return dataclasses.replace(seen, login=proof)


def test_the_file_whose_secret_signed_the_token_is_the_one_that_is_read():
    seen = signed_with(OTHER, look(other_file(OTHER)))
    (finding,) = found(FAULTS, seen)
    assert f"the running backend reads {ROOT}/settings/.env, not {ENV}" == finding.what
    assert ("env_file.other-file-used", True, True) == (
        finding.fault,
        finding.critical,
        finding.by_person,
    )
    assert OTHER not in str(finding)


def test_a_file_that_is_only_there_is_nobody_s_fault():
    assert [] == found(FAULTS, look(other_file(OTHER)))
    assert [] == found(FAULTS, signed_with(canaries.SECRET_KEY, look(other_file(OTHER))))
    assert [] == found(FAULTS, signed_with("a-third-one" * 4, look(other_file(OTHER))))


def test_a_file_in_git_is_a_warning_with_the_way_out():
    (finding,) = found(FAULTS, look(said("source", f"#tracked {ENV}\t/srv/halext.org\n#rc 0")))
    assert f"{ENV} is in the git repository /srv/halext.org" == finding.what
    assert ("env_file.tracked-by-git", Severity.WARNING, True) == (
        finding.fault,
        finding.severity,
        finding.by_person,
    )
    assert f"git -C /srv/halext.org rm --cached {ENV}" in finding.remedy
