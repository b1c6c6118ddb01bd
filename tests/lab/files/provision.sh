# Runs while the image is built: accounts, recorder, backend, database, services, and the pristine copy.
set -eu
cd /build

backend=/srv/halext.org/halext-org/backend
useradd --system --home-dir /srv/halext.org --shell /usr/sbin/nologin halext
for name in deploy deploypw nosudo; do useradd --create-home --shell /bin/bash "$name"; done
chpasswd <passwords
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
echo 'deploypw ALL=(ALL) ALL' >/etc/sudoers.d/deploypw
chmod 440 /etc/sudoers.d/*
install -m 644 sshd-lab.conf /etc/ssh/sshd_config.d/lab.conf
rm -f /etc/ssh/ssh_host_*

mkdir -p "$backend"
cp -r halext/. "$backend"
install -m 600 dot.env "$backend/.env"
chown -R halext:halext /srv/halext.org
cp -r wheels /srv/wheels
printf '[global]\nno-index = true\nfind-links = /srv/wheels\n' >/etc/pip.conf
as_backend() { (cd "$backend" && exec runuser -u halext -- env HOME=/tmp PIP_NO_CACHE_DIR=1 "$@"); }
as_backend python3 -m venv env
as_backend env/bin/pip install -q -r requirements.txt

version=$(ls /usr/lib/postgresql)
pg_dropcluster --stop "$version" main || true
pg_createcluster --locale C.UTF-8 --start-conf auto "$version" main >/dev/null
pg_ctlcluster "$version" main start
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 <roles.sql
as_backend env/bin/alembic upgrade head
as_backend env PYTHONPATH=. env/bin/python /build/users.py <users.json
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 -d halext_org -c "UPDATE users SET created_at = '2025-01-01 00:00Z'"
pg_ctlcluster "$version" main stop

install -m 644 halext-api.service /etc/systemd/system/
install -m 644 nginx-halext /etc/nginx/sites-available/halext
ln -s /etc/nginx/sites-available/halext /etc/nginx/sites-enabled/halext
rm /etc/nginx/sites-enabled/default
systemctl enable -q halext-api nginx postgresql ssh
systemctl mask -q systemd-logind.service getty.target console-getty.service apt-daily.timer \
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
: >/etc/machine-id

mkdir -p /root/pristine
cp -a /srv /etc /home /root/pristine/
cp -a /var/lib/postgresql /root/pristine/

install -d -m 755 /var/log/execs
install -m 666 /dev/null /var/log/execs/log
gcc -O2 -Wall -Werror -shared -fPIC -o /usr/local/lib/execs.so execs.c
echo /usr/local/lib/execs.so >/etc/ld.so.preload
rm -rf /build
