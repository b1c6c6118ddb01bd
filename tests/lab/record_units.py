"""Record what a unit's look answers on a lab host in a state that is made on purpose.

`python -m tests.lab.record_units [NAME…]` writes tests/facts/recorded/systemd-NAME.txt, which the
tests of the faults judge: so nobody writes such an answer by hand.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from relogin import shell
from relogin.facts import alone, service
from relogin.parts.runtime import Systemd

from . import engine
from .base import BOOKWORM
from .cases.case import BACKEND, RESTART, UNIT, drop_in
from .host import Host

RECORDED = Path(__file__).parents[1] / "facts/recorded"
COMMAND = f"{BACKEND}/env/bin/uvicorn main:app --host 127.0.0.1 --port 8000"
DECLARED = Systemd(
    "halext-api",
    working_directory=BACKEND,
    environment_files=[f"{BACKEND}/.env"],
    user="halext",
    exec_start=COMMAND,
    needs=["nginx"],
)
OTHER_COMMAND = f"ExecStart=\\nExecStart={BACKEND}/env/bin/uvicorn main:app --port 8001"
BY_HAND = (
    f"cd {BACKEND}\nset -a; . ./.env; set +a\nsetpriv --reuid halext --regid halext --clear-groups"
)
GUNICORN = f"{BACKEND}/env/bin/gunicorn -t 2 -w 1 -b 127.0.0.1:8000 hangs:app"
ON_GUNICORN = f"[Service]\\nExecStart=\\nExecStart={GUNICORN}"
BAD = "[Service]\\nExecStart=\\nExecStart=relative/path x"
HANGS = f"""
cat >{BACKEND}/hangs.py <<'PYTHON'
import time
def app(environ, start_response):
    time.sleep(60)
PYTHON
runuser -u halext -- {BACKEND}/env/bin/python -m pip install -q /srv/gunicorn/*.whl
{drop_in("hangs", ON_GUNICORN)}
systemctl restart halext-api; sleep 2
for n in 1 2 3; do curl -s -m 5 http://127.0.0.1:8000/; done; true
"""
STATES = {
    "declared": "true",
    "other-user": drop_in("override", "[Service]\\nUser=root") + RESTART,
    "other-user-not-restarted": drop_in("override", "[Service]\\nUser=root"),
    "other-command": drop_in("override", f"[Service]\\n{OTHER_COMMAND}")
    + "systemctl restart halext-api; sleep 2",
    "unit-deleted": f"rm {UNIT}",
    "unit-gone": f"systemctl stop halext-api; rm {UNIT}; systemctl daemon-reload",
    "unit-gone-copy-left": f"systemctl stop halext-api; rm {UNIT}; systemctl daemon-reload\n"
    f"{BY_HAND} {COMMAND} >/dev/null 2>&1 & sleep 3",
    "condition-not-met": drop_in("when", "[Unit]\\nConditionPathExists=/srv/licence")
    + "systemctl restart halext-api",
    "bad-setting-while-it-runs": drop_in("bad", BAD),
    "bad-setting-corrected": drop_in("bad", BAD) + f"rm {UNIT}.d/bad.conf",
    "memory-limited": drop_in("memory", "[Service]\\nMemoryMax=30M")
    + "systemctl restart halext-api; sleep 6",
    "copy-on-another-port": f"{BY_HAND} {COMMAND[:-4]}8001 >/dev/null 2>&1 & sleep 3",
    "copy-on-the-same-port": f"{BY_HAND} {BACKEND}/env/bin/uvicorn main:app --host 127.0.0.2"
    " --port 8000 >/dev/null 2>&1 & sleep 3",
    "workers-hang": HANGS,
}


def main(names: list[str]) -> None:
    with engine.hosts({BOOKWORM: 1}) as hosts:
        for name in names or STATES:
            if name == "workers-hang":
                bring_gunicorn(hosts[0])
            (RECORDED / f"systemd-{name}.txt").write_text(recorded(hosts[0], STATES[name]))
            print(name)


def recorded(host: Host, inject: str) -> str:
    """Give the frames of the answer as text, each under `=== name status`."""
    host.root(inject)
    part = shell.side_by_side({"it": service.script(DECLARED, ("DEV_MODE",))})
    out = host.root(f"{shell.PRELUDE}\n{part}\nexit 0")
    host.heal()
    frames = alone.answers(alone.answers(out.splitlines())["it"].lines)
    texts = {name: answer.text.decode().rstrip("\n") for name, answer in frames.items()}
    return "".join(f"=== {name} {frames[name].status}\n{text}\n" for name, text in texts.items())


def bring_gunicorn(host: Host) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--dest", f"{folder}/gunicorn"]
        subprocess.run([*pip, "gunicorn"], check=True)
        subprocess.run(["docker", "cp", f"{folder}/gunicorn", f"{host.name}:/srv/"], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
