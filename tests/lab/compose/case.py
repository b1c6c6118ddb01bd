"""A fault of a container, and the words that make one."""

from dataclasses import dataclass

PROJECTS = ". /lab/projects.sh\n"
RECEPTIONIST, AGENTCALLER, EDMS = "receptionist", "agentcaller", "edms"


@dataclass(frozen=True)
class Case:
    """A fault of one of the host's backends, and the root script that makes it.

    `works` says that people can log in all the same; `of_rows` that the rows themselves are what is
    broken: then only those of the other backend have to be the same afterwards. `stop` comes last,
    after which the database may answer nobody. `says` is what the evidence holds. A token of before
    is `void` where its account is made anew. `again` marks what another case tries as well, in
    another way: only `make test-all` does it twice.
    """

    fault: str
    backend: str
    inject: str
    name: str = ""
    works: bool = False
    of_rows: bool = False
    stop: str = ":"
    says: str = ""
    void: bool = False
    again: bool = False

    @property
    def whole(self) -> str:
        """Give the script that makes all of it."""
        return f"{self.inject}\n{self.stop}"

    def __str__(self) -> str:
        return self.name or f"{self.fault}, {self.backend}"


def people(backend: str, sql: str, database: str = "") -> str:
    """Give the script by which a person would change the database."""
    service, user = {
        RECEPTIONIST: ("postgres", RECEPTIONIST),
        AGENTCALLER: ("db", "postgres"),
        EDMS: ("db", EDMS),
    }[backend]
    return (
        f'{PROJECTS}printf %s "{sql}" | {backend} exec -T {service}'
        f" psql -qX -v ON_ERROR_STOP=1 -U {user} -d {database or backend}"
    )


def settled(backend: str) -> str:
    """Give the script that waits until a backend answers, or crashes again and again."""
    service, port = {RECEPTIONIST: ("app", 8002), AGENTCALLER: ("backend", 8000)}[backend]
    return f"""
for _ in $(seq 150); do
    curl -s -o /dev/null -m 2 http://127.0.0.1:{port}/ && break
    failed=$(docker inspect -f '{{{{.RestartCount}}}}' "$({backend} ps -aq {service})") || true
    [ "${{failed:-0}}" -lt 2 ] || break
    sleep 0.2
done
"""


def image(*lines: str) -> str:
    """Give the script that makes AgentCaller run on an image with these lines more."""
    text = "\\n".join(("FROM infra-backend", "USER root", *lines, "USER www-data", ""))
    return (
        f'{PROJECTS}printf "{text}" | docker build -q -t infra-backend -\n'
        f"agentcaller up -d --no-deps backend\n{settled(AGENTCALLER)}"
    )
