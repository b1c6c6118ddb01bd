"""A PostgreSQL of one's own: one folder, one port on loopback, one private socket."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.embedded.programs import as_owner, owner, programs

SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{socket}'
lc_messages = 'C'
fsync = off
"""


class Server:
    """A server whose superuser is the user it runs as: by peer on the socket, nobody else there."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.socket = folder / "socket"
        self.log = folder / "postgres.log"
        self.superuser = owner().pw_name
        self.bin = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster and start it."""
        self.folder.mkdir(mode=0o755)
        self.bin = programs(self.folder / "programs")
        data = self._private("data")
        self._private("socket")
        self._initdb(data)
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS.format(port=self.port, socket=self.socket))
        self._launch(data)

    def _private(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir(mode=0o700)
        shutil.chown(made, owner().pw_uid, owner().pw_gid)
        return made

    def _initdb(self, data: Path) -> None:
        command = [str(self.bin / "initdb"), "-D", str(data), "-U", self.superuser, "--no-sync"]
        command += ["--auth-local=peer", "--auth-host=scram-sha-256"]
        command += ["--locale=C", "--encoding=UTF8"]
        self._run(command, "")

    def _launch(self, data: Path, patience: float = 60) -> None:
        command = [str(self.bin / "postgres"), "-D", str(data)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/",
                env=_environment(), start_new_session=True, **as_owner(),
            )  # fmt: skip
        ready = [str(self.bin / "pg_isready"), "-q", "-h", str(self.socket), "-p", str(self.port)]
        deadline = time.monotonic() + patience
        while subprocess.run(ready, env=_environment(), cwd="/", check=False).returncode != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {self.log.read_text()}")
            time.sleep(0.05)

    def sql(self, statements: str, database: str = "postgres") -> str:
        """Run statements as the superuser; give the rows, unaligned."""
        command = [str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        command += ["-h", str(self.socket), "-p", str(self.port), "-d", database]
        return self._run(command, statements).strip()

    def _run(self, command: list[str], stdin: str) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, input=stdin, capture_output=True, text=True, cwd="/", check=False,
            env=_environment(), **as_owner(),
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
        return done.stdout

    def stop(self) -> None:
        """Stop the server quickly (SIGINT: fast shutdown); after a minute by force: a crash."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
