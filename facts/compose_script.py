"""What a host is asked about a Docker Compose project, and how its containers are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import alone, auth_log, service_state
from relogin.finding import CUT_SHORT

if TYPE_CHECKING:
    from relogin.parts.runtime import Compose

LABEL = "com.docker.compose"
# Of older lines only those that tell why nobody gets in: what the backend itself says of a login.
_TELLING = rf"{auth_log.TELLING}|Error|Traceback"
# A template for `docker inspect` (Go's text/template): the whole answer is 8 kB for each container,
# and holds its environment.
_CONTAINER = (
    '{"id":{{json .ID}},"created":{{json .Created}},"image":{{json .Image}},'
    '"tag":{{json .Config.Image}},"state":{{json .State.Status}},"error":{{json .State.Error}},'
    '"exit":{{.State.ExitCode}},"oom":{{.State.OOMKilled}},"started":{{json .State.StartedAt}},'
    '"pid":{{.State.Pid}},"restarts":{{.RestartCount}},"ports":{{json .NetworkSettings.Ports}},'
    '"project":{{json (index .Config.Labels "com.docker.compose.project")}},'
    '"service":{{json (index .Config.Labels "com.docker.compose.service")}},'
    '"mounts":[{{range $n, $m := .Mounts}}{{if $n}},{{end}}{{json $m.Name}}{{end}}],'
    '"addresses":[{{range .NetworkSettings.Networks}}{{json .IPAddress}},{{end}}""],'
    '{{$said := ""}}{{with .State.Health}}{{range .Log}}{{$said = .Output}}{{end}}'
    '"health":{{json .Status}},{{end}}"said":{{json $said}}}'
)
# Of those rows the containers that do not run: what their log says last stands behind the rows.
_DOWN = (
    r's/^\{"id":"([0-9a-f]+)".*"state":"(exited|dead|restarting)".*"service":"([^"]*)".*/\1 \3/p'
)
_SCRIPT = """\
{compose}
config() {{ {config}; }}
containers() {{
  ids=$(docker ps -aq --filter "label={label}.oneoff=False" --filter "$which") || return
  [ -n "$ids" ] || return 0
  rows=$(within 10 docker inspect --format {container} $ids) || return
  printf '%s\\n' "$rows"; printf '%s\\n' "$rows" | sed -nE {down} | while read -r one name; do
    [ "$one" = "$id" ] || within 5 docker logs --tail 12 "$one" 2>&1 </dev/null |
      {shortened} | sed "s/^/$name /"{redact}
  done
}}
environ() {{
  {unnamed}[ -n "$id" ] || return 3
  within 10 docker inspect --format '{{{{json .Config.Env}}}}' "$id" || return
  within 10 docker image inspect --format '{{{{json .Config.Env}}}}' "$made" || :
}}
log() {{
  [ -n "$id" ] || return 3
  within 10 docker logs --tail 400 --timestamps "$id" 2>&1 | awk '
    length($0) > 2000 {{ $0 = substr($0, 1, 2000) "{cut_short}" }}
    {{ line[NR] = $0 }}
    END {{
      for (n = 1; n <= NR; n++) if (n > NR - 60 || line[n] ~ /{telling}/) print line[n]
    }}'{redact}
}}
image() {{ within 10 docker image inspect --format '{{{{.ID}}}}' "$tag"; }}
volumes() {{
  within 10 docker volume ls \
    --format '{{{{.Name}}}} {{{{.Label "{label}.project"}}}} {{{{.Label "{label}.volume"}}}}'
}}
echo compose
printf '%s\\n' {service}
found=$(config 2>&1); rc=$?
project={project}
[ -n "$project" ] || project=$(printf '%s\\n' "$found" | sed -n 's/^  "name": "\\(.*\\)",*$/\\1/p')
which="label={label}.project=$project"
[ -n "$project" ] || which="label={label}.project.working_dir="{working_directory}
id=$(docker ps -aq --filter "label={label}.oneoff=False" --filter "$which" \
  --filter label={label}.service={service} | sed -n 1p)
of=; [ -z "$id" ] || of=$(docker inspect --format '{{{{.Config.Image}}}} {{{{.Image}}}}' "$id")
tag=${{of% *}}; made=${{of##* }}
show() {{ printf '%s\\n' "$found"{show}; return "$rc"; }}
engine() {{ within 10 docker version --format '{{{{.Server.Version}}}}'; }}
name() {{ printf %s "$project"; }}
projects() {{
  docker ps -a --format \
    '{{{{.Label "{label}.project"}}}} {{{{.Label "{label}.project.working_dir"}}}}' | sort -u
}}
part name name
part show show | {{ part engine engine | {{ part containers containers | {{
  part environ environ | {{ part log log | {{ part image image | {{ part volumes volumes | {{
  part projects projects; cat; }}; cat; }}; cat; }}; cat; }}; cat; }}; cat; }}; cat; }}"""


def compose_function(part: Compose, *, limit: int = 20) -> str:
    """Give the shell function `compose`: Docker Compose on this project, with its files."""
    command = shell.words(["docker", "compose", *part.options])
    return f"""\
compose() {{ ( cd {shell.quote(part.directory)} && within {limit} {command} "$@" ); }}"""


def container_of(part: Compose, service: str) -> str:
    """Give the shell words that are the id of a service's running container."""
    return f'"$(docker ps -q {shell.words(filters(part, service))} | sed -n 1p)"'


def filters(part: Compose, service: str) -> list[str]:
    """Give the options of `docker ps` that leave a service's containers, and none of `run`."""
    which = (
        f"project={part.project}"
        if part.project
        else f"project.working_dir={working_directory(part)}"
    )
    labels = (f"service={service}", which, "oneoff=False")
    return [f"--filter=label={LABEL}.{label}" for label in labels]


def working_directory(part: Compose) -> str:
    """Give the folder that Compose labels its containers with: that of the first file."""
    first = part.files[0] if part.files else ""
    folder = first.rpartition("/")[0]
    return folder if folder.startswith("/") else f"{part.directory}/{folder}".rstrip("/")


def script(part: Compose, *, redacted: bool = False) -> str:
    """Give the part of the look that asks for a project: what is declared, and what runs."""
    return _SCRIPT.format(
        compose=compose_function(part),
        config="compose config --quiet" if redacted else "compose config --format json",
        show=f" | {alone.REDACT}" if redacted else "",
        container=shell.quote(_CONTAINER.replace(".Output", '""') if redacted else _CONTAINER),
        down=shell.quote(_DOWN),
        unnamed="return 3; " if redacted else "",
        label=LABEL,
        telling=_TELLING,
        cut_short=CUT_SHORT,
        shortened=service_state.shortening(500),
        project=shell.quote(part.project or ""),
        working_directory=shell.quote(working_directory(part)),
        service=shell.quote(part.service),
        redact=f" | {alone.REDACT}" if redacted else "",
    )


# The official image's variables; the name of the role may be set from outside.
_PSQL = """\
export PGPASSWORD="${POSTGRES_PASSWORD-}" PGCONNECT_TIMEOUT=5
exec psql -U "${ROLE:-${POSTGRES_USER:-postgres}}" "$@\""""


def container_psql(part: Compose, service: str, database: str, role: str | None) -> str:
    """Give the psql of the administrator in a database's container."""
    words = shell.words(["sh", "-c", _PSQL, "psql", "-d", database])
    environment = f"-e ROLE={shell.quote(role)} " if role else ""
    return f"docker exec -i {environment}{container_of(part, service)} {words}"


def container_ready(part: Compose, service: str) -> str:
    """Give the shell lines that tell a database that is down from one that lets nobody in."""
    return f"""\
docker version >/dev/null 2>&1 || return
id={container_of(part, service)}; printf '#ready '
[ -n "$id" ] || {{ echo 2; return "$rc"; }}
docker exec "$id" pg_isready -q -t 3; echo $?"""
