"""Connect to hosts by paramiko under gevent, and run `true`: no look can be cheaper.

`python -m benchmarks.transport GIVEN`, a JSON file with the addresses, the key and known_hosts.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 # patched first, as gevent asks for
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
import paramiko  # noqa: E402
from gevent.pool import Pool  # noqa: E402


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text())
    parallel = int(sys.argv[2])
    for status in Pool(parallel).imap_unordered(lambda one: ran(given, one), given["addresses"]):
        if status:
            sys.exit(f"true ended with {status}")


def ran(given: dict[str, str], address: str) -> int:
    """Run it; a connection that sshd drops (MaxStartups, sshd_config(5)) is made again."""
    for _ in range(20):
        try:
            return _ran(given, address)
        except (paramiko.SSHException, EOFError, OSError):
            gevent.sleep(0.2)
    return _ran(given, address)


def _ran(given: dict[str, str], address: str) -> int:
    host, _, port = address.partition(":")
    with paramiko.SSHClient() as client:
        client.load_host_keys(given["known_hosts"])
        client.connect(
            host, int(port), "deploy", key_filename=given["key"],
            allow_agent=False, look_for_keys=False,
        )  # fmt: skip
        _, out, _ = client.exec_command("true")
        return out.channel.recv_exit_status()


if __name__ == "__main__":
    main()
