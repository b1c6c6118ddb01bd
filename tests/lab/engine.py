"""Start Docker Engine where none answers, and boot lab hosts on it.

RELOGIN_LAB=required starts an engine (as root) and makes whatever is missing an error.
RELOGIN_LAB_KEEP=NAME leaves the engine and a set of hosts of that name running, for the next run.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from .backends.image import backends_image
from .bare.image import bare_engine_image, bare_image
from .base import (
    BACKENDS,
    BARE,
    BARE_ENGINE,
    BARE_TRIXIE,
    BOOKWORM,
    COMPOSE,
    TRIXIE,
    LabUnavailableError,
    run,
)
from .compose.image import engine_image
from .host import Host
from .image import host_images

LABEL = "relogin-lab"
BOOT = (
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--security-opt", "seccomp=unconfined"),
    *("--cgroupns=host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
    *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"),
)
READY = """
for _ in $(seq 300); do
    systemctl -q is-active ssh nginx && curl -sf -o /dev/null http://127.0.0.1/api/health &&
        ready=1 && break
    sleep 0.2
done
[ -n "$ready" ] || { systemctl --no-pager --failed >&2; exit 1; }
"""
READY_BACKENDS = """
for port in 8101 8102 8103 8104 8105 8106 8107 8108; do
    for _ in $(seq 300); do
        [ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:$port/)" != 000 ] && break
        sleep 0.2
    done
done
"""
READY_BARE = """
for _ in $(seq 300); do systemctl -q is-active ssh && exit; sleep 0.2; done; exit 1
"""
READY_COMPOSE = """
curl -sf -o /dev/null http://127.0.0.1:8002/health && curl -sf -o /dev/null http://127.0.0.1:8000/health
"""


def required() -> bool:
    """Tell whether a missing lab is an error."""
    return os.getenv("RELOGIN_LAB") == "required"


def kept() -> str:
    """Give the name of the set of hosts to keep, or nothing."""
    return os.getenv("RELOGIN_LAB_KEEP", "")


@contextmanager
def hosts(counts: Mapping[str, int]) -> Iterator[list[Host]]:
    """Give so many booted, healthy hosts of each suite; afterwards remove exactly these.

    Raises:
        LabUnavailableError: there is no Docker Engine, or no way to make the image.
    """
    with prepared(counts) as images, _folder() as folder:
        mark = kept() or uuid.uuid4().hex[:8]
        label = f"{LABEL}{'' if kept() else '-run'}={mark}"
        wanted = [(suite, n + 1) for suite, count in counts.items() for n in range(count)]

        def boot(suite: str, number: int) -> Host:
            name = f"{LABEL}-{mark}-{suite}-{number}"
            return _host(name, suite, images[suite], label, folder)

        try:
            with ThreadPoolExecutor(len(wanted)) as pool:
                booted = list(pool.map(boot, *zip(*wanted, strict=True)))
            _write_known_hosts(booted, folder)
            yield booted
        finally:
            if not kept():
                _remove(label)


@contextmanager
def prepared(suites: Collection[str]) -> Iterator[dict[str, str]]:
    """Give the tags of the suites' images, built where they are not there, while an engine runs.

    Raises:
        LabUnavailableError: there is no Docker Engine, or no way to make the image.
    """
    with _engine():
        own: dict[str, Callable[[], str]] = {
            COMPOSE: engine_image,
            BACKENDS: backends_image,
            BARE: lambda: bare_image(BOOKWORM),
            BARE_TRIXIE: lambda: bare_image(TRIXIE),
            BARE_ENGINE: bare_engine_image,
        }
        on_others = {*suites} - {BARE, BARE_TRIXIE}
        images = host_images(on_others - {*own} or {BOOKWORM}) if on_others else {}
        made = {suite: make for suite, make in own.items() if suite in suites}
        with ThreadPoolExecutor() as pool:
            tags = list(pool.map(lambda make: make(), made.values()))
        yield images | dict(zip(made, tags, strict=True))


@contextmanager
def _engine() -> Iterator[None]:
    if _answers():
        yield
        return
    if not required():
        raise LabUnavailableError("no Docker daemon answers (RELOGIN_LAB=required starts one)")
    if os.geteuid() or not shutil.which("dockerd"):
        raise LabUnavailableError("no Docker daemon answers; to start one needs root and dockerd")
    with tempfile.TemporaryFile() as log:
        engine = subprocess.Popen(["dockerd"], stdout=log, stderr=log, start_new_session=True)
        try:
            if not _came_up(engine):
                log.seek(0)
                said = log.read().decode(errors="replace").splitlines()[-3:]
                raise LabUnavailableError(f"dockerd was started, but did not come up: {said}")
            yield
        finally:
            if not kept():
                engine.terminate()
                engine.wait(60)


def _came_up(engine: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + 90
    while engine.poll() is None and time.monotonic() < deadline:
        if _answers():
            return True
        time.sleep(0.5)
    return False


def _answers() -> bool:
    if not shutil.which("docker"):
        return False
    asked = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, check=False
    )
    return not asked.returncode


@contextmanager
def _folder() -> Iterator[Path]:
    """Give the folder of the key and known_hosts; a kept one is held by one run at a time."""
    if not kept():
        with tempfile.TemporaryDirectory(prefix="relogin-lab-") as made:
            yield _with_key(Path(made))
        return
    folder = Path(tempfile.gettempdir(), f"{LABEL}-{kept()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield _with_key(folder)


def _with_key(folder: Path) -> Path:
    if not (folder / "key").exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", LABEL, "-f", f"{folder}/key"])
    return folder


def _host(name: str, suite: str, image: str, label: str, folder: Path) -> Host:
    bare = suite in {BARE, BARE_TRIXIE, BARE_ENGINE}
    reused = _runs(name, "" if bare else image)  # what has been onboarded is bare no more
    if not reused:
        options = ["--name", name, "--hostname", name, "--label", label]
        if suite in {
            COMPOSE,
            BARE_ENGINE,
        }:  # the engine's layers cannot lie on layers, and it enters containers
            options += ["--cap-add", "SYS_PTRACE", "--volume", "/var/lib/docker"]
        run(["docker", "run", "--detach", *options, *BOOT, image])
    where = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    address = run(["docker", "inspect", "--format", where, name]).strip()
    host = Host(name, suite, address, folder / "key", folder / "known_hosts")
    keys = (folder / "key.pub").read_text()
    host.root(f"cat >/etc/ssh/lab_keys <<'KEYS'\n{keys}KEYS\nchmod 644 /etc/ssh/lab_keys")
    if suite == COMPOSE:
        run(["docker", "exec", name, "sh", "/lab/up.sh"])
    if not bare:
        host.forget_all()
    if reused:
        host.heal()
    ready = {COMPOSE: READY_COMPOSE, BACKENDS: READY + READY_BACKENDS}
    host.root(READY_BARE if bare else ready.get(suite, READY))
    return host


def _runs(name: str, image: str) -> bool:
    """Tell whether such a host runs on today's image; one that does not is removed."""
    state = "{{.Config.Image}} {{.State.Running}}"
    found = subprocess.run(
        ["docker", "inspect", "--format", state, name], capture_output=True, text=True, check=False
    )
    if found.returncode:
        return False
    if found.stdout.split() == [image, "true"]:
        return True
    run(["docker", "rm", "--force", "--volumes", name])
    return False


def _write_known_hosts(booted: list[Host], folder: Path) -> None:
    lines = [
        f"{host.address} {host.root('cat /etc/ssh/ssh_host_ed25519_key.pub')}" for host in booted
    ]
    (folder / "known_hosts").write_text("".join(lines))


def _remove(label: str) -> None:
    """Remove the containers of this label, which is this run's alone."""
    if found := run(["docker", "ps", "--all", "--quiet", "--filter", f"label={label}"]).split():
        run(["docker", "rm", "--force", "--volumes", *found])
