"""Descriptions of the examples' backends as a host gets them that has none of it yet."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.lab.host import Host
from tests.lab.image import APPS
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
    served = "nginx" in known.service.needs
    return _dataclasses.replace(
        known,
        onboard=_Onboard(server_name=("127.0.0.1",) if served else ()),
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


def committed(folder: Path, name: str) -> None:
    """Make a repository of the control machine with an application's code."""
    made = folder / name
    subprocess.run(["cp", "-r", APPS / name, made], check=True)
    (made / ".gitignore").write_text("__pycache__/\n")
    own = ["git", "-C", made, "-c", "user.name=lab", "-c", "user.email=lab@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*own, *words], check=True)


def onboard(
    folder: Path,
    hosts: Mapping[Host, tuple[str, ...]],
    secrets: dict[str, str],
    *words: str,
    program: tuple[str, ...] = (),
) -> Ran:
    """Have each host get its backends, all in one run; their code is committed in the folder."""
    data = folder / "group_data"
    data.mkdir(exist_ok=True)
    examples = str(REPOSITORY / "inventories" / "group_data")
    text = _DATA.replace("{EXAMPLES}", examples).replace("{CODE}", str(folder))
    names = sorted({name for each in hosts.values() for name in each})
    for name in names:
        (data / f"on_{name}.py").write_text(f"{text}{name} = _onboarded({name!r})\n")
    inventory = folder / "hosts.py"
    inventory.write_text("".join(_group(name, hosts) for name in names))
    given = ("--group-data", str(data), "deploys/onboard.py", "-y", *words)
    return pyinfra(
        [], *given, inventory=str(inventory), secrets=secrets, program=program, timeout=2400
    )


def _group(name: str, hosts: Mapping[Host, tuple[str, ...]]) -> str:
    lines = "".join(by(host).line() for host, names in hosts.items() if name in names)
    return f"on_{name} = [\n{lines}]\n"
