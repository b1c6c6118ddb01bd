"""A whole backend in one temporary folder: PostgreSQL, a FastAPI application, supervisord."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.embedded import login as client
from tests.embedded.programs import owner, temporary_root
from tests.embedded.server import Server
from tests.embedded.supervised import Supervised
from tests.embedded.wheelhouse import REPOSITORY, environment, wheelhouse

APPLICATION = REPOSITORY / "tests" / "apps" / "halext"
OTHERS = ("alice", "bob", "carol")  # carol left: her row must stay inactive

ENV = """\
# Halext backend. Keep this file private.
DEV_MODE=false

# the database
DATABASE_URL=postgresql://halext_user:{password}@127.0.0.1:{port}/halext_org
SECRET_KEY={secret}

# the code that the mobile app sends
ACCESS_CODE={code}

# mail; set by hand, nobody remembers when
export SMTP_HOST=mail.example.com
SMTP_PASSWORD='pa#ss "word"'
UPLOAD_DIR = uploads
"""

ROLES = """
CREATE ROLE halext_user LOGIN PASSWORD '{password}';
CREATE DATABASE halext_org OWNER halext_user;
CREATE ROLE journal_user LOGIN PASSWORD '{other}';
CREATE DATABASE journal OWNER journal_user;
"""

INACTIVE = "UPDATE users SET is_active = false WHERE username = 'carol'"

JOURNAL = """
SET ROLE journal_user;
CREATE TABLE entries (id int PRIMARY KEY, text text);
INSERT INTO entries VALUES (1, 'not the backend''s'), (2, 'untouched');
"""

# Passwords come on stdin: arguments are public while a command runs.
CREATE_USERS = """
import json, runpy, sys
for words in json.load(sys.stdin):
    sys.argv = ["create_dev_user.py", *words]
    try:
        runpy.run_path("create_dev_user.py", run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
"""


class World:
    """The backend, running; a context manager that leaves nothing behind."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="relogin-", dir=temporary_root()))
        self.folder.chmod(0o711)  # the database's user passes through, and sees nothing
        self.backend = self.folder / "backend"
        self.venv = self.backend / "env"
        self.env_file = self.backend / ".env"
        self.requirements = self.backend / "requirements.txt"
        self.wheels = self.folder / "wheels"
        self.description = self.folder / "demo.json"
        self.access_code = self.folder / "access_code"
        self.password = self.folder / "ops_password"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = Server(self.folder / "postgres", free_port())
        self.service = Supervised(self.folder / "supervisor", "halext")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Set everything up and wait until the backend answers."""
        shutil.copytree(APPLICATION, self.backend, ignore=shutil.ignore_patterns("__pycache__"))
        self.backend.chmod(0o700)
        self._install()
        self.database.start()
        self._configure()
        self._populate()
        command = [str(self.venv / "bin" / "uvicorn"), "main:app", "--host", "127.0.0.1"]
        self.service.start([*command, "--port", str(self.port)], self.backend)
        self._wait()
        self._describe()

    def stop(self) -> None:
        """End what was started and remove the folder."""
        with contextlib.ExitStack() as ends:
            ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
            ends.callback(self.database.stop)
            ends.callback(self.service.stop)

    def _install(self) -> None:
        self.wheels = wheelhouse(self.requirements, spare=self.wheels)
        environment(self.venv, self.requirements, self.wheels)

    def _configure(self) -> None:
        code, database_password = secrets.token_urlsafe(9), secrets.token_urlsafe(24)
        statements = ROLES.format(password=database_password, other=secrets.token_urlsafe(24))
        self.database.sql(statements)
        secret = secrets.token_urlsafe(48)
        text = ENV.format(
            password=database_password, port=self.database.port, secret=secret, code=code
        )
        _write_private(self.env_file, text)
        _write_private(self.access_code, code)
        _write_private(self.password, secrets.token_urlsafe(12))

    def _populate(self) -> None:
        self.run(["-m", "alembic", "upgrade", "head"])
        people = [[*_person("ops", self.password.read_text()), "--admin"]]
        people += [_person(name, secrets.token_urlsafe(12)) for name in OTHERS]
        self.run(["-c", CREATE_USERS], json.dumps(people))
        self.database.sql(INACTIVE, "halext_org")
        self.database.sql(JOURNAL, "journal")

    def run(self, arguments: list[str], stdin: str = "") -> str:
        """Run the backend's own Python in its folder; give what it prints."""
        done = subprocess.run(
            [str(self.venv / "bin" / "python"), *arguments],
            input=stdin, capture_output=True, text=True, cwd=self.backend, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"setting up the backend failed: {done.stderr.strip()}")
        return done.stdout

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while client.request(f"{self.url}/api/health", {})[0] != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the backend did not start: {self.service.log.read_text()}")
            time.sleep(0.1)

    def _describe(self) -> None:
        """Write what inventories/demo.py reads: paths and ports, and nothing secret."""
        known = {
            "backend": str(self.backend), "url": self.url, "wheels": str(self.wheels),
            "supervisord": str(self.service.config), "supervisorctl": str(self.service.ctl),
            "database_port": self.database.port,
            "os_user": owner().pw_name, "socket": str(self.database.socket),
            "psql": str(self.database.bin / "psql"), "access_code": str(self.access_code),
            "password": str(self.password),
        }  # fmt: skip
        self.description.write_text(json.dumps(known, indent=2))

    def login(self) -> tuple[int, int]:
        """Log in as ops with curl: the statuses of /token and /users/me, 0 for no answer."""
        return client.login(
            self.url, self.access_code.read_text(), "ops", self.password.read_text()
        )


def _person(name: str, password: str) -> list[str]:
    return [f"--username={name}", f"--password={password}", f"--email={name}@example.com"]


def free_port() -> int:
    """Give a TCP port of loopback that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
