"""Which backends a deploy works on, where hosts are many."""

import pytest
from pyinfra.api import Config, Inventory, State
from pyinfra.context import ctx_host, ctx_inventory, ctx_state

from relogin import Backend
from relogin.deploys import backends

HOSTS = [f"host{number}" for number in range(50)]


@pytest.fixture
def asked(monkeypatch):
    """Of which hosts the backends were looked up, one after another."""
    asked = []
    real = backends.backends

    def noted(host):
        asked.append(host.name)
        return real(host)

    monkeypatch.setattr(backends, "backends", noted)
    return asked


@pytest.fixture
def inventory():
    described = [(name, {"api": Backend(f"api{number % 3}")}) for number, name in enumerate(HOSTS)]
    inventory = Inventory((described, {}))
    state = State(inventory, Config())
    with ctx_state.use(state), ctx_inventory.use(inventory):
        yield inventory


def of(host):
    with ctx_host.use(host):
        return [backend.name for backend in backends.each_backend()]


def test_what_a_host_costs_does_not_grow_with_their_number(inventory, asked):
    assert [["api0"], ["api1"], ["api2"]] == [of(host) for host in inventory][:3]
    assert sorted(asked) == sorted(2 * HOSTS)


def test_a_backend_that_a_deploy_adds_while_it_runs_is_worked_on(inventory):
    first = inventory.get_host("host0")
    assert ["api0"] == of(first)
    first.data.another = Backend("another")
    assert ["another", "api0"] == of(first)
