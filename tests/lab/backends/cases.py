"""The faults of each layer that the lab makes on a backend, and all of them at once."""

from tests.lab.backends.places import Place
from tests.lab.cases.case import PSQL, UNDO, Case


def cases(place: Place) -> dict[str, list[Case]]:
    """Give the faults by their layer."""
    found = {
        "venv": [_uninstalled(place)],
        "env_file": [_edited(place)],
        "jwt": _signing(place),
        "postgres": _role(place),
        "migrations": _behind(place),
        "accounts": _account(place),
        "service": [Case("service.stopped", f"systemctl stop {place.name}-api", UNDO)],
    }
    return {layer: made for layer, made in found.items() if made}


def everything(place: Place) -> str:
    """Break every layer at once."""
    order = ("accounts", "migrations", "jwt", "env_file", "postgres", "venv", "service")
    made = cases(place)
    return "\n".join(f"(\n{made[layer][-1].inject}\n)" for layer in order if layer in made)


def _uninstalled(place: Place) -> Case:
    python = f"{place.venv}/bin/python"
    script = f"""cd /srv/{place.name}
owner=$(stat -c %U {place.venv})
runuser -u $owner -- {python} -m pip uninstall -qy {place.distribution} 2>/dev/null
systemctl restart {place.name}-api; sleep 4"""
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
    of_owner = f"WHERE {users.login} LIKE 'owner%'"
    changes = {
        fault: f"UPDATE {users.table} SET {keeps_out} {of_owner}",
        "accounts.hash-unusable": f"UPDATE {users.table} SET {users.password} = 'text' {of_owner}",
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
