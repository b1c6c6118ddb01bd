"""Run pyinfra, or the relogin command, so that a test can step in at each remote command.

    python -m tests.lab.interrupted SOCKET WORDS…

Before each command (`begin`), once its script has been sent (`sent`), once it has been answered
(`done`), and before each request of the proof (`request`), it says so on a unix socket and waits
for a byte. The product knows nothing of this: the hooks are around its channel and its HTTP, in
this process alone.
"""

import socket
import sys
from collections import Counter
from typing import Any

import pyinfra_cli.main  # first: it patches the standard library
from paramiko import Channel

from relogin import cli, web, wire


def hook(path: str) -> None:
    commands: Counter[str] = Counter()
    names: dict[Any, str] = {}
    run, request, shutdown_write = wire.run, web.request, Channel.shutdown_write

    def tell(host: str, moment: str) -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(path)
            line.sendall(f"{host} {commands[host]} {moment}\n".encode())
            line.recv(1)

    def begin(host: Any, *words: Any, **options: Any) -> bytes:
        commands[host.name] += 1
        names[wire.ssh_transport(host)] = host.name
        tell(host.name, "begin")
        answer = run(host, *words, **options)
        tell(host.name, "done")
        return answer

    def sent(channel: Channel) -> None:
        shutdown_write(channel)
        tell(names[channel.get_transport()], "sent")

    def asked(tunnel: Any, *words: Any, **options: Any) -> web.Reply:
        tell(names.get(tunnel.transport, "-"), "request")
        return request(tunnel, *words, **options)

    wire.run = begin
    web.request = asked
    Channel.shutdown_write = sent  # type: ignore[method-assign]


if __name__ == "__main__":
    hook(sys.argv.pop(1))
    if sys.argv[1] in cli.command.commands:
        cli.main()
    pyinfra_cli.main.main()
