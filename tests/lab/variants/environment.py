"""Ways to give a service its environment: several env files, or Environment= in its unit."""

from tests.lab import canaries
from tests.lab.cases.case import BACKEND, RESTART, UNIT
from tests.lab.image import database_url

from .variant import FAULTS_BESIDE_ENV, Variant

RELOAD = f"systemctl daemon-reload\n{RESTART}"
# The last file wins, so what the first one says of the code does not count.
IN_TWO_FILES = f"""
mkdir /etc/halext; cd /etc/halext
sed '/^[SQ ]/d; s/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' {BACKEND}/.env >base.env
sed '/^D/d' {BACKEND}/.env >secret.env
chmod 600 *.env; rm {BACKEND}/.env
sed -i 's#^EnvironmentFile=.*#EnvironmentFile=/etc/halext/base.env\\n\
EnvironmentFile=-/etc/halext/secret.env#' {UNIT}
{RELOAD}"""
PROFILE_OF_FILES = """
def at(path, *keys):
    return EnvFile(path, keys={key: env.keys[key] for key in keys}, readers="systemd")


files = [
    at("/etc/halext/base.env", "DEV_MODE", "DATABASE_URL"),
    at("/etc/halext/secret.env", "ACCESS_CODE", "SECRET_KEY"),
]
halext = replace(
    halext,
    env_file=files,
    service=replace(halext.service, environment_files=[file.path for file in files]),
)
"""
OVERRULED = f"""
sed -i -e /^SECRET_KEY=/d /etc/halext/secret.env; echo DEV_MODE=true >>/etc/halext/secret.env
{FAULTS_BESIDE_ENV}"""

ENVIRONMENT = f"""\
Environment=DEV_MODE=false 'ACCESS_CODE={canaries.ACCESS_CODE}' LOG_LEVEL=info
Environment="DATABASE_URL={database_url().replace("%", "%%")}"
Environment=SECRET_KEY={canaries.SECRET_KEY} "QUOTED=a b"
"""
IN_UNIT = f"""
rm {BACKEND}/.env
cat >/tmp/environment <<'UNIT'
{ENVIRONMENT}UNIT
sed -i -e '/^WorkingDirectory=/r /tmp/environment' -e /^EnvironmentFile=/d {UNIT}
rm /tmp/environment
{RELOAD}"""
PROFILE_OF_UNIT = f"""
halext = replace(
    halext,
    env_file=EnvFile("{UNIT}", keys=env.keys, readers="systemd-unit"),
    service=replace(halext.service, environment_files=[]),
)
"""
# An unescaped percent sign is the start of a specifier, and the whole variable gets lost.
UNESCAPED = f"""
sed -i -e 's/%%/%/g' -e 's/SECRET_KEY=[^ ]*//' -e 's/DEV_MODE=false/DEV_MODE=true/' {UNIT}
systemctl daemon-reload
{FAULTS_BESIDE_ENV}"""

VARIANTS: tuple[Variant, ...] = (
    Variant(
        "two env files",
        IN_TWO_FILES,
        PROFILE_OF_FILES,
        inject=OVERRULED,
        differs=("file:/etc/halext",),
        exported=True,
    ),
    Variant(
        "environment in the unit",
        IN_UNIT,
        PROFILE_OF_UNIT,
        inject=UNESCAPED,
        differs=(f"file:{UNIT}",),
        exported=True,
    ),
)
