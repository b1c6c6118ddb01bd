"""Where a backend differs from what the shared cases say, and which are not made on it, and why."""

from tests.lab.backends.places import EVERY

CRM = ("fastapi_argon", "fastapi_parts", "fastapi_supervisor", "fastapi_elsewhere")
# What people can log in beside, though not at the example's, and the other way round.
WORKS = {
    # its statements name the schema
    **{(one, "postgres.search-path-wrong, of the system"): True for one in CRM},
    **{(one, "accounts.ambiguous"): False for one in ("django_session", "django_simplejwt")},
    **{(one, "accounts.ambiguous"): False for one in ("fastapi_rs256", "fastapi_es256")},
    # its login writes
    ("task_074", "postgres.read-only"): False,
    ("task_074", "postgres.in-recovery"): False,
    # who makes their tokens is who checks them
    **{(one, "machine.clock-skew"): True for one in ("fastapi_rs256", "fastapi_es256")},
}
# Which reads its keys as it is imported, and so ends where one is lost: systemd starts it anew.
_KEPT = "env_file.key-missing, that has to be kept and is kept nowhere"
ENDS = {
    *((one, _KEPT) for one in ("fastapi_rs256", "fastapi_es256")),
    *(("flask_werkzeug", one) for one in ("env_file.key-missing", "env_file.key-empty")),
    *(("django_simplejwt", one) for one in ("env_file.key-missing", _KEPT)),
}
# Whose application another one has: what differs between the two is tried on it, not all.
SAME_AS = {
    "fastapi_parts": ("fastapi_argon", "env_file.*"),
    "fastapi_supervisor": ("fastapi_argon", "venv.*"),
    "fastapi_elsewhere": ("fastapi_argon", "accounts.*"),
    "fastapi_es256": ("fastapi_rs256", "*"),
    "django_session": ("django_simplejwt", "login.*"),
}
# The cases that are not made on a backend though it has the words, as patterns, and why.
_EMPTY = {"postgres.database-missing": "no migration would fill it: it stays a person's"}
_KEYED_AT_ONCE = {
    **_EMPTY,
    "env_file.other-file-used, the unit's*": "it ends without its key file: that crash is named",
}
_GUNICORN = {"machine.clock-skew": "gunicorn's heartbeat does not bear libfaketime"}
_IDENTITY = {"postgres.sequence-privileges-missing": "an identity column needs none"}
_DJANGO = {
    **_GUNICORN,
    **_IDENTITY,
    "login.other-database": "Django closes its connection after each request: none is seen",
    "env_file.other-file-used, the unit's*": "it is a role's name, which PostgreSQL's log has",
    "service.older-than-env-file": "it is a role's name, which PostgreSQL's log has",
}
_OWN_SCHEMA = {**_GUNICORN, "postgres.schema-create-missing": "its schema is its own"}
NOT_SHARED: dict[str, dict[str, str]] = {
    **{one.backend: _GUNICORN for one in EVERY if one.name not in {"rs256", "es256"}},
    **dict.fromkeys(("fastapi_rs256", "fastapi_es256"), _KEYED_AT_ONCE),
    "django_session": _DJANGO,
    "django_simplejwt": {
        **_DJANGO,
        "login.wrong-method": "it asks for the token before the method",
        "login.wrong-content-type": "it takes a form as well as JSON",
    },
    **dict.fromkeys(CRM, _OWN_SCHEMA),
    "fastapi_parts": {
        **_OWN_SCHEMA,
        "env_file.unparsable-line": "what is in quotes is kept nowhere, and stands last",
        "env_file.unparsable-line, another*": "what is in quotes stands last",
        "env_file.key-missing, that*": "without it, the role's name is the database's",
        "env_file.other-file-used, the unit's*": "it is a database's name, which its log has",
    },
    "task_074": {
        **_GUNICORN,
        "service.unit-missing*": "its person has one of the same name",
        "postgres.role-missing": "its login writes another table, too, which a person grants",
        **_IDENTITY,
        "accounts.others-hash-unusable": "all of its accounts are declared",
    },
    "flask_werkzeug": {
        **_GUNICORN,
        **_EMPTY,
        "service.older-than-env-file": "it does not start with another value",
    },
}
