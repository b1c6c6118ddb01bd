"""Every fault of the catalogue that the lab makes, by layer, in the catalogue's order."""

from collections.abc import Iterable

from . import accounts, env_file, jwt, login, machine, migrations, postgres, service, venv
from .case import PSQL, UNINSTALL, Case, at
from .halext import HALEXT
from .together import NEVER_TOGETHER as NEVER_TOGETHER
from .words import Words

_LAYERS = (machine, venv, env_file, jwt, postgres, migrations, accounts, service, login)
# In words, for a backend to fill in that has them all.
MENDED_ANYWHERE: tuple[Case, ...] = tuple(case for layer in _LAYERS for case in layer.MENDED)
PERSONS_ANYWHERE: tuple[Case, ...] = tuple(case for layer in _LAYERS for case in layer.PERSONS)


def made_at(cases: Iterable[Case], place: Words, of: Words = HALEXT) -> tuple[Case, ...]:
    """Give those cases that can be made on a backend of these words."""
    return tuple(made for case in cases if (made := at(case, place, of)))


MENDED = made_at(MENDED_ANYWHERE, HALEXT)
PERSONS = made_at(PERSONS_ANYWHERE, HALEXT)

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
