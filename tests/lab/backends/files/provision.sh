# Runs while the image is built: the backends beside Halext, their databases, and the pristine copy anew.
set -eu
cd /build
cp -n wheels/* /srv/wheels/
python=/usr/bin/python3

# NAME SOURCE: the user, its folder, its .env
installed() {
    useradd --system --home-dir "/srv/$1" --shell /usr/sbin/nologin "$1"
    mkdir -p "/srv/$1"
    cp -r "$2/." "/srv/$1"
    install -m 600 "$1.env" "/srv/$1/.env"
    chown -R "$1:$1" "/srv/$1"
}
as() { (user=$1; shift; cd "/srv/$user" && exec runuser -u "$user" -- env HOME=/tmp PIP_NO_CACHE_DIR=1 "$@"); }
venv() {
    as "$1" "$python" -m venv env
    as "$1" env/bin/pip install -q -r requirements.txt
}
installed argon fastapi_argon && venv argon
installed parts fastapi_argon
installed crew fastapi_argon
installed rs256 fastapi_rs256 && venv rs256
installed es256 fastapi_rs256
installed shop django_session && venv shop
installed desk flask_werkzeug && venv desk
installed hub task_074

keys() {
    mkdir -m 750 "/srv/$1/keys"
    openssl genpkey -quiet -out "/srv/$1/keys/private.pem" $2
    openssl pkey -in "/srv/$1/keys/private.pem" -pubout -out "/srv/$1/keys/public.pem"
    chmod 600 "/srv/$1/keys/private.pem"
    chown -R "$1:$1" "/srv/$1/keys"
}
keys rs256 '-algorithm RSA -pkeyopt rsa_keygen_bits:2048'
keys es256 '-algorithm EC -pkeyopt ec_paramgen_curve:P-256'

version=$(ls /usr/lib/postgresql)
pg_ctlcluster "$version" main start
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 <roles.sql
as argon env/bin/alembic upgrade head
as parts /srv/argon/env/bin/alembic upgrade head
as crew /srv/argon/env/bin/alembic upgrade head
as hub /srv/argon/env/bin/alembic upgrade head
as shop env/bin/python manage.py migrate --verbosity 0
for name in rs256 es256 desk; do
    runuser -u "$name" -- psql -qX -v ON_ERROR_STOP=1 -d "$name" <"$name.sql"
done
set -a; . ./people.env; set +a
for seed in argon:argon parts:argon crew:argon rs256:rs256 es256:rs256 shop:shop desk:desk; do
    user=${seed%:*}
    as "$user" OWNER="$OWNER" OTHERS="$OTHERS" PYTHONPATH=. "/srv/${seed#*:}/env/bin/python" - <"seed_${seed#*:}.py"
done
as hub OWNER="$OWNER" OTHERS="$OTHERS" /srv/argon/env/bin/python -m hub.seed
pg_ctlcluster "$version" main stop

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=desk \
    -addext subjectAltName=DNS:desk.example.org,IP:127.0.0.1 -keyout /etc/nginx/desk.key -out /etc/nginx/desk.crt 2>/dev/null
install -m 644 nginx-desk /etc/nginx/sites-available/desk
ln -s /etc/nginx/sites-available/desk /etc/nginx/sites-enabled/desk
install -m 644 ./*-api.service /etc/systemd/system/
systemctl enable -q argon-api parts-api rs256-api es256-api shop-api desk-api hub-api

install -m 644 crew.conf /etc/supervisor/conf.d/crew.conf
systemctl enable -q supervisor

rsync -a --delete /srv/ /root/pristine/srv/
rsync -a --delete --exclude=/hosts --exclude=/hostname --exclude=/resolv.conf --exclude=/mtab /etc/ /root/pristine/etc/
rm -rf /root/pristine/postgresql
cp -a /var/lib/postgresql /root/pristine/
: >/var/log/execs/log
rm -rf /build
