"""50 backends in one run, each looked at, proven and told by itself: once by `make test-all`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded.demo import _environment
from tests.embedded.wheelhouse import REPOSITORY
from tests.embedded.world import World

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="by make test-all"),
]
COUNT = 50
INVENTORY = f"""\
import dataclasses as _dataclasses
import runpy as _runpy

_demo = _runpy.run_path("inventories/demo.py")["hosts"][0][1]["halext"]
_named = {{
    f"halext_{{number}}": _dataclasses.replace(_demo, name=f"halext-{{number}}")
    for number in range({COUNT})
}}
hosts = [("@local", _named)]
"""


def test_fifty_backends_of_a_host_are_proven_in_one_run(tmp_path: Path) -> None:
    inventory = tmp_path / "fifty.py"
    inventory.write_text(INVENTORY)
    with World() as world:
        told = restored(world, inventory)
        assert [("proven", [], [])] * COUNT == [
            (one["outcome"], one["findings"], one["changes"]) for one in told
        ]
        assert sorted(f"halext-{number}" for number in range(COUNT)) == sorted(
            str(one["backend"]) for one in told
        )
        assert (200, 200) == world.login()


def restored(world: World, inventory: Path) -> list[dict[str, object]]:
    done = subprocess.run(
        [Path(sys.executable).with_name("relogin"), "restore", inventory, "--json"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, **_environment(world), "NO_COLOR": "1"},
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
    [host] = json.loads(done.stdout)["hosts"]
    return list(host["backends"])
