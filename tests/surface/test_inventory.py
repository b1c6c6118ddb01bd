"""What the deploys and the report use of inventories."""

import copy
import inspect
import sys

from pyinfra.api.connect import connect_all
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_state


def test_a_loop_keeps_its_position_for_the_order_of_operations(host):
    positions = [(name, *host.loop_position) for name in host.loop(["a", "b"])]
    assert [("a", 0), ("b", 1)] == positions
    assert [] == host.loop_position


def test_what_an_inventory_gives(unconnected, host):
    inventory = unconnected.inventory
    assert [host] == list(inventory)
    assert {"shared": "web's", "two": 2} == inventory.get_group_data("web")
    assert {} == inventory.get_group_data("nosuch")
    assert ["web", "@local"] == list(dict.fromkeys(host.groups))  # an @ host's are there twice


def test_which_hosts_were_reached_and_which_are_within_the_limit(unconnected, host):
    assert (set(), True) == (unconnected.activated_hosts, unconnected.is_host_in_limit(host))
    unconnected.limit_hosts = []
    assert not unconnected.is_host_in_limit(host)
    unconnected.activate_host(host)
    assert {host} == unconnected.activated_hosts
    assert set() == unconnected.failed_hosts


def test_connecting_is_what_activates_a_host(unconnected, host):
    with ctx_state.use(unconnected):
        unconnected.set_stage(StateStage.Connect)
        connect_all(unconnected)
    assert {host} == unconnected.activated_hosts


def test_copies_of_host_data_are_made_by_copy():
    assert copy.copy is not copy.deepcopy
    source = inspect.getsource(sys.modules["pyinfra.api.host"])
    assert "copy(" in source
    assert "deepcopy(" not in source
