"""A fleet: many hosts of one real SSH server, a queue in a real PostgreSQL, and its workers."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.command import shared
from tests.command.folder import BIN, Folder
from tests.embedded.server import Server

HOSTS = """\
from pathlib import Path

from relogin import Account, Accounts, Backend, EnvFile, Login, Secret

_here = Path(__file__).resolve().parent
_way = {{"ssh_hostname": "127.0.0.1", "ssh_port": {ssh}, "ssh_user": "me",
        "ssh_known_hosts_file": "/dev/null", "ssh_strict_host_key_checking": "off", "_sudo": False}}


def _password(number):
    hangs = Secret.command(f": {{number}}; echo $$ >>{{_here}}/hung; exec sleep 900")
    return hangs if number in {hung} else Secret.env("OPS_PASSWORD")


def _backend(number):
    return Backend(
        f"mine{{number}}",
        env_file=EnvFile(f"{{_here}}/env{{number}}", keys={{"MODE": "live"}}),
        accounts=Accounts(present=[Account("ops", password=_password(number))]),
        login=Login("http://127.0.0.1:{port}/token", account="ops",
                    protected="http://127.0.0.1:{port}/me", identity="username"),
    )


hosts = [
    (f"web{{number}}", {{**_way, "mine": _backend(number),
                        **({{"ssh_port": 9}} if number in {lost} else {{}})}})
    for number in range({count})
]
"""
WORKER = ("--silent", "6", "--backoff", "0.3", "--ssh-password", "any")


class Fleet:
    """A folder whose inventory has many hosts, a queue, and the workers that a test starts."""

    def __init__(self, folder: Folder, server: Server, ssh: int) -> None:
        self.folder, self.server, self.ssh = folder, server, ssh
        self.url = shared.made_database(server, "fleet")
        self.environ = {"QUEUE": self.url, "NO_COLOR": "1"}
        self.workers: list[subprocess.Popen[str]] = []
        self.listening: list[threading.Thread] = []
        self.said: list[str] = []

    def hosts(
        self, count: int, lost: tuple[int, ...] = (), mode: str = "dead", hung: tuple[int, ...] = ()
    ) -> None:
        """Write so many; `lost` ones cannot be reached, and work on `hung` ones never ends."""
        at = {"ssh": self.ssh, "port": self.folder.backend.port}
        text = HOSTS.format(**at, count=count, lost=lost, hung=hung)
        (self.folder.home / "inventory.py").write_text(text)
        self.modes(count, mode)

    def modes(self, count: int, mode: str) -> None:
        """Write every host's env file; `dead` is what is to be mended."""
        for number in range(count):
            env = self.folder.home / f"env{number}"
            env.write_text(f"MODE={mode}\n")
            env.chmod(0o600)

    def worker(self, *words: str, **environ: str) -> "subprocess.Popen[str]":
        command = [str(BIN / "relogin"), "worker", "env:QUEUE", *WORKER, *words]
        made = subprocess.Popen(
            command, cwd=self.folder.home,
            env={**self.folder.environment, **self.environ, **environ},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.workers.append(made)
        self.listening.append(threading.Thread(target=self._listen, args=(made,), daemon=True))
        self.listening[-1].start()
        return made

    def _listen(self, worker: "subprocess.Popen[str]") -> None:
        assert worker.stderr is not None
        with worker.stderr as said:
            self.said.extend(said)

    def drift(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return self.folder.run(
            "drift", "inventory.py", "--queue", "env:QUEUE", *words, **self.environ
        )

    def sql(self, query: str) -> list[str]:
        return self.server.sql(query, "fleet").splitlines()

    def accounted(self) -> list[str]:
        """Give each host with how often a run changed something there."""
        return self.sql(
            "SELECT r.host, (SELECT count(*) FROM relogin.change c WHERE c.host = r.host AND ok=1)"
            " FROM relogin.result r GROUP BY r.host ORDER BY r.host"
        )

    def doubled(self) -> list[str]:
        """Give each host that more than one run of a pass came to an end of."""
        return self.sql(
            "SELECT host FROM relogin.result JOIN relogin.run ON run.id = result.run"
            " WHERE run.seconds IS NOT NULL AND pass <> '' GROUP BY pass, host HAVING count(*) > 1"
        )

    def shown(self) -> str:
        """Give what every process of this machine lets others see of the worker's."""
        shown = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes()
                if b"relogin" in words:
                    shown.append(words.decode("utf-8", "replace"))
        return "\n".join(shown)

    def end(self) -> None:
        self.folder.backend.slow.set()
        for worker in self.workers:
            worker.kill()
            worker.wait()
        for listening in self.listening:
            listening.join(30)


def hung(fleet: Fleet) -> list[int]:
    """Give what work on hanging hosts has started, as long as it is there."""
    said = fleet.folder.home / "hung"
    pids = said.read_text().split() if said.exists() else []
    return [int(pid) for pid in pids if alive(pid)]


def alive(pid: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(true: Callable[[], object], patience: float = 60) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


@contextlib.contextmanager
def under_way(fleet: Fleet, *words: str) -> Iterator[list["subprocess.CompletedProcess[str]"]]:
    """Have a pass asked for meanwhile."""
    ended: list[subprocess.CompletedProcess[str]] = []
    asking = threading.Thread(target=lambda: ended.append(fleet.drift(*words)))
    asking.start()
    yield ended
    asking.join(fleet.folder.patience)


def names(count: int) -> list[str]:
    return sorted(f"web{number}" for number in range(count))


def jobs(fleet: Fleet) -> int:
    """Give how many jobs there are, 0 also where there is no queue yet."""
    there = fleet.sql("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
    return int(fleet.sql("SELECT count(*) FROM procrastinate_jobs")[0]) if there == ["t"] else 0
