"""Drive pyinfra for the relogin command: its inventories and connections, host by host."""

import pyinfra_cli  # noqa: F401 # first of all: it makes sockets and threads cooperate
