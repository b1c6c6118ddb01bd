"""What a login's verdict shows and what decides the run, on a real host."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import canaries
from .cases.case import Case, code
from .cases.login import TOKEN, certified, declared, self_signed
from .host import Host
from .product import restore

pytestmark = pytest.mark.lab


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


# What a careless backend writes into its log in the moment in which it refuses somebody.
TALKING = """
    minted = jwt.encode({"sub": form.username}, SECRET_KEY, algorithm=ALGORITHM)
    log.warning("[LEAK] 1 %s says %s", form.username, form.password)
    log.warning("[LEAK] 2 {'password': %r, 'code': %r}", form.password, ACCESS_CODE)
    log.warning("[LEAK] 3 connecting to %s", os.environ["DATABASE_URL"])
    log.warning("[LEAK] 4 Authorization: Bearer %s", minted)
    log.warning("[LEAK] 5 secret %s, hash %s", SECRET_KEY, find(database, "ops").hashed_password)
    raise HTTPException(401, f"no {form.password}")
"""


def test_the_backends_own_lines_are_shown_without_what_is_secret(host: Host) -> None:
    host.root(code(TOKEN, TALKING))
    hidden = host.root(
        "cat /srv/halext.org/halext-org/backend/.env;"
        " runuser -u postgres -- psql -qXAt -d halext_org -c 'select hashed_password from users'"
    )

    ran = restore(host, "-vvv")

    said = ran.section("What the backend said")
    assert [1, 2, 3, 4, 5] == [n for n in range(9) if any(f"[LEAK] {n} " in one for one in said)]
    values = [line.partition("=")[2].strip("\"'") or line for line in hidden.split("\n") if line]
    secrets = {value for value in (*values, *canaries.ALL) if len(value) > 11}
    assert [] == [secret for secret in secrets if secret in ran.output]
    assert "eyJ" not in ran.output


def test_an_accepted_fault_of_the_public_url_is_shown_and_does_not_fail_the_run(host: Host) -> None:
    away = declared(public_url=f"'http://{host.address}:8009/token'")

    accepting = f"{away}, accepted={{'login.public-url': 'behind VPN until May'}}"
    fails, passes = restore(host, profile=away), restore(host, profile=accepting)

    assert (1, 0) == (fails.code, passes.code), passes.output
    assert "login.public-not-listening" in passes.section("What was wrong first")[0]
    assert "(accepted: behind VPN until May)" in passes.section("Proof")[-2]
    assert "people can log in; nothing was changed" in passes.verdict


def test_a_login_that_does_not_work_cannot_be_accepted(host: Host) -> None:
    profile = "accepted={'login.wrong-path': 'we are moving'}, "

    ran = restore(host, profile=profile + declared(url="'http://127.0.0.1/login'"))

    assert 1 == ran.code, ran.output
    assert "accepted: we are moving" in ran.verdict


def test_a_login_by_tls_is_proven_with_a_certificate_of_ones_own(
    host: Host, tmp_path: Path
) -> None:
    fields = {
        "url": "'https://127.0.0.1/token'",
        "protected": "'https://127.0.0.1/users/me'",
        "host_header": "'org.halext.org'",
        "public_url": f"'https://{host.address}/token'",
        "ca": "'CERTIFICATE'",
    }
    names = f"DNS:org.halext.org,IP:{host.address}"
    case = Case("", certified(self_signed(names), 443), profile=declared(**fields))
    case.make(host)

    ran = restore(host, profile=case.profile_at(host, tmp_path))

    assert 0 == ran.code, ran.output
    proof = "\n".join(ran.section("Proof"))
    assert "logged in at https://127.0.0.1/token (200" in proof
    assert f"from here, POST https://{host.address}/token: 200" in proof
