"""Descriptions of the examples' backends as a host gets them that has none of it yet."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.lab.base import BARE, BOOKWORM, PYTHON, TRIXIE
from tests.lab.host import Host
from tests.lab.image import APPS, download_wheels
from tests.lab.inventory import by
from tests.lab.product import REPOSITORY, Ran, pyinfra

_DATA = """
import dataclasses as _dataclasses
import runpy as _runpy

from relogin import Onboard as _Onboard
from relogin import Secret as _Secret
from relogin import Source as _Source


def _made_anew(file):
    keys = {
        key: _Secret.generated() if getattr(value, "source", "") == "kept" else value
        for key, value in file.keys.items()
    }
    return _dataclasses.replace(file, keys=keys)


def _onboarded(name):
    known = _runpy.run_path(f"{EXAMPLES}/{name}.py")[name]
    if known.venv:
        known = _in_its_own_venv(known)
    needs = getattr(known.service, "needs", ())
    names = ("127.0.0.1", *(one.host_header for one in known.probes if one.host_header))
    return _dataclasses.replace(
        known,
        onboard=_Onboard(server_name=names if "nginx" in needs else ()),
        source=_Source(known.service.working_directory, checkout=f"{CODE}/{name}"),
        env_file=tuple(map(_made_anew, known.env_files)),
    )


def _in_its_own_venv(known):
    # the lab's host with many backends has some in one venv
    own = f"{known.service.working_directory}/env"

    def moved(part, field):
        text = getattr(part, field)
        return _dataclasses.replace(part, **{field: text.replace(known.venv.path, own)})

    return _dataclasses.replace(
        known,
        venv=_dataclasses.replace(
            known.venv, path=own, pip_args=("--no-index", "--find-links=/var/lib/wheels")
        ),
        service=moved(known.service, "exec_start"),
        migrations=known.migrations and moved(known.migrations, "command"),
    )


"""


def committed(folder: Path, name: str, application: str = "") -> None:
    """Make a repository of the control machine with an application's code, by its own name."""
    made = folder / name
    subprocess.run(["cp", "-r", APPS / (application or name), made], check=True)
    (made / ".gitignore").write_text("__pycache__/\n")
    own = ["git", "-C", made, "-c", "user.name=lab", "-c", "user.email=lab@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*own, *words], check=True)


def with_wheels(host: Host, folder: Path, applications: Iterable[str]) -> None:
    """Put the wheels of these on the host, in the place of a package index."""
    python = PYTHON[BOOKWORM if host.suite == BARE else TRIXIE]
    for name in applications:
        download_wheels(folder / "wheels", python, APPS / name / "requirements.txt")
    host.install(folder, ["wheels"], "tar -x -C /var/lib; chmod -R a+rX /var/lib/wheels")


def onboard(
    folder: Path,
    hosts: Mapping[Host, tuple[str, ...]],
    secrets: dict[str, str],
    *words: str,
    program: tuple[str, ...] = (),
    described: str = "",
) -> Ran:
    """Have each host get its backends, all in one run; their code is committed in the folder.

    `described` is Python that changes the descriptions, by their names.
    """
    data = folder / "group_data"
    data.mkdir(exist_ok=True)
    examples = str(REPOSITORY / "inventories" / "group_data")
    text = _DATA.replace("{EXAMPLES}", examples).replace("{CODE}", str(folder))
    names = sorted({name for each in hosts.values() for name in each})
    for name in names:
        (data / f"on_{name}.py").write_text(f"{text}{name} = _onboarded({name!r})\n{described}")
    inventory = folder / "hosts.py"
    inventory.write_text("".join(_group(name, hosts) for name in names))
    given = ("--group-data", str(data), "deploys/onboard.py", "-y", *words)
    return pyinfra(
        [], *given, inventory=str(inventory), secrets=secrets, program=program, timeout=2400
    )


def _group(name: str, hosts: Mapping[Host, tuple[str, ...]]) -> str:
    lines = "".join(by(host).line() for host, names in hosts.items() if name in names)
    return f"on_{name} = [\n{lines}]\n"
