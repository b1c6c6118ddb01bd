# Runs while the image is built: who may log in, wheels in the place of a package index, and .debs.
set -eu
cd /build
for name in deploy deploypw nosudo; do useradd --create-home --shell /bin/bash "$name"; done
chpasswd <passwords
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
echo 'deploypw ALL=(ALL) ALL' >/etc/sudoers.d/deploypw
chmod 440 /etc/sudoers.d/*
install -m 644 sshd-lab.conf /etc/ssh/sshd_config.d/lab.conf
rm -f /etc/ssh/ssh_host_*
cp -r wheels /var/lib/wheels
chmod -R a+rX /var/lib/wheels
# What a mirror's speed and a disk's would cost the tests: packages are here already, unsynced.
printf 'force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\n' \
    >/etc/dpkg/dpkg.cfg.d/lab
apt-get update -q
apt-get install -qy --download-only --no-install-recommends git nginx postgresql python3-venv
systemctl enable -q ssh
systemctl mask -q systemd-logind.service getty.target console-getty.service apt-daily.timer \
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
: >/etc/machine-id
rm -rf /build /var/lib/apt/lists/*
