"""Measure a restore under load, and the runbook's own way: `python -m benchmarks.restore`."""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from tests.embedded.programs import as_owner, temporary_root
from tests.embedded.server import Server
from tests.operations.backups import PASSWORD
from tests.operations.databases import serving
from tests.operations.restoring import ADA, Restoring
from tests.operations.shop_backend import Load, hashed, shop

from .kept import RESTORE, write_part

ROWS = """
ALTER TABLE shop.posts ADD body text;
INSERT INTO shop.posts (user_id, body)
 SELECT 1, repeat(md5(n::text), 30) FROM generate_series(1, {rows}) n;
ANALYZE;
"""
# The least that a reinit does: all rows go, and an admin with a known password comes.
REINIT = """
TRUNCATE shop.posts, shop.users;
INSERT INTO shop.users (id, name, hash) VALUES (1000000, 'admin', '{known}');
"""


def main() -> None:
    options = _options()
    load = os.getloadavg()[0]
    with serving() as server, tempfile.TemporaryDirectory(dir=temporary_root()) as folder:
        backed = Restoring(Path(folder), server, "large")
        _fill(backed, options.rows)
        address = f"postgresql://app:{PASSWORD}@127.0.0.1:{server.port}/large"
        with shop(address) as backed.url:
            backed.described()
            text = _told(backed, _measured(backed), load)
    print(text)
    if options.write:
        write_part(RESTORE, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.restore", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_020_000, help="of 1 kB each (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    return parser.parse_args()


def _fill(backed: Restoring, rows: int) -> None:
    backed.sql("DELETE FROM shop.posts; DELETE FROM shop.users")
    backed.sql(f"INSERT INTO shop.users VALUES (1, 'ada', '{hashed(ADA)}')")
    backed.sql("SELECT setval('shop.users_id_seq', 1)")
    backed.sql(ROWS.format(rows=rows))


def _measured(backed: Restoring) -> list[tuple[str, float, str]]:
    """Give what was done, its seconds, and what people met meanwhile."""
    began = time.monotonic()
    name = backed.back_up()
    found = [("`deploys/backup.py`", time.monotonic() - began, "-")]
    with Load(backed.url, "ada", ADA) as load, Load(backed.url, "admin", "test123") as known:
        _wait_until_let_in(load)
        began = time.monotonic()
        code, said = backed.restore(backed.place)
        seconds = time.monotonic() - began
        _wait_until_let_in(load)
    if code:
        raise RuntimeError(said)
    switched = next(line.split()[-2] for line in said.splitlines() if "switched in" in line)
    met = f"{_met(load, known)}; databases switched in {switched} ms"
    found.append(("`deploys/restore_backup.py`", seconds, met))
    dump = backed.store / name / "database.dump"
    with Load(backed.url, "ada", ADA) as load, Load(backed.url, "admin", "test123") as known:
        _wait_until_let_in(load)
        began = time.monotonic()
        _as_the_runbook(backed.server, dump)
        seconds = time.monotonic() - began
        _wait_until_let_in(load)
    found.append(("reinit, then restore, in the live database", seconds, _met(load, known)))
    return found


def _wait_until_let_in(load: Load, patience: float = 30) -> None:
    """Wait for a login that begins from now on and is right."""
    now = time.monotonic()
    while not any(began >= now and status == 200 for began, _, status in list(load.statuses)):
        if time.monotonic() > now + patience:
            raise RuntimeError("nobody can log in")
        time.sleep(0.05)


def _as_the_runbook(server: Server, dump: Path) -> None:
    server.sql(REINIT.format(known=hashed("test123")), "large")
    where = ["-h", str(server.socket), "-p", str(server.port), "-d", "large"]
    with dump.open("rb") as backup:
        subprocess.run(
            [str(server.bin / "pg_restore"), "-a", "--disable-triggers", *where],
            stdin=backup, check=True, cwd="/", env={"PATH": os.defpath, "LC_ALL": "C"},
            **as_owner(),
        )  # fmt: skip
    server.sql("DELETE FROM shop.users WHERE name = 'admin'", "large")


def _met(load: Load, known: Load) -> str:
    """Say for how long nobody could log in, and how often the known password could."""
    bad = [number for number, (_, _, status) in enumerate(load.statuses) if status != 200]
    let_in = sum(status == 200 for _, _, status in known.statuses)
    return (
        f"{len(bad)} of {len(load.statuses)} logins refused, window {_window(load, bad)}; slowest"
        f" login {load.slowest * 1000:.0f} ms; admin/test123 let in {let_in} times"
    )


def _window(load: Load, bad: list[int]) -> str:
    """Give how long it was from the last right answer before those refused to the next one."""
    if not bad:
        return "none"
    before, behind = load.statuses[: bad[0]], load.statuses[bad[-1] + 1 :]
    if not before or not behind:
        return "not known"
    return f"{(behind[0][1] - before[-1][1]) * 1000:.0f} ms"


def _told(backed: Restoring, found: list[tuple[str, float, str]], load: float) -> str:
    size = backed.sql("SELECT pg_size_pretty(pg_database_size('large'))")
    version = backed.sql("SHOW server_version").split()[0]
    rows = "\n".join(f"| {what} | {seconds:.1f} | {met} |" for what, seconds, met in found)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return f"""\
{RESTORE}

`python -m benchmarks.restore` makes a PostgreSQL {version} with a database of {size} and a
backend that asks it at each request by a new connection. Meanwhile one client logs in and asks the
protected route every 50 ms, and another one tries the password that a reinit sets. A window is the
time from the last right answer before a refused login to the first one behind it; a pause of 50 ms
is in it. Then the runbook's own way is measured on the same data: the live database is emptied, and
filled again.

| | s | what people met |
|---|---|---|
{rows}

Without fsync; backend, clients and server share the cores, and the emptying is the least that a
reinit does. {day}, {os.cpu_count()} cores, load {load:.1f} before.
"""


if __name__ == "__main__":
    main()
