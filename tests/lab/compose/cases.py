"""How faults of containers are made, and who mends them."""

from dataclasses import dataclass

PROJECTS = ". /lab/projects.sh\n"
RECEPTIONIST, AGENTCALLER = "receptionist", "agentcaller"


@dataclass(frozen=True)
class Case:
    """A fault of one of the host's backends, and the root script that makes it."""

    fault: str
    backend: str
    inject: str
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"{self.fault}, {self.backend}"


def people(backend: str, sql: str) -> str:
    """Give the script by which a person would change the database."""
    service, user = {RECEPTIONIST: ("postgres", RECEPTIONIST), AGENTCALLER: ("db", "postgres")}[
        backend
    ]
    return (
        f'{PROJECTS}printf %s "{sql}" | {backend} exec -T {service}'
        f" psql -qX -v ON_ERROR_STOP=1 -U {user} -d {backend}"
    )


MENDED = (
    Case(
        "service.container-missing",
        RECEPTIONIST,
        f"{PROJECTS}receptionist rm -s -f app",
    ),
    Case("service.stopped", RECEPTIONIST, f"{PROJECTS}receptionist stop app"),
    Case("service.stopped", AGENTCALLER, f"{PROJECTS}agentcaller stop backend"),
    Case("postgres.server-down", AGENTCALLER, f"{PROJECTS}agentcaller stop db"),
    Case("service.needed-service-down", RECEPTIONIST, f"{PROJECTS}receptionist stop qdrant"),
    Case(
        "service.environment-older",
        RECEPTIONIST,
        f"{PROJECTS}cp -p /opt/ai-receptionist/.env /root/right\n"
        "sed -i 's/^ADMIN_PRIVATE_KEY=.*/ADMIN_PRIVATE_KEY=of-yesterday-of-yesterday-of-yesterday/'"
        " /opt/ai-receptionist/.env\nreceptionist up -d --no-deps --wait app\n"
        "cp -p /root/right /opt/ai-receptionist/.env\nreceptionist restart --no-deps app\n"
        "rm /root/right; sleep 3",
        name="service.environment-older, a restart that did not read the .env",
    ),
    Case(
        "postgres.role-password-differs",
        RECEPTIONIST,
        people(RECEPTIONIST, "ALTER ROLE receptionist PASSWORD 'of-yesterday'")
        + "\nreceptionist restart --no-deps app; sleep 2",
    ),
    Case(
        "accounts.password-differs",
        AGENTCALLER,
        people(
            AGENTCALLER,
            "UPDATE users SET hashed_password = (SELECT hashed_password FROM users WHERE id = 2)"
            " WHERE id = 1",
        ),
    ),
    Case(
        "accounts.inactive",
        RECEPTIONIST,
        people(RECEPTIONIST, "UPDATE users SET is_active = false WHERE id = 1"),
    ),
    Case(
        "env_file.key-empty",
        RECEPTIONIST,
        f"{PROJECTS}sed -i 's/^OPENAI_API_KEY=.*/OPENAI_API_KEY=/' /opt/ai-receptionist/.env\n"
        "receptionist up -d --no-deps app; sleep 3",
        name="env_file.key-empty, and so a start that the backend refuses",
    ),
)
PERSONS = (
    Case(
        "volumes.project-name-changed",
        AGENTCALLER,
        f"{PROJECTS}agentcaller down\ncd /opt/agentcaller\n"
        "docker compose --env-file infra/.env -f infra/docker-compose.yml -p other up -d --wait\n"
        "sed -i '1i name: other' infra/docker-compose.yml",
    ),
    Case(
        "service.compose-files-refused",
        AGENTCALLER,
        f"{PROJECTS}agentcaller stop backend\n"
        "cd /opt/agentcaller/infra; sed -i 's/restart: unless-/restrat: /' docker-compose.yml",
    ),
    Case(
        "service.engine-down",
        RECEPTIONIST,
        "systemctl stop docker.socket docker; pkill -f containerd-shim; sleep 1",
    ),
)
