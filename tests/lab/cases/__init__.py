"""Every fault of the catalogue that the lab makes, by layer, in the catalogue's order."""

from . import accounts, env_file, jwt, login, machine, migrations, postgres, service, venv
from .case import PSQL, UNINSTALL, Case
from .together import NEVER_TOGETHER as NEVER_TOGETHER

_LAYERS = (machine, venv, env_file, jwt, postgres, migrations, accounts, service, login)
MENDED: tuple[Case, ...] = tuple(case for layer in _LAYERS for case in layer.MENDED)
PERSONS: tuple[Case, ...] = tuple(case for layer in _LAYERS for case in layer.PERSONS)

# the whole runbook at once
EVERYTHING = "\n".join(
    (
        f"{UNINSTALL} python-multipart 2>/dev/null",
        "sed -i -e /^SECRET_KEY=/d -e 's/^DEV_MODE=.*/DEV_MODE=true/' -e /^ACCESS_CODE=/d .env",
        f"{PSQL} -d halext_org -c \"DELETE FROM users WHERE username = 'ops'\"",
        f"{PSQL} -c \"ALTER ROLE halext_user PASSWORD 'of-yesterday'\"",
        "chmod 644 .env; systemctl stop 'postgresql@*-main.service'",
        "systemctl restart halext-api; sleep 3",
    )
)
