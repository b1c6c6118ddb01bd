"""Lab hosts that are ready to be measured."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt

from tests.lab import engine
from tests.lab.base import BOOKWORM
from tests.lab.host import Host

from . import floor
from .installed import installed
from .variants import Bench

# bcrypt's least cost, so that hashing does not hide what the tools themselves take.
_COST = 4
_ADD = """
insert into users (username, email, hashed_password, is_admin)
values ('{account}', '{email}', '{hashed}', false)
"""


@contextmanager
def ready(count: int) -> Iterator[Bench]:
    """Give so many healthy hosts with the benchmark's account, which nothing records.

    Raises:
        LabUnavailableError: there are no lab hosts to be had here.
    """
    with engine.hosts({BOOKWORM: count}) as hosts, tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            for host in hosts:
                _prepare(host)
            floor.prepare(folder, hosts[0], folder / "known_hosts")
            know(folder, hosts, [f"{host.address}:22" for host in hosts])
            yield Bench(folder, installed(folder), hosts)
        finally:
            for host in hosts:
                host.root("echo /usr/local/lib/execs.so >/etc/ld.so.preload")
                host.psql(f"delete from users where username = '{floor.ACCOUNT}'")


def _prepare(host: Host) -> None:
    """Add the account, and switch the recorder of every exec off: it costs what it watches."""
    hashed = bcrypt.hashpw(floor.PASSWORD.encode(), bcrypt.gensalt(_COST)).decode()
    host.psql(_ADD.format(account=floor.ACCOUNT, email=floor.ME["email"], hashed=hashed))
    host.root(": >/etc/ld.so.preload")


def know(folder: Path, hosts: list[Host], addresses: list[str]) -> None:
    """Write known_hosts for these addresses (`ADDRESS:PORT`, 22 bare) of these hosts."""
    lines = []
    for host, address in zip(hosts, addresses, strict=True):
        name, _, port = address.partition(":")
        shown = name if port == "22" else f"[{name}]:{port}"
        lines.append(f"{shown} {host.root('cat /etc/ssh/ssh_host_ed25519_key.pub')}")
    with (folder / "known_hosts").open("a") as known:
        known.writelines(lines)
