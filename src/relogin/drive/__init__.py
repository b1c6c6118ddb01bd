"""Drive pyinfra for the relogin command: its inventories and connections, host by host."""

from relogin import settled

settled.seldom_collect()

import pyinfra_cli  # noqa: E402, F401 # first of all else: it makes sockets and threads cooperate
