"""Ways to have PostgreSQL: by its unix socket, with a password or as a peer, beside another."""

from tests.lab.cases.case import BACKEND, PSQL, RESTART

from .variant import FAULTS, Variant

SOCKET = f"""
cd {BACKEND}; sed -i 's#@127.0.0.1:5432/halext_org#@/halext_org?host=/var/run/postgresql#' .env
cd /etc/postgresql/*/main
"""
RELOAD = f"systemctl reload 'postgresql@*-main.service'\n{RESTART}"
BY_PASSWORD = f"""{SOCKET}
sed -i '1i local halext_org halext_user scram-sha-256' pg_hba.conf
{RELOAD}"""
AS_PEER = f"""{SOCKET}
sed -i 's#://halext_user:[^@]*@#://halext_user@#' {BACKEND}/.env
sed -i '1i local halext_org halext_user peer map=backends' pg_hba.conf
echo 'backends halext halext_user' >>pg_ident.conf
{RELOAD}"""
# the same roles, databases and rows in both, so that a change to the wrong one shows
SECOND = """
version=$(ls /usr/lib/postgresql)
pg_createcluster --locale C.UTF-8 --start-conf auto $version second --port 5433 >/dev/null
systemctl start postgresql@$version-second
runuser -u postgres -- sh -c 'pg_dumpall -p 5432 | psql -qX -p 5433' >/dev/null 2>&1
"""
ON_SECOND = f"""{SECOND}
sed -i s#127.0.0.1:5432/#127.0.0.1:5433/# {BACKEND}/.env
{RESTART}"""
OF_SECOND = f"export PGPORT=5433\n{FAULTS.replace('-main.service', '-second.service')}"
# A role without a password, that one knows by the profile alone.
WITHOUT_ROLE = f"""
sed -i -e /^DATABASE_URL=/d -e /^ACCESS_CODE=/d {BACKEND}/.env
systemctl stop halext-api
{PSQL} -d halext_org -c 'REASSIGN OWNED BY halext_user TO postgres' -c 'DROP OWNED BY halext_user'
{PSQL} -c 'DROP ROLE halext_user'
"""


def other(port: int) -> str:
    """Give the script that tells whether a cluster runs, and all that is in it."""
    dump = f"pg_dumpall -p {port} | grep -v restrict | sha256sum"
    return f"pg_lsclusters -h | grep {port}; runuser -u postgres -- sh -c '{dump}'"


VARIANTS = (
    Variant("socket, password", BY_PASSWORD, 'halext = with_url(host="/var/run/postgresql")\n'),
    Variant(
        "socket, peer",
        AS_PEER,
        'halext = with_url(host="/var/run/postgresql", password=None)\n',
        inject=WITHOUT_ROLE,
        differs=("database:", "schema:", "table:", "sequence:", "env:DATABASE_URL"),
    ),
    Variant("first of two clusters", SECOND, apart=other(5433)),
    Variant(
        "second of two clusters",
        ON_SECOND,
        "halext = with_url(port=5433)\n",
        inject=OF_SECOND,
        apart=other(5432),
    ),
)
