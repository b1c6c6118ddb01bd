# Runs while the image is built: what needs no Docker Engine.
set -eu
systemctl disable -q halext-api nginx postgresql redis-server
systemctl enable -q docker
cp -r /lab/wheels/. /srv/wheels/
usermod -aG docker deploy
mkdir -p /opt
mv /lab/receptionist /opt/ai-receptionist
mv /lab/agentcaller /opt/agentcaller
mv /lab/edms /opt/edms
install -m 600 /lab/receptionist.env /opt/ai-receptionist/.env
install -m 600 /lab/agentcaller.env /opt/agentcaller/.env
install -m 600 /lab/agentcaller-infra.env /opt/agentcaller/infra/.env
install -m 600 /lab/edms.env /opt/edms/.env
# /proc/sys is read-only in the lab's hosts
mkdir -p /etc/systemd/system/docker.service.d
printf '[Service]\nEnvironment=DOCKER_ALLOW_IPV6_ON_IPV4_INTERFACE=1\n' >/etc/systemd/system/docker.service.d/lab.conf
