"""How faults of containers are made, and who mends them."""

from .case import AGENTCALLER, PROJECTS, RECEPTIONIST, Case, image, people, settled

# A login that is refused, of which the backend's log tells why.
TRIED = """curl -s -o /dev/null -H 'Content-Type: application/json' \
  -d '{"email":"owner@example.com","password":"of-yesterday"}' http://127.0.0.1:8002/api/auth/login
"""
# A token that the backend has made before, and refuses by now.
REFUSED = """curl -s -o /dev/null -H 'Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA' \
  http://127.0.0.1:8002/api/auth/me
"""
BLOCKED = ("missing", "empty")
# As a deployment of two branches would bring it: a second revision that builds on the first.
# Without one of these a start in production is refused: see config/settings.py.
NEEDED = {
    "OPENAI_API_KEY": "OPENAI_API_KEY",
    "POSTGRES_USER": "DATABASE_URL, POSTGRES_USER, POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD": "DATABASE_URL, POSTGRES_USER, POSTGRES_PASSWORD",
    "ADMIN_PRIVATE_KEY": "ADMIN_PRIVATE_KEY, JWT_SECRET",
}
BRANCH = f"""{PROJECTS}cat >/root/2c.py <<'PYTHON'
revision = "2c"
down_revision = "1a"


def upgrade() -> None:
    pass
PYTHON
chmod 644 /root/2c.py; agentcaller cp /root/2c.py backend:/app/alembic/versions/2c_other.py
rm /root/2c.py"""

PUBLISHED = "sed -i 's/127.0.0.1:8002:8002/{}:8002/' /opt/ai-receptionist/docker-compose.prod.yml"


def blocked(key: str, how: str) -> Case:
    """Give the case of a start that is refused since a key is `missing` or `empty` in the .env."""
    edit = f"/^{key}=/d" if how == "missing" else f"s/^{key}=.*/{key}=/"
    fault = f"{'jwt.secret' if key == 'ADMIN_PRIVATE_KEY' else 'env_file.key'}-{how}"
    return Case(
        fault,
        RECEPTIONIST,
        f"{PROJECTS}sed -i '{edit}' /opt/ai-receptionist/.env\n"
        f"receptionist up -d --no-deps app\n{settled(RECEPTIONIST)}",
        says=f"startup BLOCKED for lack of {NEEDED[key]}",
        name=f"{fault}, {key}, and so a start that the backend refuses",
        again=(key, how) != ("OPENAI_API_KEY", "empty"),
    )


PACKAGES = "/venv/lib/python3.11/site-packages"

MENDED = (
    Case(
        "env_file.key-not-declared-value",
        RECEPTIONIST,
        f"{PROJECTS}sed -i s/^ENV=.*/ENV=staging/ /opt/ai-receptionist/.env\n"
        "receptionist up -d --no-deps --wait app",
        name="env_file.key-not-declared-value, by which the health check says staging",
        again=True,
    ),
    Case(
        "image.requirements-newer",
        AGENTCALLER,
        image(f"RUN rm -r {PACKAGES}/jose && sed -i /jose/d /app/requirements.txt"),
    ),
    Case(
        "image.passlib-without-bcrypt",
        AGENTCALLER,
        image("RUN /venv/bin/pip install -q bcrypt==5.0.0"),
    ),
    Case(
        "service.container-missing",
        RECEPTIONIST,
        f"{PROJECTS}receptionist rm -s -f app",
    ),
    Case("service.stopped", RECEPTIONIST, f"{PROJECTS}receptionist stop app"),
    Case("service.stopped", AGENTCALLER, f"{PROJECTS}agentcaller stop backend", again=True),
    Case(
        "postgres.server-down",
        AGENTCALLER,
        ":",
        stop=f"{PROJECTS}agentcaller stop db",
        says="db: exited (status 0); its log ends: ",
    ),
    Case(
        "service.needed-service-down",
        RECEPTIONIST,
        f"{PROJECTS}receptionist stop qdrant",
        says="exited (status ",
    ),
    Case(
        "service.environment-older",
        RECEPTIONIST,
        f"{PROJECTS}cp -p /opt/ai-receptionist/.env /root/right\n"
        "sed -i 's/^ADMIN_PRIVATE_KEY=.*/ADMIN_PRIVATE_KEY=of-yesterday-of-yesterday-of-yesterday/'"
        " /opt/ai-receptionist/.env\nreceptionist up -d --no-deps --wait app\n"
        "cp -p /root/right /opt/ai-receptionist/.env\nreceptionist restart --no-deps app\n"
        f"rm /root/right\n{settled(RECEPTIONIST)}{REFUSED}",
        says="its log: 1 x token invalid",
        name="service.environment-older, a restart that did not read the .env",
    ),
    Case(
        "service.environment-older",
        RECEPTIONIST,
        f"{PROJECTS}cp -p /opt/ai-receptionist/.env /root/right\n"
        "echo WEBHOOK_URL=https://of-yesterday.example >>/opt/ai-receptionist/.env\n"
        "receptionist up -d --no-deps --wait app\n"
        "cp -p /root/right /opt/ai-receptionist/.env; rm /root/right",
        says="it still has WEBHOOK_URL, which they give no more",
        name="service.environment-older, a key that the .env has no more",
        again=True,
    ),
    Case(
        "postgres.role-password-differs",
        RECEPTIONIST,
        people(RECEPTIONIST, "ALTER ROLE receptionist PASSWORD 'of-yesterday'")
        + f"\nreceptionist restart --no-deps app\n{settled(RECEPTIONIST)}",
    ),
    Case(
        "postgres.role-password-differs",
        RECEPTIONIST,
        f"{PROJECTS}sed -i s/^POSTGRES_PASSWORD=.*/POSTGRES_PASSWORD=of-a-second-thought/"
        " /opt/ai-receptionist/.env\n"
        f"receptionist up -d --no-deps app\n{settled(RECEPTIONIST)}",
        name="postgres.role-password-differs, changed in the .env after the volume was initialised",
        again=True,
    ),
    Case(
        "accounts.password-differs",
        RECEPTIONIST,
        people(
            RECEPTIONIST,
            "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE id = 2)"
            " WHERE id = 1",
        )
        + f"\n{TRIED}",
        says="x password differs (hashes of 60 characters)",
        again=True,
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
        "env_file.files-differ",
        AGENTCALLER,
        "echo POSTGRES_DB=agentcaler >>/opt/agentcaller/.env",
    ),
    Case(
        "env_file.readable-by-others",
        RECEPTIONIST,
        "chmod 644 /opt/ai-receptionist/.env",
    ),
    Case(
        "service.failed",
        AGENTCALLER,
        "docker update --restart=no infra-backend-1\n"
        "docker cp infra-backend-1:/app/app/main.py /root/main.py\n"
        "docker exec -u root infra-backend-1 rm /app/app/main.py\n"
        "docker restart infra-backend-1; docker wait infra-backend-1\n"
        "docker cp /root/main.py infra-backend-1:/app/app/main.py",
    ),
    Case(
        "service.image-older",
        RECEPTIONIST,
        "printf 'FROM ai-receptionist-app\\nLABEL of=today\\n' |"
        " DOCKER_BUILDKIT=0 docker build -q -t ai-receptionist-app -",
    ),
    Case(
        "service.port-elsewhere",
        RECEPTIONIST,
        f"{PROJECTS}{PUBLISHED.format('127.0.0.1:9002')}; receptionist up -d --no-deps --wait app\n"
        "cp -p /root/pristine/opt/ai-receptionist/docker-compose.prod.yml /opt/ai-receptionist/",
    ),
    Case(
        "migrations.behind",
        RECEPTIONIST,
        people(
            RECEPTIONIST,
            "ALTER TABLE users DROP COLUMN is_verified;"
            " UPDATE alembic_version SET version_num = '0001'",
        ),
        again=True,
    ),
    Case(
        "migrations.behind",
        AGENTCALLER,
        people(
            AGENTCALLER,
            "ALTER TABLE users DROP COLUMN created_at;"
            " UPDATE alembic_version SET version_num = '1a'",
        )
        + "\nagentcaller stop backend",
        name="migrations.behind, of a backend that does not run",
        of_rows=True,
    ),
    Case(
        "migrations.never-run",
        RECEPTIONIST,
        people(RECEPTIONIST, "DROP TABLE users, alembic_version"),
        of_rows=True,
    ),
    Case(
        "postgres.database-missing",
        AGENTCALLER,
        f"{PROJECTS}agentcaller stop backend\n"
        + people(AGENTCALLER, "ALTER DATABASE agentcaller RENAME TO agentcaler", "postgres"),
        of_rows=True,
    ),
    Case(
        "accounts.missing",
        RECEPTIONIST,
        people(RECEPTIONIST, "DELETE FROM users WHERE id = 1") + f"\n{TRIED}",
        of_rows=True,
        void=True,
        says="x unknown user",
    ),
    Case(
        "accounts.missing",
        AGENTCALLER,
        people(AGENTCALLER, "DELETE FROM users WHERE id = 1") + "\nagentcaller stop backend",
        name="accounts.missing, made by a request to a backend that does not run yet",
        of_rows=True,
    ),
    Case(
        "accounts.hash-unusable",
        RECEPTIONIST,
        people(
            RECEPTIONIST, "UPDATE users SET password_hash = left(password_hash, 20) WHERE id = 1"
        )
        + f"\n{TRIED}",
        says="its log: 1 x bcrypt cannot read the hash",
        again=True,
    ),
    *(blocked(key, how) for key in ("OPENAI_API_KEY", "POSTGRES_USER") for how in BLOCKED),
)
# All that the runbooks tell of, at once; one run heals it.
TOGETHER = (
    Case(
        "env_file.key-empty",
        RECEPTIONIST,
        people(
            RECEPTIONIST,
            "UPDATE users SET is_active = false, password_hash = left(password_hash, 40)"
            " WHERE id = 1; ALTER TABLE users DROP COLUMN is_verified;"
            " UPDATE alembic_version SET version_num = '0001';"
            " ALTER ROLE receptionist PASSWORD 'of-yesterday'",
        )
        + f"""
sed -i 's/^OPENAI_API_KEY=.*/OPENAI_API_KEY=/' /opt/ai-receptionist/.env
receptionist up -d --no-deps app
{settled(RECEPTIONIST)}
sed -i -e /^ADMIN_PRIVATE_KEY=/d -e s/^ENV=.*/ENV=development/ /opt/ai-receptionist/.env
chmod 644 /opt/ai-receptionist/.env""",
        says="startup BLOCKED for lack of OPENAI_API_KEY",
        stop=f"{PROJECTS}receptionist stop app redis qdrant postgres",
        name="AI Receptionist's whole runbook at once",
    ),
    Case(
        "env_file.key-not-declared-value",
        AGENTCALLER,
        people(
            AGENTCALLER,
            "DELETE FROM users WHERE id = 1; ALTER TABLE users DROP COLUMN created_at;"
            " UPDATE alembic_version SET version_num = '1a'",
        )
        + "\n"
        + image(
            "RUN /venv/bin/pip install -q bcrypt==5.0.0",
            "RUN sed -i s/bcrypt==4.0.1/bcrypt==5.0.0/ /app/requirements.txt",
        )
        + """
sed -i 's/^POSTGRES_DB=.*/POSTGRES_DB=agentcaler/' /opt/agentcaller/infra/.env
echo POSTGRES_DB=agentcalller >>/opt/agentcaller/.env""",
        stop=f"{PROJECTS}agentcaller stop backend db redis",
        name="AgentCaller's whole runbook at once",
        of_rows=True,
    ),
)
