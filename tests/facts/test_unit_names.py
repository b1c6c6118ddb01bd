"""Units that may be meant by a name that none has; the lines are those of systemd 252."""

import base64
import dataclasses

import pytest

from relogin.facts import service
from relogin.facts.service import ServiceState
from tests.facts.answers import recorded

LISTED = """\
cron.service                           enabled         enabled
getty@.service                         enabled         enabled
nosuch@.service                        disabled        enabled
nginx.service                          enabled         enabled
{}                                     enabled         enabled
"""


def alike(name: str, status: int = 0) -> tuple[str, ...]:
    """Give the units like nosuch.service, which is not there, where this one is."""
    body = base64.b64encode(f"{LISTED.format(name)}\n#rc={status}".encode()).decode()
    answer = recorded("systemd-not-found")
    answer = dataclasses.replace(answer, text=answer.text + f"\nnames\t{body}".encode())
    state = service.parse(answer)
    assert isinstance(state, ServiceState)
    assert "not-found" == state.load
    return state.alike


@pytest.mark.parametrize("name", ["nosuch-api.service", "no-such.service", "old-NoSuch-2.service"])
def test_a_name_that_is_nearly_it_or_holds_it(name):
    assert (name,) == alike(name)


@pytest.mark.parametrize("name", ["other.service", "apache2.service"])
def test_a_name_that_is_another(name):
    assert () == alike(name)


def test_a_list_that_could_not_be_had():
    assert () == alike("nosuch-api.service", 1)
