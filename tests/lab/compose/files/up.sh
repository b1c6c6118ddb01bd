# Runs once on a booted host: the images, both projects with their data, and the pristine copies.
set -eu
[ ! -e /root/pristine/opt ] || exit 0
for _ in $(seq 100); do docker info >/dev/null 2>&1 && break; sleep 0.2; done
export DOCKER_BUILDKIT=0
if ! docker image inspect lab/root >/dev/null 2>&1; then
    tar -C / --one-file-system --exclude=./root --exclude=./opt --exclude=./lab --exclude=./var/cache --exclude=./var/lib/postgresql \
        --exclude=./var/lib/apt --exclude=./usr/share/doc --exclude=./usr/share/locale --exclude=./usr/bin/dockerd \
        --exclude=./usr/libexec/docker --exclude=./srv/halext.org --exclude=./usr/bin/docker* --exclude=./usr/bin/containerd* \
        --exclude=./etc/ld.so.preload --exclude=./var/log -c . | docker import - lab/root >/dev/null
fi
for image in python:3.11 postgres:15 redis:7; do docker build -q -t "lab/$image" "/lab/${image%:*}" >/dev/null; done
. /lab/projects.sh
receptionist build -q app
agentcaller build -q backend
receptionist up -d --wait
agentcaller up -d --wait
receptionist exec -T app alembic upgrade head
agentcaller exec -T backend alembic upgrade head
receptionist exec -T postgres psql -qX -v ON_ERROR_STOP=1 -U receptionist -d receptionist </lab/receptionist.sql
agentcaller exec -T db psql -qX -v ON_ERROR_STOP=1 -U postgres -d agentcaller </lab/agentcaller.sql
receptionist stop -t 5 app postgres
agentcaller stop -t 5 backend db
rm -rf /root/pristine
mkdir -p /root/pristine
cp -a /etc /opt /root/pristine/
for volume in ai-receptionist_pgdata infra_pgdata; do cp -a "/var/lib/docker/volumes/$volume/_data" "/root/pristine/$volume"; done
docker tag ai-receptionist-app:latest lab/pristine-receptionist
docker tag infra-backend:latest lab/pristine-agentcaller
receptionist up -d --wait
agentcaller up -d --wait
