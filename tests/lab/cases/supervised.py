"""Faults of a program of supervisord: the example's backend, run by it instead of systemd."""

from .case import BACKEND, Case

CONFIG, CONTROL = "/etc/supervisord.conf", "/srv/supervisor/bin/supervisorctl"
PROFILE = f"service=_Supervisor('halext-api', {CONFIG!r}, supervisorctl={CONTROL!r}, user='halext')"
# It runs as a unit that healing stops, for it is called as the backends' own are.
MOVED = f"""
systemctl disable -q --now halext-api
python3 -m venv /srv/supervisor
/srv/supervisor/bin/python -m pip install -q --no-index -f /srv/wheels supervisor
cat >/srv/supervisor/run <<'SH'
#!/bin/sh
set -a; . ./.env
exec env/bin/uvicorn main:app --host 127.0.0.1 --port 8000
SH
chmod 755 /srv/supervisor/run
cat >{CONFIG} <<'CONF'
[unix_http_server]
file=/run/supervisor.sock
chmod=0700
[supervisord]
logfile=/run/supervisord.log
pidfile=/run/supervisord.pid
childlogdir=/run
user=root
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///run/supervisor.sock
[program:halext-api]
command=/srv/supervisor/run
directory={BACKEND}
user=halext
startsecs=2
startretries=1
autorestart=true
redirect_stderr=true
stdout_logfile=/run/supervised.log
stopasgroup=true
killasgroup=true
CONF
systemd-run -q --unit=supervisord-api /srv/supervisor/bin/supervisord -n -c {CONFIG}
control() {{ {CONTROL} -c {CONFIG} "$@"; }}
until_it_says() {{
    for _ in $(seq 300); do control status | grep -q "$1" && return; sleep 0.2; done
}}
until_it_says RUNNING
for _ in $(seq 100); do curl -sf -o /dev/null http://127.0.0.1/api/health && break; sleep 0.1; done
"""
FAILS = "sed -i '2i echo there is no licence >\\&2; exit 3' /srv/supervisor/run\n"
TRIED_LONG = f"sed -i s/startretries=1/startretries=20/ {CONFIG}; control update\n"


def supervised(fault: str, inject: str) -> Case:
    """Give a fault of the program, once supervisord runs it; what was moved differs from health."""
    moved = (f"file:{CONFIG}", "file:/srv/supervisor", "file:/srv/wheels", "unit:halext-api")
    wanted = "file:/etc/systemd/system/multi-user.target.wants/"
    restless = ("file:/srv/supervisor",)
    return Case(
        fault, MOVED + inject, (*moved, wanted), restless, profile=PROFILE, wheels=("supervisor",)
    )


HEALTHY = supervised("", "")
MENDED = (
    supervised("service.configuration-not-applied", f"sed -i s/startsecs=2/startsecs=3/ {CONFIG}"),
    supervised(
        "service.fatal",
        f"{FAILS}control restart halext-api; until_it_says FATAL\nsed -i 2d /srv/supervisor/run",
    ),
)
PERSONS = (supervised("service.supervisord-down", "systemctl stop supervisord-api"),)
# What is mended by supervisord's own next try is looked at, and has no chain that comes to rest.
SEEN = (
    supervised(
        "service.backoff",
        f"{TRIED_LONG}until_it_says RUNNING\n"
        f"{FAILS}control restart halext-api; until_it_says BACKOFF",
    ),
)
