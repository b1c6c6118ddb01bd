"""The faults of each layer that the lab makes on a backend, and all of them at once."""

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatch

import bcrypt

from tests.lab.backends import canaries
from tests.lab.backends.applicable import not_applicable
from tests.lab.backends.differing import ENDS, NOT_SHARED, SAME_AS, WORKS
from tests.lab.backends.logins import OF_CODE
from tests.lab.backends.own import MENDED as OWN_MENDED
from tests.lab.backends.own import PERSONS as OWN_PERSONS
from tests.lab.backends.places import Place
from tests.lab.backends.words import of_any, words
from tests.lab.cases import MENDED_ANYWHERE, PERSONS_ANYWHERE, made_at
from tests.lab.cases.case import PSQL, UNDO, Case

# A hash of the owner's own password, in a scheme that none of these backends reads.
BCRYPT = bcrypt.hashpw(canaries.OWNER_PASSWORD.encode(), bcrypt.gensalt(4)).decode()


def cases(place: Place) -> dict[str, list[Case]]:
    """Give the faults by their layer."""
    found = {
        "venv": [_uninstalled(place)],
        "env_file": [_edited(place)],
        "jwt": _signing(place),
        "postgres": _role(place),
        "migrations": _behind(place),
        "accounts": _account(place),
        "service": _service(place),
    }
    return {layer: made for layer, made in found.items() if made}


def _service(place: Place) -> list[Case]:
    cases = [Case("service.stopped", place.control("stop"), UNDO)]
    if not place.supervised:
        return cases
    conf = f"/etc/supervisor/conf.d/{place.name}.conf"
    failed = f"""mv /srv/{place.name}/crm/main.py /root/; {place.control("restart")}
for _ in $(seq 300); do supervisorctl status {place.name} | grep -q FATAL && break; sleep 0.2; done
mv /root/main.py /srv/{place.name}/crm/"""
    unread = f"mv {conf} /root/; supervisorctl update >/dev/null; mv /root/{place.name}.conf {conf}"
    name = "service.program-not-read"
    return [
        Case("service.configuration-not-applied", unread, UNDO, name=name),
        Case("service.fatal", failed, UNDO),
        *cases,
    ]


def persons(place: Place) -> list[Case]:
    """Give the faults that only a person may mend."""
    own = (_lost_record, _keys, _refresh, _other_table, _supervisord)
    return [case for each in own for case in each(place)]


def _supervisord(place: Place) -> list[Case]:
    if not place.supervised:
        return []
    return [Case("service.supervisord-down", "systemctl stop supervisor")]


def _other_table(place: Place) -> list[Case]:
    """Give a table that the login writes beside the users."""
    if place.name != "hub":
        return []
    taken = "ALTER TABLE login_attempts OWNER TO postgres"
    name = "postgres.table-privileges-missing, of another table"
    return [Case("postgres.table-privileges-missing", place.sql(taken), name=name)]


def _refresh(place: Place) -> list[Case]:
    """Give a route for refresh tokens that checks them as another kind."""
    if place.name != "rs256":
        return []
    other = f"""sed -i 's/"refresh")$/"renew")/' /srv/rs256/main.py; {place.restart}"""
    return [Case("login.refresh-refused", other)]


def _lost_record(place: Place) -> list[Case]:
    """Give what a record of migrations looks like that has lost rows."""
    if place.name != "shop":
        return []
    lost = "DELETE FROM django_migrations WHERE app = 'orders'"
    return [
        Case(
            "migrations.inconsistent-history",
            place.sql(f"{lost} AND name = '0001_initial'"),
            works=True,
        ),
        Case("migrations.not-recorded", place.sql(lost), works=True),
    ]


def _keys(place: Place) -> list[Case]:
    """Give the faults of the files that sign and check tokens."""
    if place.signs is None or place.signs[0] != "jwt.public-key-missing":
        return []
    key, restart = f"/srv/{place.name}/keys/private.pem", f"systemctl restart {place.name}-api"
    restless = (f"unit:{place.name}-api",)
    made = {
        "jwt.private-key-missing": f"rm {key}; {restart}; sleep 3",
        "jwt.key-unreadable": f"chown root {key}; {restart}; sleep 3",
        "jwt.keys-no-pair": f"{_other_pair(place, key)}; {place.restart}",
    }
    return [Case(fault, script, restless=restless) for fault, script in made.items()]


def mended(place: Place) -> list[Case]:
    """Give what a machine mends: its own cases, and those that it shares with the example."""
    own = [case for layer in cases(place).values() for case in layer]
    return [*own, *_shared(place, own, MENDED_ANYWHERE, OWN_MENDED)]


def left(place: Place) -> list[Case]:
    """Give what only a person may mend: its own cases, and those that it shares."""
    own = persons(place)
    return [*own, *_shared(place, own, PERSONS_ANYWHERE, (*OF_CODE, *OWN_PERSONS))]


def _shared(
    place: Place, own: list[Case], every: Iterable[Case], of_code: Iterable[Case] = ()
) -> list[Case]:
    """Give the cases of the example that it has the words for, and those of any backend's code."""
    without = NOT_SHARED.get(place.backend, {})
    never = {*not_applicable(place), *(str(case) for case in own)}
    heartbeat = f"file:/srv/{place.name}/.gunicorn"
    told = words(place)
    ends = {case: (f"unit:{place.name}-api",) for one, case in ENDS if one == place.backend}
    _, differing = SAME_AS.get(place.backend, ("", "*"))
    reinstalled = {"service.older-than-venv": (f"file:{place.venv}/lib/",)}
    # the example's logins are its own code's and its proxy's
    wanted = [case for case in every if not case.fault.startswith("login.")]
    return [
        replace(
            case,
            restless=(*case.restless, heartbeat, *ends.get(str(case), ())),
            differs=(*case.differs, *reinstalled.get(case.fault, ())),
            works=WORKS.get((place.backend, str(case)), case.works),
        )
        for case in (*made_at(wanted, told), *made_at(of_code, told, of_any()))
        if not {case.fault, str(case)} & never
        and fnmatch(case.fault, differing)
        and not any(fnmatch(str(case), pattern) for pattern in without)
    ]


def everything(place: Place) -> str:
    """Break every layer at once."""
    order = ("accounts", "migrations", "jwt", "env_file", "postgres", "venv", "service")
    made = cases(place)
    return "\n".join(f"(\n{made[layer][-1].inject}\n)" for layer in order if layer in made)


def _other_pair(place: Place, key: str) -> str:
    kind = "RSA -pkeyopt rsa_keygen_bits:2048"
    if place.name == "es256":
        kind = "EC -pkeyopt ec_paramgen_curve:P-256"
    return f"openssl genpkey -quiet -algorithm {kind} >/root/other.pem; cat /root/other.pem >{key}"


def _uninstalled(place: Place) -> Case:
    python = f"{place.venv}/bin/python"
    script = f"""cd /srv/{place.name}
owner=$(stat -c %U {place.venv})
runuser -u $owner -- {python} -m pip uninstall -qy {place.distribution} 2>/dev/null
{place.control("restart")}; sleep 4"""
    differs = (f"file:{place.venv}", f"file:/srv/{place.name}/", *UNDO)
    restless = (f"unit:{place.name}-api", f"file:/srv/{place.name}/.gunicorn")
    return Case("venv.requirement-missing", script, differs, restless)


def _edited(place: Place) -> Case:
    fault, edit = place.edit
    differs = (*_env(place), *_role_of(place), *UNDO)
    restless = (f"unit:{place.name}-api", f"file:/srv/{place.name}/.gunicorn")
    return Case(fault, f"sed -i '{edit}' {place.env}\n{place.restart}", differs, restless)


def _signing(place: Place) -> list[Case]:
    if place.signs is None:
        return []
    fault, script = place.signs
    return [Case(fault, script, (*_env(place), *UNDO), (f"unit:{place.name}-api",))]


def _role(place: Place) -> list[Case]:
    no_login = f'{PSQL} -c "ALTER ROLE {place.name} NOLOGIN"\n{place.restart}'
    other = f"{PSQL} -c \"ALTER ROLE {place.name} PASSWORD 'of-yesterday'\"\n{place.restart}"
    return [
        Case("postgres.role-cannot-login", no_login, (*_role_of(place), *UNDO)),
        Case("postgres.role-password-differs", other, (*_role_of(place), *UNDO)),
    ]


def _behind(place: Place) -> list[Case]:
    if not place.behind:
        return []
    return [Case("migrations.behind", place.sql(*place.behind), (*_rows(place), *UNDO))]


def _account(place: Place) -> list[Case]:
    users = place.users
    fault, keeps_out = users.out
    set_hash = f"UPDATE {users.table} SET {users.password} ="
    of_owner = f"WHERE {users.login} LIKE 'owner%'"
    changes = {
        fault: f"UPDATE {users.table} SET {keeps_out} {of_owner}",
        "accounts.hash-unusable": f"{set_hash} 'text' {of_owner}",
        "accounts.hash-foreign": f"{set_hash} '{BCRYPT}' {of_owner}",
        "accounts.missing": f"DELETE FROM {users.table} {of_owner}",
    }
    differs = (*_rows(place), *UNDO)
    return [Case(name, place.sql(statement), differs) for name, statement in changes.items()]


def _env(place: Place) -> tuple[str, ...]:
    return f"file:{place.env}", f"env-text:{place.env}"


def _role_of(place: Place) -> tuple[str, ...]:
    return f"role:{place.name}", f"role-verifier:{place.name}"


def _rows(place: Place) -> tuple[str, ...]:
    return tuple(f"{kind}:{place.name}." for kind in ("row", "table", "value", "sequence"))


def may_differ(place: Place) -> tuple[str, ...]:
    """Give what may differ once everything was healed."""
    folders = (f"file:{place.venv}", f"file:/srv/{place.name}/")
    return (*_rows(place), *_env(place), *_role_of(place), *folders, *UNDO)
