"""How a service of a Docker Compose project is started and made anew: it alone, and no volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts.compose_script import compose_function

if TYPE_CHECKING:
    from relogin.parts.runtime import Compose

# `up` makes a container anew where its files differ from it, which `restart` does not; but one that
# fails again and again is up to it as it should be. Without --no-deps the others would follow, the
# database's too. The image is not built: what runs tonight is what was released.
_SCRIPT = r"""{compose}
state() {{
  id=$(compose ps -aq {service}); [ -n "$id" ] || {{ echo failed: there is no container; return; }}
  within 8 docker inspect --format {state} "$id" | sed '
    s/^running \([0-9]*\) *$/active \1/
    s/^running \([0-9]*\) healthy$/active \1/
    s/^exited.*/failed &/; s/^dead.*/failed &/'
}}
before=$(compose ps -q {service})
said=$(compose up -d --no-deps --no-build {service} 2>&1) || {{
  printf '%s\n' "$said" | tail -n 5; return 1
}}
{again}
{wait}"""
_AGAIN = """\
if [ -n "$before" ] && [ "$(compose ps -q {service})" = "$before" ]; then
  compose restart --no-deps {service} >/dev/null 2>&1
fi"""
# What has been started again three times by the engine will not come up: a release goes back.
_LOOPING = "{{if gt .RestartCount 2}}exited again and again, {{end}}"
_STATE = "{{.State.Status}} {{.State.Pid}}{{with .State.Health}} {{.Status}}{{end}}"


def script(part: Compose, verb: str, *, wait: str, patient: bool = True) -> str:
    """Give the script that starts the service, or restarts it; `wait` waits until it stays up.

    Unless `patient`, a crash loop is not waited for.
    """
    service = shell.quote(part.service)
    return _SCRIPT.format(
        compose=compose_function(part, limit=110),
        service=service,
        state=shell.quote(_STATE if patient else _LOOPING + _STATE),
        again=_AGAIN.format(service=service) if verb == "restart" else "",
        wait=wait.replace("left=15", "left=60"),
    )


def stopped(part: Compose) -> str:
    """Give the script that stops the service alone."""
    return f"{compose_function(part, limit=110)}\ncompose stop {shell.quote(part.service)} 2>&1"


def why(part: Compose, verb: str) -> str:
    """Give the line that says it."""
    up = f"docker compose up -d --no-deps {part.service}"
    return f"{up}, or restart it" if verb == "restart" else up
