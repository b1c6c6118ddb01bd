"""Ask a host over SSH as a run does, in a process of its own: only there all waits are cooperative.

    python -m tests.core.asking PORT '{"deadline": 5, "scripts": ["echo hello"], "changes": false}'

It prints one JSON object: what came of each script, and how long it took. `"impatient": true` gives
a host up that shows no sign of life for 1.5 s.
"""

import json
import resource
import sys
import time
from typing import Any

import pyinfra_cli  # noqa: F401 # first: it patches the standard library
from pyinfra import logger
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all
from pyinfra.context import ctx_state

from relogin import Unreadable, remote, wire


def main(port: int, wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted.get("impatient"):
        wire.PATIENCE, wire._ASKED_EVERY = 1.0, 0.5
    data = {
        "ssh_port": port,
        "ssh_user": "x",
        "ssh_password": "x",
        "ssh_known_hosts_file": "/dev/null",
        "ssh_strict_host_key_checking": "off",
        "_sudo": False,
    }
    state = State(Inventory(([("127.0.0.1", data)], {})), Config())
    with ctx_state.use(state):
        connect_all(state)
        host = state.inventory.get_host("127.0.0.1")
        started = time.monotonic()
        said = [asked(host, script, wanted) for script in wanted["scripts"]]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"said": said, "seconds": time.monotonic() - started, "megabytes": peak}


def asked(host: Any, script: str, wanted: dict[str, Any]) -> str:
    deadline = wanted.get("deadline", 20)
    script += f"\n: {'x' * wanted.get('ballast', 0)}"
    if wanted.get("changes"):
        answer: Any = remote.change(host, script, deadline=deadline)
    else:
        answers = remote.ask(host, {"it": script}, deadline=deadline)
        answer = answers if isinstance(answers, Unreadable) else answers["it"]
    return f"! {answer.reason}" if isinstance(answer, Unreadable) else answer.text.decode("latin-1")


if __name__ == "__main__":
    logger.setLevel("ERROR")  # that the host's key is new
    print(json.dumps(main(int(sys.argv[1]), json.loads(sys.argv[2]))))
