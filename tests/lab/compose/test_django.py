"""Django's migrations in a container: read by its own shell, or copied where it does not run."""

import io
import tarfile
from collections.abc import Iterator

import pytest

from relogin import Compose, Django, shell
from relogin.facts.django_migrations import Found, read
from relogin.facts.migrations import script_of
from tests.lab.host import Host

pytestmark = pytest.mark.lab

PART = Compose("/opt/shop", "web", project="shop")
PLAIN = "class Migration(migrations.Migration):\n    dependencies = []\n"
SECOND = PLAIN.replace("[]", '[("orders", "0001_initial"), ("auth", "0001_a")]')
FILES = {
    "srv/the shop/manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n',
    "srv/the shop/shop/settings.py": 'INSTALLED_APPS = ["django.contrib.auth", "orders"]\n',
    "srv/the shop/orders/migrations/0001_initial.py": PLAIN,
    "srv/the shop/orders/migrations/0002_more.py": SECOND,
    "srv/the shop/media/large.bin": "x" * 100_000,
    "venv/lib/python3.11/site-packages/django/contrib/auth/migrations/0001_a.py": PLAIN,
    "venv/lib/python3.11/site-packages/not_installed/migrations/0001_b.py": PLAIN,
}
OWN = [
    Found("orders.0001_initial"),
    Found("orders.0002_more", ("orders.0001_initial", "auth.0001_a")),
]
LABELS = {"project": "shop", "service": "web", "oneoff": "False"}


def packed() -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as made:
        for name, text in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            made.addfile(member, io.BytesIO(text.encode()))
        python = tarfile.TarInfo("venv/bin/python")
        python.type, python.linkname = tarfile.SYMTYPE, "/usr/bin/python3"
        made.addfile(python)
    return whole.getvalue()


@pytest.fixture
def host(containers: Host) -> Iterator[Host]:
    labels = " ".join(f"--label com.docker.compose.{name}={LABELS[name]}" for name in LABELS)
    path = "PATH=/venv/bin:/usr/bin:/bin"
    containers.root(f"docker create --name shop {labels} -e {path} lab/python:3.11 sleep 600")
    done = containers.console(["docker", "cp", "-", "shop:/"], packed())
    assert 0 == done.returncode, done.stderr
    yield containers
    containers.root("docker rm -f shop")


def found(host: Host) -> list[Found]:
    script = script_of(Django("/srv/the shop"), None, PART)
    said = host.root(f"{shell.PRELUDE}\nit() {{\n{script}\n}}\nit")
    return sorted(read(said.split("\n")[:-1]), key=lambda one: one.name)


def test_they_are_read_in_any_state_of_the_container(host: Host):
    assert OWN == found(host)  # only created: its libraries are out of sight
    host.root("docker start shop")
    assert [Found("auth.0001_a"), *OWN] == found(host)
    host.root("docker exec -u 0 shop sh -c 'mv /bin/sh /bin/no-sh'")
    assert OWN == found(host)  # as an image without a shell
    assert "" == host.root("find /tmp -name large.bin")
