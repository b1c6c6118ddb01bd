"""Faults of backends in containers that only a person may mend."""

from tests.lab.compose import canaries
from tests.lab.compose.asked import OPENED, TOKEN
from tests.lab.compose.case import AGENTCALLER, PROJECTS, RECEPTIONIST, Case, image, people
from tests.lab.compose.cases import BLOCKED, BRANCH, PACKAGES, PUBLISHED, blocked

PINNED = "sed -i s/bcrypt==4.0.1/bcrypt==5.0.0/"
PERSONS = (
    Case(
        "login.token-url-differs",
        AGENTCALLER,
        image("RUN sed -i s#/v1/auth/login#/login# /app/app/api/deps.py"),
        works=True,
    ),
    Case("image.code-broken", AGENTCALLER, image("RUN echo '  pass' >>/app/app/api/deps.py")),
    Case(
        "image.passlib-without-bcrypt",
        AGENTCALLER,
        image(
            "RUN /venv/bin/pip install -q bcrypt==5.0.0",
            f"RUN {PINNED} /app/requirements.txt",
        )
        + f"\n{PINNED} /opt/agentcaller/backend/requirements.txt",
        name="image.passlib-without-bcrypt, by what the requirements pin",
        says="bcrypt==5.0.0 (",
        again=True,
    ),
    Case(
        "service.crash-looping",
        AGENTCALLER,
        image("RUN rm /app/app/main.py"),
        says="times by Docker",
        again=True,
    ),
    Case(
        "login.expiry-wrong",
        RECEPTIONIST,
        f"{PROJECTS}cd /opt/ai-receptionist\n"
        "sed -i 's/^LIFETIME = .*/LIFETIME = timedelta(days=-1)/' ai_receptionist/core/auth.py\n"
        "DOCKER_BUILDKIT=0 receptionist build -q app; receptionist up -d --no-deps --wait app\n"
        f"{TOKEN[RECEPTIONIST]}\n{OPENED[RECEPTIONIST]}",
        says="its log: 1 x token expired",
        again=True,
    ),
    *(blocked(key, how) for key in ("ADMIN_PRIVATE_KEY", "POSTGRES_PASSWORD") for how in BLOCKED),
    Case(
        "image.package-without-init",
        AGENTCALLER,
        image("RUN mkdir /app/app/models && echo 'from app.models import User' >>/app/app/main.py"),
        says="/app/app/main.py, line ",
    ),
    Case(
        "image.package-without-init",
        AGENTCALLER,
        image(
            "RUN cd /app && rm app/api/__init__.py && /venv/bin/python -c 'import setuptools as s;"
            ' s.setup(packages=s.find_packages(), script_args=[\\"build\\", \\"-b\\", \\"/b\\"])\''
            f" && mv /b/lib/app {PACKAGES}/ && rm -r app"
        ),
        name="image.package-without-init, a folder that setuptools has left out",
        says="app/main.py, line ",
        again=True,
    ),
    Case(
        "env_file.files-differ",
        AGENTCALLER,
        "echo SECRET_KEY=of-another-file-of-another-file >>/opt/agentcaller/infra/.env",
        works=True,
    ),
    Case(
        "jwt.hard-coded-fallback",
        RECEPTIONIST,
        "sed -i 's/claims, settings.admin_private_key,/claims,"
        ' settings.admin_private_key or "dev-jwt-secret-change-in-production",/\''
        " /opt/ai-receptionist/ai_receptionist/core/auth.py",
        works=True,
    ),
    Case(
        "env_file.tracked-by-git",
        RECEPTIONIST,
        "cd /opt/ai-receptionist; git init -q; git add -f .env;"
        " git -c user.name=a -c user.email=a@example.com commit -qm 'add the settings'",
        works=True,
    ),
    Case(
        "service.port-elsewhere",
        RECEPTIONIST,
        f"{PROJECTS}{PUBLISHED.format('127.0.0.1:9002')}; receptionist up -d --no-deps --wait app",
    ),
    Case(
        "service.port-public",
        RECEPTIONIST,
        f"{PROJECTS}{PUBLISHED.format('8002')}; receptionist up -d --no-deps --wait app",
        works=True,
    ),
    Case(
        "service.unhealthy",
        AGENTCALLER,
        f"{PROJECTS}cd /opt/agentcaller/infra; sed -i -e 's#:8000/health#:8000/nowhere#'"
        " -e '0,/interval: 20s/s//interval: 1s/' -e '0,/start_period: 20s/s//start_period: 1s/'"
        " docker-compose.yml\nagentcaller up -d --no-deps backend\n"
        "until docker ps | grep -q unhealthy; do sleep 0.3; done",
        works=True,
    ),
    Case(
        "volumes.missing",
        AGENTCALLER,
        f"{PROJECTS}agentcaller down\ndocker volume rm infra_pgdata",
    ),
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
        f"echo 'WEB;HOOK={canaries.AGENTCALLER_SECRET_KEY}' >>/opt/agentcaller/.env",
        name="service.compose-files-refused, for a line of the .env that Compose prints",
    ),
    Case(
        "service.compose-files-refused",
        AGENTCALLER,
        f"{PROJECTS}agentcaller stop backend\n"
        "cd /opt/agentcaller/infra; sed -i 's/restart: unless-/restrat: /' docker-compose.yml",
        again=True,
    ),
    Case(
        "env_file.unparsable-line",
        AGENTCALLER,
        f"{PROJECTS}agentcaller stop backend\n"
        f"echo 'WEBHOOK=\"{canaries.AGENTCALLER_SECRET_KEY}' >>/opt/agentcaller/.env",
        again=True,
    ),
    Case(
        "migrations.unknown-revision",
        RECEPTIONIST,
        people(RECEPTIONIST, "UPDATE alembic_version SET version_num = '0042'"),
        works=True,
    ),
    Case("migrations.several-heads", AGENTCALLER, BRANCH, works=True, says="2b, 2c"),
    Case(
        "service.engine-down",
        RECEPTIONIST,
        "systemctl stop docker.socket docker; pkill -f containerd-shim; sleep 1",
    ),
)
