# Puts a host back as it was provisioned, whatever was done to it. Run as root, on stdin of sh.
set -eu
systemctl kill -s KILL '*-api.service' 2>/dev/null || true # one that hangs would wait for its requests
systemctl stop '*-api.service' nginx 'postgresql@*.service' 2>/dev/null || true
pkill -KILL -u "$(stat -c %U /root/pristine/srv/* | grep -v root | sort -u | tr '\n' ,)postgres" || true
systemctl is-active -q ssh || ssh=restart
awk '$2 ~ "^/(srv|var/lib/postgresql|var/lib/relogin)(/|$)" { print $2 }' /proc/mounts | sort -r | xargs -r -n 1 umount -l
rm -f /usr/local/bin/* /usr/local/lib/faketime.so

changed=$(rsync -ai --delete --exclude=/hosts --exclude=/hostname --exclude=/resolv.conf --exclude=/mtab \
    --exclude=/machine-id --exclude='/ssh/ssh_host_*' --exclude=/ssh/lab_keys --exclude=/ld.so.preload \
    --exclude=/ld.so.cache /root/pristine/etc/ /etc/)
case $changed in *ssh/*) ssh=restart ;; esac
rsync -a --delete /root/pristine/srv/ /srv/
rsync -a --delete /root/pristine/home/ /home/
rsync -a --delete --modify-window=-1 /root/pristine/postgresql/ /var/lib/postgresql/ # to the nanosecond
rm -rf /var/lib/relogin /run/systemd/system/* /run/systemd/system.control /run/sudo/ts/* /var/lib/sudo/lectured/* \
    /var/backups/relogin*
find /tmp /var/tmp /dev/shm -xdev -mindepth 1 ! -name '.*-unix' -delete 2>/dev/null || true
find /var/log/postgresql /var/log/nginx -type f -exec truncate -s 0 {} +

rm -f /usr/lib/systemd/system/halext-api.service
systemctl daemon-reload
systemctl reset-failed
[ -z "${ssh:-}" ] || systemctl restart ssh
systemctl start postgresql nginx $(cd /root/pristine/etc/systemd/system && ls -- *-api.service)
journalctl -q --rotate --vacuum-time=1s 2>/dev/null || true
for _ in $(seq 100); do
    [ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/api/health)" = 200 ] && break
    sleep 0.3 # a request costs 20 ms of CPU
done
: >/var/log/execs/log
