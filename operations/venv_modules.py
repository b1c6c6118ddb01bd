"""Modules that the backend imports: in no requirements file, or another distribution's."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.service import ServiceState
from relogin.facts.venv import VenvState
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.service_down import is_looping
from relogin.operations.venv_owner import pip
from relogin.operations.venv_requirements import requirements

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

# Modules whose distribution has another name. What is not in here is not installed by a guess: on
# an index anybody may have put anything under a name that is free.
_DISTRIBUTIONS = {
    **{
        name: name.replace("_", "-")
        for name in (
            *("aiosmtplib", "alembic", "authlib", "bcrypt", "channels_redis", "cryptography"),
            *("dj_database_url", "django_celery_beat", "django_extensions", "django_otp"),
            *("django_redis", "djoser", "drf_spectacular", "drf_yasg", "fastapi_mail"),
            *("fastapi_users", "httpx", "passlib", "prometheus_client", "psycopg_pool", "pwdlib"),
            *("prometheus_fastapi_instrumentator", "pyotp", "sentry_sdk", "slowapi", "sqlalchemy"),
            *("sqlalchemy_utils", "sse_starlette", "whitenoise"),
        )
    },
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "allauth": "django-allauth",
    "argon2": "argon2-cffi",
    "asyncpg": "asyncpg",
    "attr": "attrs",
    "axes": "django-axes",
    "bs4": "beautifulsoup4",
    "corsheaders": "django-cors-headers",
    "crispy_forms": "django-crispy-forms",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "debug_toolbar": "django-debug-toolbar",
    "decouple": "python-decouple",
    "django_filters": "django-filter",
    "dns": "dnspython",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "email_validator": "email-validator",
    "environ": "django-environ",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "grpc": "grpcio",
    "guardian": "django-guardian",
    "import_export": "django-import-export",
    "itsdangerous": "itsdangerous",
    "jose": "python-jose[cryptography]",
    "jwt": "PyJWT",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "nacl": "PyNaCl",
    "oauth2_provider": "django-oauth-toolkit",
    "phonenumber_field": "django-phonenumber-field",
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "pydantic_settings": "pydantic-settings",
    "python_multipart": "python-multipart",
    "pythonjsonlogger": "python-json-logger",
    "redis": "redis",
    "rest_framework": "djangorestframework",
    "rest_framework_simplejwt": "djangorestframework-simplejwt",
    "serial": "pyserial",
    "simple_history": "django-simple-history",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "social_core": "social-auth-core",
    "social_django": "social-auth-app-django",
    "socketio": "python-socketio",
    "storages": "django-storages",
    "telegram": "python-telegram-bot",
    "websocket": "websocket-client",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
_NOT_FOUND = re.compile(r"ModuleNotFoundError: No module named '(\w+)(\.[\w.]+)?'")
# Packages that several distributions share: of these a part may be missing by itself.
_SHARED = {"azure", "backports", "google", "jaraco", "ruamel", "sphinxcontrib", "zope"}
# FastAPI and pydantic say in words of their own what they lack.
_SAID = (
    (re.compile(r'RuntimeError: Form data requires "python-multipart"'), "python_multipart"),
    (re.compile(r"ImportError: email-validator is not installed"), "email_validator"),
)
# Gone from the standard library with Python 3.12 and 3.13 ("What's New", Removed).
_REMOVED = {
    *("asynchat", "asyncore", "distutils", "imp", "smtpd"),
    *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "mailcap", "msilib", "nis"),
    *("nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"),
}
# Distributions that have a module of another one's name, which is what is meant.
_INTRUDERS = {"jwt": "PyJWT", "jose": "python-jose"}


def _canonical(name: str) -> str:
    """Give a distribution's name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(seen: Observation) -> str | None:
    """Give the module, without which the service does not start or the login fails."""
    service = seen.service
    if not isinstance(service, ServiceState) or not service.exceptions:
        return None
    answered = getattr(seen.login, "status", None) or 0
    if service.active and not is_looping(seen, service) and answered < 500:
        return None
    last = service.exceptions[-1]
    if found := _NOT_FOUND.match(last):
        is_there = found[2] and found[1] not in _SHARED  # Python has found what it is a part of
        return None if is_there or _is_its_own(found[1], service) else found[1]
    return next((module for text, module in _SAID if text.match(last)), None)


def _is_its_own(module: str, service: ServiceState) -> bool:
    """Tell whether the unit's command names it: `hub.main:app`, `shop.wsgi`. No index has that."""
    words = (word for command in service.commands for word in command.split()[1:])
    applications = (word for word in words if ":" in word or word.endswith((".wsgi", ".asgi")))
    return module in {word.partition(":")[0].partition(".")[0] for word in applications}


def _unlisted(backend: Backend, seen: Observation) -> Finding | None:
    """Find what is imported, not installed, and asked for by nobody; the rest is other faults'."""
    module, venv = _imported(seen), seen.venv
    if module is None or not isinstance(venv, VenvState) or venv.strays:
        return None
    distribution = _DISTRIBUTIONS.get(module, "")
    names = {_canonical(name.partition("[")[0]) for name in (distribution or module, module)}
    minded = {each.name for each in requirements(seen)} | {one.name for one in venv.unmet}
    if module in venv.modules or names & {*venv.distributions, *minded}:
        return None
    allowed = bool(distribution and backend.venv and backend.venv.install_unlisted)
    return Finding(
        f"the backend imports {module}, which is in no requirements file",
        subject=module,
        seen=seen.service.exceptions[-1] if isinstance(seen.service, ServiceState) else "",
        expected=_means(module, distribution, venv),
        remedy=f"pip installs {distribution}; add it to the requirements"
        if allowed
        else f"{_means(module, distribution, venv)} ({_files(backend)}), and run again",
        by_person=not allowed,
    )


def _files(backend: Backend) -> str:
    files = backend.venv.requirements if backend.venv is not None else ()
    return ", ".join(files) or "none is declared: Venv(requirements=…)"


def _means(module: str, distribution: str, venv: VenvState) -> str:
    if distribution:
        return f"{distribution} in the requirements"
    if module in _REMOVED:
        return f"a version that does without {module}: Python {venv.python} has it no more"
    if module in sys.stdlib_module_names:
        return f"a Python with {module}: it is of the standard library, and missing there"
    return f"{module} in the requirements, or, if it is the project's own, its file"


def _install_unlisted(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Install it together with the requirements, so that their bounds hold."""
    assert isinstance(seen.venv, VenvState) and backend.venv is not None  # noqa: S101, PT018
    name = _DISTRIBUTIONS[finding.subject]
    files = [word for file in backend.venv.requirements for word in ("-r", file)]
    yield pip(backend, seen.venv, [*files, name], what=f"pip install {name}")


def _owned_by_another(backend: Backend, seen: Observation) -> Iterator[Finding]:
    venv = seen.venv
    if not isinstance(venv, VenvState) or venv.strays:
        return
    asked = {each.name: each for each in requirements(seen)}
    for intruder, meant in _INTRUDERS.items():
        name = _canonical(meant)
        if intruder not in venv.distributions or name not in {*asked, *venv.distributions}:
            continue
        wanted = asked.get(intruder)
        yield Finding(
            f"module {intruder} is that of distribution {intruder}, not of {meant}",
            subject=intruder,
            seen=f"{intruder} {venv.distributions[intruder][0]} is installed in {venv.path}",
            expected=f"{meant} alone",
            remedy=f"take {intruder} out of {wanted.place}: {meant} is meant"
            if wanted
            else f"pip uninstalls {intruder}, and installs {meant} anew",
            by_person=wanted is not None,
        )


def _evict(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Uninstall it; what both have in common goes with it, so the other one is installed anew."""
    venv, intruder = seen.venv, finding.subject
    assert isinstance(venv, VenvState)  # noqa: S101 # else there is no finding
    meant = _INTRUDERS[intruder]
    name = _canonical(meant)
    asked = next((str(each) for each in requirements(seen) if each.name == name), meant)
    wanted = f"{meant}=={venv.distributions[name][0]}" if name in venv.distributions else asked
    yield pip(
        backend,
        venv,
        ["--force-reinstall", "--no-deps", wanted],
        what=f"pip uninstall {intruder}, pip install {wanted}",
        wrong=[name],
        instead_of=intruder,
    )


OWNED_BY_ANOTHER = Fault(
    "venv.module-owned-by-another-distribution",
    _owned_by_another,
    _evict,
    about="a module is that of another distribution of its name (jwt beside PyJWT)",
    remedy="the wrong one is uninstalled, the right one installed anew",
    check=(
        "runuser -u USER -- VENV/bin/python -I -m pip list",
        "ls -d VENV/lib/*/site-packages/*jwt*",
    ),
)
MODULE_WITHOUT_REQUIREMENT = Fault(
    "venv.module-without-requirement",
    _unlisted,
    _install_unlisted,
    about="the backend imports a module that is in no requirements file",
    remedy="add its distribution, which is named; installed where Venv(install_unlisted=True)",
    check=(
        "journalctl -u UNIT -n 80 | grep -E 'ModuleNotFoundError|ImportError'",
        "cat REQUIREMENTS",
    ),
)
