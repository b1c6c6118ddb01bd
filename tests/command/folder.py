"""A user's folder with an inventory, a backend that really answers, and the command run in it."""

import contextlib
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from tests.outputs import assert_readable

BIN = Path(sys.executable).parent
PASSWORD = "canary-6f1d-of-ops"
TOKEN = "a-token-of-no-kind"
BACKEND = """\
from pathlib import Path

from relogin import Account, Accounts, Backend, EnvFile, FromEnv, Login, Secret

_here = Path(__file__).resolve().parent
_accepted = {accepted!r}
_mine = Backend(
    "mine",
    env_file=EnvFile(f"{{_here}}/app.env", keys={keys}),
    accounts=Accounts(present=[Account("ops", password=Secret.env("OPS_PASSWORD"))]),
    login=Login("http://127.0.0.1:{port}/token", account="ops",
                protected="http://127.0.0.1:{port}/me", identity="username",
                headers={headers}),
    accepted=_accepted,
)
"""
KEYS = '{"MODE": "live"}'
LOCAL = ("@local", {"_sudo": False})


class Answering(ThreadingHTTPServer):
    """A backend of one account: it lets the right password in, and the token it then gave.

    `logins` are those that were tried, by whether ops's own password was sent, and `modes` what
    they had for a header X-Mode; the first one makes the file `asked`. From the `held_from`th
    login on (1 is the first) nobody is answered until `slow` is set.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lets_in = PASSWORD
        self.slow = threading.Event()
        self.slow.set()
        self.logins: list[bool] = []
        self.modes: list[str | None] = []
        self.asked: Path | None = None
        self.held_from: int | None = None

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.logins.append(form.get("password") == [PASSWORD])
        self.server.modes.append(self.headers.get("X-Mode"))
        if self.server.asked is not None:
            self.server.asked.touch()
        if self.server.held_from == len(self.server.logins):
            self.server.slow.clear()
        self.server.slow.wait(30)
        right = form.get("password") == [self.server.lets_in]
        self._answer(200 if right else 401, f'{{"access_token": "{TOKEN}"}}' if right else "{}")

    def do_GET(self) -> None:
        right = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        self._answer(200 if right else 401, '{"username": "ops"}')

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # who asked was interrupted
            self.wfile.write(body.encode())

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def answering() -> Iterator[Answering]:
    """Serve such a backend on this machine."""
    with Answering() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.slow.set()
        server.shutdown()


class Folder:
    """The folder; its env file is as declared until a test breaks it."""

    def __init__(self, home: Path, backend: Answering) -> None:
        self.home, self.backend = home, backend
        self.patience = 300
        self.env = home / "app.env"
        self.env.write_text("MODE=live\n")
        self.env.chmod(0o600)
        self.hosts()

    def hosts(
        self, *hosts: object, accepted: object = (), headers: str = "{}", keys: str = KEYS
    ) -> None:
        """Write the inventory: all hosts have the one backend; this machine alone by default."""
        known = {"accepted": dict(accepted or ()), "headers": headers, "keys": keys}
        text = BACKEND.format(port=self.backend.port, **known)
        text += "hosts = [(name, {'mine': _mine, **data}) for name, data in "
        (self.home / "inventory.py").write_text(f"{text}{[*hosts] or [LOCAL]!r}]\n")

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        own = {"HOME": str(self.home), "XDG_STATE_HOME": f"{self.home}/state"}
        return {**kept, **own, "OPS_PASSWORD": PASSWORD, "TERM": "xterm"}

    def run(self, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run `relogin WORDS` without a terminal."""
        done = subprocess.run(
            [BIN / "relogin", *words], cwd=self.home, env={**self.environment, **environ},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=self.patience,
        )  # fmt: skip
        assert_readable(words, done.stdout, self.home)
        return done

    def on_terminal(self, *words: str, **environ: str) -> tuple[int, str, str]:
        """Run it with stdin and stderr on a terminal; give the code, stdout, and the screen."""
        master, slave = pty.openpty()
        screen: list[bytes] = []
        reader = threading.Thread(target=_read_all, args=(master, screen))
        reader.start()
        done = subprocess.run(
            [BIN / "relogin", *words], cwd=self.home, env={**self.environment, **environ},
            stdin=slave, stdout=subprocess.PIPE, stderr=slave, text=True, check=False,
            timeout=self.patience,
        )  # fmt: skip
        os.close(slave)
        reader.join(30)
        os.close(master)
        return done.returncode, done.stdout, b"".join(screen).decode()


def _read_all(master: int, screen: list[bytes]) -> None:
    try:
        while data := os.read(master, 65536):
            screen.append(data)
    except OSError:  # the last one has closed it
        pass
