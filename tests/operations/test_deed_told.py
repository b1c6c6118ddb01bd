"""Why a deed did not come to its end: in the verdict, and in what is kept of the run."""

import os

import pytest

from .backups import REPOSITORY, stopped
from .restoring import backed

__all__ = ["backed"]
pytestmark = pytest.mark.embedded
# A step of an onboarding, as the operations of one have it.
STEP = """\
from pyinfra.api import operation

from relogin import onboarding
from relogin.deploys.backends import each_backend
from relogin.fault import Change
from relogin.report.text import verdict_at_exit


@operation()
def made(backend):
    def changes(backend, bare):
        {changes}

    yield from onboarding.step(backend, changes)


for backend in each_backend():
    verdict_at_exit("onboard")
    made(backend=backend, name="made")
"""


def test_a_backup_that_fails_says_of_which_step_and_why(backed):
    backed.described("backup=Backup(create='sh -c \"echo no room here >&2; exit 3\"'),")
    code, said = backed.run("backup")
    assert 1 == code
    why = f"back up the database {backed.database}, read it back: own: no room here"
    assert why in stopped(said)
    assert why in backed.why()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ("return [Change('echo no room here; exit 3', 'make a thing')]",
         "make a thing: no room here"),
        ("raise ValueError('no such revision')", "no such revision"),
    ],
)  # fmt: skip
def test_a_step_of_an_onboarding_says_why_nothing_more_is_tried(backed, changes, why):
    (backed.folder / "step.py").write_text(STEP.format(changes=changes))
    code, said = backed.run(os.path.relpath(backed.folder / "step", REPOSITORY / "deploys"))
    assert 1 == code
    assert f"nothing more is tried: {why}" in said
    assert why == stopped(said)
    assert why == backed.why()
