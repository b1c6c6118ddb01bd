# Runs once on a booted host: the images, both projects with their data, and the pristine copies.
set -eu
for _ in $(seq 100); do docker info >/dev/null 2>&1 && break; sleep 0.2; done
export DOCKER_BUILDKIT=0
if ! docker image inspect lab/root >/dev/null 2>&1; then
    tar -C / --one-file-system --exclude=./root --exclude=./opt --exclude=./lab --exclude=./var/cache --exclude=./var/lib/postgresql \
        --exclude=./var/lib/apt --exclude=./usr/share/doc --exclude=./usr/share/locale --exclude=./usr/bin/dockerd \
        --exclude=./usr/libexec/docker --exclude=./srv/halext.org --exclude=./usr/bin/docker* --exclude=./usr/bin/containerd* \
        --exclude=./etc/ld.so.preload --exclude=./var/log -c . | docker import - lab/root >/dev/null
fi
for image in python:3.11 postgres:15 redis:7; do docker build -q -t "lab/$image" "/lab/${image%:*}" >/dev/null; done
receptionist() { (cd /opt/ai-receptionist && docker compose -f docker-compose.prod.yml "$@"); }
agentcaller() { (cd /opt/agentcaller && docker compose --env-file infra/.env -f infra/docker-compose.yml "$@"); }
receptionist build -q app
agentcaller build -q backend
receptionist up -d --wait
agentcaller up -d --wait
receptionist exec -T app alembic upgrade head
agentcaller exec -T backend alembic upgrade head
receptionist exec -T postgres psql -qX -v ON_ERROR_STOP=1 -U receptionist -d receptionist </lab/receptionist.sql
agentcaller exec -T db psql -qX -v ON_ERROR_STOP=1 -U postgres -d agentcaller </lab/agentcaller.sql
