"""Faults of the service: how each is made, and what may differ once it is mended."""

from .case import Case
from .words import (
    ANY_COMMAND,
    BACKEND,
    DROP_IN,
    ENV,
    RESTART,
    UNDO,
    UNIT,
    code,
    drop_in,
    overridden,
)

OTHER_PORT = "ExecStart=\\nExecStart=<command-elsewhere>"
# systemd forgets a unit's deletion, or learns of a drop-in, when it reads its files again.
READ_ALREADY = ("unit:<unit>",)
LISTENS = """\
for i in $(seq 100); do [ -z "$(ss -Hltn 'sport = :<port>')" ] || break; sleep 0.2; done
"""
MENDED: tuple[Case, ...] = (
    Case("service.stopped", "<stop>"),
    Case(
        "service.failed",
        "systemctl kill -s KILL <unit>; sleep 0.2; <stop>\n"
        "mkdir -p /run/systemd/system/<unit>.service.d\n"
        "printf '[Service]\\nRestart=no\\n' >/run/systemd/system/<unit>.service.d/once.conf\n"
        "systemctl daemon-reload; <start>; sleep 1\n"
        "systemctl kill -s KILL <unit>; sleep 0.5\n"
        "rm -r /run/systemd/system/<unit>.service.d; systemctl daemon-reload",
    ),
    Case(
        "service.older-than-env-file",
        f"cd {BACKEND}; cp -p .env /root/env.right\n"
        f"sed -i 's/^<key>=.*/<key>=of-last-year/' .env\n{RESTART}\n"
        "sleep 1.1; cp <kept> /root/env.right .env.new; mv .env.new .env; rm /root/env.right",
        ENV[:1],
    ),
    Case(
        "service.older-than-venv",
        f"sleep 1; cd {BACKEND}; runuser -u <venv-user> -- <venv>/bin/python -m pip install -q"
        " --force-reinstall --no-deps <distribution>",
    ),
    Case(
        "service.unit-missing",
        f"systemctl disable --now <unit>; rm {UNIT}; systemctl daemon-reload",
        (f"file:{UNIT}", *UNDO),
    ),
    Case(
        "service.unit-missing",
        f"rm {UNIT}",
        (f"file:{UNIT}", *UNDO),
        name="service.unit-missing, deleted while it runs",
        stays=READ_ALREADY,
    ),
    Case(
        "service.wrong-user",
        drop_in("override", "[Service]\\nUser=root") + RESTART,
        DROP_IN,
    ),
    Case(
        "service.wrong-user",
        drop_in("override", "[Service]\\nUser=nobody") + RESTART,
        DROP_IN,
        restless=("unit:<unit>",),
        name="service.wrong-user, who may not read the env file",
    ),
    Case(
        "service.wrong-command",
        drop_in("override", f"[Service]\\n{OTHER_PORT}") + "<bounce>; sleep 2",
        DROP_IN,
    ),
    Case(
        "service.wrong-command",
        overridden("<secret>", "another-secret-than-the-files-7c2"),
        DROP_IN,
        name="service.wrong-command, a wrapper that sets another JWT secret",
    ),
    Case("service.disabled", "systemctl disable <unit>", UNDO),
    Case(
        "service.masked",
        f"mv {UNIT} /usr/lib/systemd/system/\nsystemctl mask --now <unit>",
        (f"file:{UNIT}", "file:/etc/systemd/system/multi-user.target.wants/", *DROP_IN[1:]),
    ),
    Case(
        "service.start-limit-hit",
        drop_in("limit", "[Unit]\\nStartLimitBurst=2\\nStartLimitIntervalSec=600")
        + "for n in 1 2 3; do <bounce>; done; true",
        (f"file:{UNIT}.d", "unit:<unit>"),
    ),
    Case(
        "service.wrong-working-directory",
        "mkdir -p /srv/elsewhere"
        + drop_in("override", "[Service]\\nWorkingDirectory=/srv/elsewhere")
        + "<bounce>; sleep 3",
        DROP_IN,
        restless=("unit:<unit>",),
    ),
    Case(
        "service.wrong-environment-file",
        "sed 's/^<given>=.*/<given>=<stale>/' <environment-file> >/etc/halext.env"
        + drop_in("override", "[Service]\\nEnvironmentFile=/etc/halext.env")
        + RESTART,
        (*DROP_IN, "file:/etc/halext.env"),
    ),
    Case(
        "service.needs-daemon-reload",
        f"cp -p {UNIT} /root/unit.right\n"
        f"sed 's/^<given>=.*/<given>=<stale>/' <environment-file> >/etc/halext.env\n"
        f"sed -i 's#^EnvironmentFile=<environment-file>#EnvironmentFile=/etc/halext.env#' {UNIT}\n"
        f"touch -d '-1 hour' /root/unit.right\nsystemctl daemon-reload\n{RESTART}\n"
        f"cp -p /root/unit.right {UNIT}; rm /root/unit.right",
        ("file:/etc/halext.env",),
        name="service.needs-daemon-reload, put back with its old time",
    ),
    Case(
        "service.needs-daemon-reload",
        drop_in("new", "[Service]\\nEnvironment=ADDED=1", reload=False),
        (f"file:{UNIT}.d", "unit:<unit>"),
        name="service.needs-daemon-reload, the first drop-in of a unit",
        stays=READ_ALREADY,
    ),
    Case("service.needed-unit-down", "systemctl stop <needed>"),
    Case(
        "service.older-than-unit",
        drop_in("override", "[Service]\\nUser=root")
        + f"{RESTART}\nsleep 1.1"
        + drop_in("override", "[Service]\\nUser=<user>"),
        DROP_IN,
    ),
)
BAD_SETTING = "[Service]\\nExecStart=\\nExecStart=relative/path x"
ON_GUNICORN = (
    "[Service]\\nExecStart=\\nExecStart=<venv>/bin/gunicorn -t 2 -w 1 -b 127.0.0.1:<port> hangs:app"
)
HANGS = f"""cd {BACKEND}
cat >hangs.py <<'PYTHON'
import time
def app(environ, start_response):
    time.sleep(60)
PYTHON
runuser -u <venv-user> -- <venv>/bin/python -m pip install -q gunicorn
{drop_in("hangs", ON_GUNICORN)}
<bounce>
{LISTENS}for n in 1 2 3; do curl -s -m 5 http://127.0.0.1:<port>/; done; true
"""
PERSONS: tuple[Case, ...] = (
    Case(
        "service.bad-setting",
        drop_in("bad", BAD_SETTING) + "<stop>; <start>; true",
    ),
    Case(
        "service.bad-setting",
        drop_in("bad", BAD_SETTING),
        name="service.bad-setting, while it runs",
        works=True,
    ),
    Case("service.workers-hang", HANGS, profile=ANY_COMMAND, wheels=("gunicorn",)),
    Case(
        "service.unit-missing",
        f"""systemctl disable -q --now <unit>
        install -d -o deploy /home/deploy/.config/systemd/user
        mv {UNIT} /home/deploy/.config/systemd/user/; systemctl daemon-reload""",
        name="service.unit-missing, it is a user's own",
    ),
    Case(
        "service.condition-not-met",
        drop_in("when", "[Unit]\\nConditionPathExists=/srv/licence") + "<bounce>",
    ),
    Case(
        "service.killed-for-memory",
        drop_in("memory", "[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nMemoryMax=30M")
        + "<bounce>; sleep 6",
        restless=("unit:<unit>",),
    ),
    Case(
        "service.two-copies",
        f"cd {BACKEND}; set -a; . ./.env; set +a\n"
        "setpriv --reuid <user> --regid <user> --clear-groups"
        " <command-elsewhere> >/dev/null 2>&1 & sleep 3",
        works=True,
    ),
    Case(
        "service.port-held",
        "<stop>\n"
        "systemd-run -q --unit=other-api"
        " python3 -m http.server <port> --bind 127.0.0.1\n"
        f"{LISTENS}<start>; sleep 4",
        restless=("unit:<unit>",),
    ),
    Case(
        "service.crash-looping",
        code(
            "<makes-app>",
            "__import__('time').sleep(2)\nraise RuntimeError('no licence')\n<makes-app>",
            file="<app-code>",
        ),
        restless=("unit:<unit>",),
    ),
)
