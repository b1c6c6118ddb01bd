"""The backend of 38 tables in one temporary folder: PostgreSQL, its tables filled, uvicorn."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Self

import httpx

from tests.embedded.programs import temporary_root
from tests.embedded.server import Server
from tests.embedded.wheelhouse import REPOSITORY, wheelhouse
from tests.embedded.world import free_port

APPLICATION = REPOSITORY / "tests" / "apps" / "task_074"
ORIGIN = "https://app.example.org"


class Hub:
    """The backend, running; a context manager that leaves nothing behind."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="relogin-", dir=temporary_root()))
        self.folder.chmod(0o711)  # the database's user passes through, and sees nothing
        self.backend, self.packages = self.folder / "backend", self.folder / "packages"
        self.server = Server(self.folder / "postgres", free_port())
        self.url = f"http://127.0.0.1:{free_port()}"
        self.owner, self.others = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._install()
            self._fill()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _install(self) -> None:
        shutil.copytree(APPLICATION, self.backend, ignore=shutil.ignore_patterns("__pycache__"))
        requirements = self.backend / "requirements.txt"
        for wheel in wheelhouse(requirements, spare=self.folder / "fetched").glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(self.packages)  # as good as installed, and faster

    def _fill(self) -> None:
        password = secrets.token_urlsafe(24)
        self.server.start()
        self.server.sql(f"CREATE ROLE hub LOGIN PASSWORD '{password}'")
        self.server.sql("CREATE DATABASE hub OWNER hub")
        self.server.sql("ALTER SYSTEM SET log_connections = 'on'; SELECT pg_reload_conf()")
        at = f"127.0.0.1:{self.server.port}/hub"
        (self.backend / ".env").write_text(
            f"DATABASE_URL=postgresql+asyncpg://hub:{password}@{at}\n"
            f"JWT_SECRET_KEY={secrets.token_urlsafe(48)}\nCORS_ORIGINS={ORIGIN}\n"
            "LOGIN_ATTEMPTS=5\n"
        )
        self._run("-m", "alembic", "upgrade", "head")
        self._run("-m", "hub.seed", OWNER=self.owner, OTHERS=self.others)

    def _run(self, *words: str, **more: str) -> None:
        command, known = [sys.executable, *words], {**self._environment(), **more}
        done = subprocess.run(
            command, cwd=self.backend, env=known, capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stderr

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.packages)}

    def _start(self) -> None:
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "uvicorn", "hub.main:app", "--port", port]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self.backend, env=self._environment(), stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"it did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
