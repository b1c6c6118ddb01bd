"""Record what a healthy host with containers answers: python -m tests.lab.compose.record."""

import base64
import importlib.util
import re
from pathlib import Path

from relogin import shell
from relogin.facts import service
from relogin.parts.runtime import Runtime
from relogin.remote import answer_in
from tests.lab import engine
from tests.lab.base import COMPOSE
from tests.lab.compose import canaries
from tests.lab.host import Host
from tests.lab.product import REPOSITORY

RECORDED = Path(__file__).parents[2] / "operations" / "recorded" / "receptionist.txt"


def answered(host: Host, part: Runtime) -> bytes:
    """Give what the service's part of the look wrote, without anybody's secret."""
    script = shell.PRELUDE + shell.side_by_side({"service": service.script(part)})
    [line] = host.root(f"exec 2>/dev/null\n{script}").splitlines()
    found = answer_in(line)
    assert found is not None
    return b"\n".join(_plain(one) for one in found[1].text.split(b"\n"))


def _plain(line: bytes) -> bytes:
    """Put a word in the place of each secret; the answers within are base64, one a line."""
    name, tab, payload = line.partition(b"\t")
    if not tab:
        return line
    text = base64.b64decode(payload).decode()
    for secret in canaries.ALL:
        text = text.replace(secret, re.sub(r"canary-(\w+).*", r"the-\1-secret", secret))
    return name + tab + base64.b64encode(text.encode())


def _receptionist() -> Runtime:
    path = REPOSITORY / "inventories" / "group_data" / "receptionist.py"
    found = importlib.util.spec_from_file_location("receptionist", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    part: Runtime = module.receptionist.service
    return part


if __name__ == "__main__":
    with engine.hosts({COMPOSE: 1}) as [host]:
        RECORDED.write_bytes(answered(host, _receptionist()) + b"\n")
