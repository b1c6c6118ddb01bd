"""A second backend beside Halext: its own user, folder, unit, port, role and database."""

from tests.lab import canaries
from tests.lab.cases.case import BACKEND, PSQL, UNIT

ROOT, URL = "/srv/crm", "http://127.0.0.1:8001"
# The database is copied as it is, so each of its tables has to be given to the other role.
PREPARE = f"""
set -e
useradd --system --home-dir {ROOT} --shell /usr/sbin/nologin crm
cp -a {BACKEND} {ROOT}
grep -lI {BACKEND} {ROOT}/env/bin/* | xargs sed -i s#{BACKEND}#{ROOT}#
systemctl stop halext-api
{PSQL} <<'SQL'
CREATE ROLE crm_user LOGIN PASSWORD '{canaries.OTHER_DATABASE_PASSWORD}';
CREATE DATABASE crm TEMPLATE halext_org OWNER crm_user;
\\connect crm
ALTER TABLE users OWNER TO crm_user;
ALTER TABLE alembic_version OWNER TO crm_user;
SQL
systemctl start halext-api
sed -i 's#halext_user:.*@\\(.*\\)/halext_org#crm_user:{canaries.OTHER_DATABASE_PASSWORD}@\\1/crm#' \
    {ROOT}/.env
chown -R crm: {ROOT}
sed 's#{BACKEND}#{ROOT}#; s/User=halext/User=crm/; s/8000/8001/' {UNIT} \
    >/etc/systemd/system/crm-api.service
systemctl daemon-reload; systemctl enable -q --now crm-api
for port in 8000 8001; do
  for i in $(seq 100); do
    curl -sf -o /dev/null http://127.0.0.1:$port/api/health && break; sleep 0.1
  done
done
"""
PROFILE = f"""
crm = replace(
    halext,
    name="crm",
    service=Systemd(
        "crm-api", working_directory="{ROOT}", environment_files="{ROOT}/.env", needs=["nginx"]
    ),
    venv=Venv("{ROOT}/env", requirements="{ROOT}/requirements.txt"),
    env_file=EnvFile(
        "{ROOT}/.env",
        keys=env.keys | {{"DATABASE_URL": DatabaseUrl(user="crm_user", database="crm")}},
    ),
    migrations=Alembic("{ROOT}", command="env/bin/alembic upgrade head"),
    login=replace(halext.login, url="{URL}/token", protected="{URL}/users/me"),
    probes=[Probe("{URL}/api/health")],
)
del halext
"""
BREAK = f"""
sed -i -e /^SECRET_KEY=/d -e 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' {ROOT}/.env
{PSQL} -d crm -c "DELETE FROM users WHERE username = 'ops'"
{PSQL} -c "ALTER ROLE crm_user PASSWORD 'of-yesterday'"
systemctl stop crm-api
"""
