"""One lab host, and the ways to it that owe nothing to relogin: the console, ssh, curl, psql."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import canaries, leaks
from .base import COMPOSE, FILES
from .execs import EXECS, FORGET, Exec, parse


@dataclass(frozen=True)
class Login:
    """An attempt to log in: the statuses of /token and then /users/me (None: not asked)."""

    token_status: int
    me_status: int | None = None
    body: str = ""
    token: str = field(default="", repr=False)

    @property
    def works(self) -> bool:
        """Tell whether the login gave a token and the token opened the protected route."""
        return (self.token_status, self.me_status) == (200, 200)


@dataclass
class Use:
    """How a host was used since it was last handed back.

    `holders` are beginnings of paths that may hold a secret besides those of its suite's backends,
    `own` the scripts that may be given one: see leaks.py.
    """

    made: bool = False
    holders: tuple[str, ...] = ()
    own: tuple[str, ...] = ()

    def forget(self) -> None:
        """Begin anew, as a host that nobody has used."""
        self.made, self.holders, self.own = False, (), ()


@dataclass(frozen=True)
class Host:
    """A running container; `name` is its Docker name, `address` that on Docker's bridge."""

    name: str
    suite: str
    address: str
    key: Path
    known_hosts: Path
    use: Use = field(default_factory=Use, compare=False, repr=False)

    def root(self, script: str, *, check: bool = True) -> str:
        """Give the output of a shell script that root runs on the console, independent of ssh.

        Raises:
            RuntimeError: it failed and check is set; with what it said, without the script.
        """
        done = self.console(["sh", "-s"], f"{{\n{script}\n}}\n".encode())
        if check and done.returncode:
            said = done.stderr.decode(errors="replace")[-2000:]
            raise RuntimeError(
                f"{self.name}: a script of root ended with {done.returncode}: {said}"
            )
        return done.stdout.decode(errors="replace")

    def console(self, argv: list[str], stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run a program as root on the console; nothing secret belongs into argv."""
        self.use.made = True
        command = ["docker", "exec", "-i", self.name, *argv]
        return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=600)

    def install(self, folder: Path, names: list[str], script: str) -> None:
        """Run a script of root that gets an archive of these files of a folder on its stdin."""
        packed = subprocess.run(
            ["tar", "-c", "-C", folder, *names], capture_output=True, check=True
        ).stdout
        done = self.console(["sh", "-ec", script], packed)
        if done.returncode:
            raise RuntimeError(f"{self.name}: {done.stderr.decode(errors='replace')[-2000:]}")

    def ssh(
        self, command: str, *, user: str = "deploy", stdin: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command by OpenSSH, as deploy (sudo), deploypw (sudo asks), nosudo or root."""
        self.use.made = True
        argv = ["ssh", *self.ssh_options(), f"{user}@{self.address}", command]
        return subprocess.run(
            argv, input=stdin, capture_output=True, text=True, check=False, timeout=600
        )

    def ssh_options(self) -> list[str]:
        """Give OpenSSH's options that reach this host, and only it, without asking."""
        settings = {
            "IdentityFile": self.key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.known_hosts,
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": 20,
        }
        return ["-F", "none", *(part for k, v in settings.items() for part in ("-o", f"{k}={v}"))]

    def psql(self, sql: str, *, database: str = "halext_org") -> str:
        """Give psql's unaligned rows of SQL that the database's administrator runs."""
        argv = ["runuser", "-u", "postgres", "--", "psql", "-AtqX", "-v", "ON_ERROR_STOP=1"]
        done = self.console([*argv, "-d", database], sql.encode())
        if done.returncode:
            said = done.stderr.decode(errors="replace")
            raise RuntimeError(f"{self.name}: psql ended with {done.returncode}: {said}")
        return done.stdout.decode()

    def login(
        self,
        username: str = "ops",
        password: str = canaries.OPS_PASSWORD,
        *,
        at: str = "http://127.0.0.1",
    ) -> Login:
        """Log in with curl on the host, as the runbook does; secrets go in on its stdin."""
        code = _quoted(f"X-Halext-Code: {canaries.ACCESS_CODE}")
        fields = {"grant_type": "password", "username": username, "password": password}
        form = [f"data-urlencode = {_quoted(f'{key}={value}')}" for key, value in fields.items()]
        status, body = self._curl(f"{at}/token", [f"header = {code}", *form])
        if status != 200:
            return Login(status, body=body)
        token = json.loads(body)["access_token"]
        me, body = self.me(token, at=at)
        return Login(status, me, body, token)

    def me(self, token: str, *, at: str = "http://127.0.0.1") -> tuple[int, str]:
        """Give status and body of /users/me, asked with this token."""
        bearer = _quoted(f"Authorization: Bearer {token}")
        return self._curl(f"{at}/users/me", [f"header = {bearer}"])

    def _curl(self, url: str, config: list[str]) -> tuple[int, str]:
        lines = [
            *config,
            f"url = {url}",
            r'write-out = "\n%{http_code}"',
            "silent",
            "max-time = 30",
        ]
        done = self.ssh("curl --disable --config -", stdin="\n".join(lines))
        body, _, status = done.stdout.rpartition("\n")
        if not status.isdigit():
            raise RuntimeError(f"{self.name}: no curl over ssh: {done.stderr.strip()}")
        return int(status), body

    def heal(self) -> None:
        """Put everything back as it was provisioned, and forget what was recorded and logged.

        Raises:
            AssertionError: since the last time a program was given a secret, or a file has one.
        """
        folder = FILES.parent / COMPOSE / "files" if self.suite == COMPOSE else FILES
        leaks.assert_handed_back(self, (folder / "heal.sh").read_text())

    def snapshot(self, *only: str) -> dict[str, str]:
        """Give all that a repair might touch, as flat `kind:name` -> text; see snapshot.py."""
        done = self.console(["python3", "-I", "-", *only], (FILES / "snapshot.py").read_bytes())
        if done.returncode:
            raise RuntimeError(f"{self.name}: no snapshot: {done.stderr.decode()[-2000:]}")
        taken: dict[str, str] = json.loads(done.stdout)
        return taken

    def execs(self) -> list[Exec]:
        """List every program that was started on the host since `forget_execs` or `heal`."""
        new = f"tail -c +$(($(cat {EXECS}/from 2>/dev/null || echo 0) + 1)) {EXECS}/log"
        return list(parse(self.console(["sh", "-c", new]).stdout))

    def forget_execs(self) -> None:
        """Begin to record anew; files that are written from now on are new.

        What was started before is still looked through when the host is handed back.
        """
        self.root(f"stat -c %s {EXECS}/log >{EXECS}/from; touch {EXECS}/since")

    def forget_all(self) -> None:
        """Forget what was recorded, also for those to whom the host is handed back."""
        self.root(FORGET)

    def files_holding(self, texts: Iterable[str], *, new: bool = False) -> list[str]:
        """List the files, outside the database and the lab's own, that hold one of the texts.

        `new` looks only into those that were written, or renamed, since `forget_execs`.
        """
        return sorted(self.root(leaks.search(texts, new=new)).split("\n")[:-1])


def _quoted(text: str) -> str:
    """Quote as curl's configuration file wants it (curl(1), --config)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
