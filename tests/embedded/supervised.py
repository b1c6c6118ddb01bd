"""supervisord from PyPI, with one program, in a folder of its own."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

CONFIG = """\
[unix_http_server]
file=%(here)s/supervisor.sock
chmod=0700

[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
{user}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://%(here)s/supervisor.sock

[program:{name}]
command={command}
directory={directory}
autorestart=true
startsecs=2
startretries=1
redirect_stderr=true
stdout_logfile=%(here)s/{name}.log
stopasgroup=true
killasgroup=true
"""

CONTROL = """\
#!/bin/sh
exec {python} -m supervisor.supervisorctl "$@"
"""


class Supervised:
    """A supervisord and its program."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.config = folder / "supervisord.conf"
        self.ctl = folder / "supervisorctl"
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str], directory: Path) -> None:
        """Start supervisord, which starts the program; neither inherits this environment."""
        self.folder.mkdir(mode=0o700)
        user = "user=root" if os.geteuid() == 0 else ""
        text = CONFIG.format(
            name=self.name, command=shlex.join(command), directory=directory, user=user
        )
        self.config.write_text(text)
        self.ctl.write_text(CONTROL.format(python=shlex.quote(sys.executable)))
        self.ctl.chmod(0o700)
        daemon = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self.config)]
        self._process = subprocess.Popen(
            daemon, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, cwd=directory,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def control(self, *arguments: str) -> str:
        """Run supervisorctl; give what it says. Its exit status tells little: judge the words."""
        command = [str(self.ctl), "-c", str(self.config), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def pid(self) -> int:
        """Give the program's process id, 0 where it does not run."""
        said = self.control("pid", self.name)
        return int(said) if said.isdecimal() else 0

    def stop(self) -> None:
        """Stop the program and supervisord; by force after fifteen seconds."""
        if self._process is None:
            return
        program = self.pid()
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            if program:
                os.killpg(program, 9)
        self._process = None
