"""A pass leaves nothing behind in its process, however its hosts ended.

30 hosts; RELOGIN_TEST_ALL=1 has 300. What is counted has no noise; `python -m benchmarks.many` has
the CPU time and the memory of each host.
"""

import json
import os
import subprocess
import sys

from tests.command.folder import Folder
from tests.core.ssh_server import REFUSED, serving_ssh

COUNT = 300 if os.environ.get("RELOGIN_TEST_ALL") else 30
RUN = """
import gc, json, os, sys, time
import relogin.drive
import gevent, greenlet, paramiko
from relogin.cli import main


def left():
    gc.collect()
    things = gc.get_objects()
    return {
        "file descriptors": len(os.listdir("/proc/self/fd")),
        "greenlets": sum(isinstance(one, greenlet.greenlet) and bool(one) for one in things),
        "threads": len(os.listdir("/proc/self/task")),
        "connections": sum(issubclass(type(one), paramiko.Transport) for one in things),
    }


gevent.sleep(0.01)  # it starts its hub
before, deadline = left(), time.monotonic() + 30
try:
    main()
except SystemExit as ended:
    code = ended.code
while left() != before and time.monotonic() < deadline:  # gevent's idle threads go by themselves
    gevent.sleep(0.1)
print("\\n" + json.dumps([code, before, left()]))
"""
WAY = {
    "ssh_hostname": "127.0.0.1", "ssh_user": "me", "ssh_password": "any", "_sudo": False,
    "ssh_known_hosts_file": "/dev/null", "ssh_strict_host_key_checking": "off",
}  # fmt: skip
# What befalls some of the hosts; all others are healthy.
TROUBLE: list[dict[str, object]] = [
    {"ssh_port": 9},
    {"ssh_password": REFUSED},
    {"ssh_strict_host_key_checking": "yes"},
]


def test_no_descriptor_greenlet_thread_or_connection_is_left_of_any_host(folder: Folder) -> None:
    trouble = TROUBLE * (COUNT // 10)
    befall: list[dict[str, object]] = [*trouble, *[{}] * (COUNT - len(trouble))]
    with serving_ssh() as port:
        hosts = ({**WAY, "ssh_port": port, **one} for one in befall)
        folder.hosts(*((f"web{number}", host) for number, host in enumerate(hosts)))
        done = subprocess.run(
            [sys.executable, "-c", RUN, "drift", "inventory.py", "--parallel", "8"],
            cwd=folder.home, env=folder.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    code, before, after = json.loads(done.stdout.splitlines()[-1])
    assert before == after
    assert 1 == code, done.stderr
    lost = len(trouble)
    assert lost == done.stdout.count("could not be reached")
    assert COUNT - lost == done.stdout.count("people can log in; nothing was changed")
