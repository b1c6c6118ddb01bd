"""What a user gets: a wheel that claims one name, beside an inventory and a deploy of their own."""

import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from pyinfra.api import FactBase
from pyinfra.api.metadata import parse_plugins

import relogin.deploys
import relogin.facts
import relogin.operations

REPOSITORY = Path(__file__).parents[1]
SOURCES = ["src", "facts", "operations", "deploys", "pyproject.toml", "README.md", "LICENSE"]
FOLDERS = {
    "relogin": "src/relogin",
    "relogin/facts": "facts",
    "relogin/operations": "operations",
    "relogin/deploys": "deploys",
}

INVENTORY = """\
from pathlib import Path

from relogin import Backend, EnvFile, Secret, Venv

_here = Path(__file__).resolve().parent
hosts = [("@local", {"mine": Backend(
    "mine",
    env_file=EnvFile(f"{_here}/.env", keys={"MODE": "live", "SECRET_KEY": Secret.kept()}),
)})]
"""

DEPLOY = """\
from relogin.deploys.restore_access import restore_access

restore_access()
"""

TYPED = """\
from relogin import Backend, EnvFile

right = Backend("mine", env_file=EnvFile("/srv/mine/.env"))
wrong = Backend("mine", env_file=".env")
unknown = Backend("mine", envfile=EnvFile("/srv/mine/.env"))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as `python -m build` makes it: by way of the source distribution."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copyfile
        copy(REPOSITORY / name, source / name)
    run([sys.executable, "-m", "build", "--no-isolation", source])
    return next((source / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def user(wheel, tmp_path_factory):
    """A folder of a user's: a clean environment with the wheel, and files of their own."""
    folder = tmp_path_factory.mktemp("user")
    run([sys.executable, "-m", "venv", "--without-pip", folder / "env"])
    (folder / "locked.txt").write_text("\n".join(locked()))
    install = [sys.executable, "-m", "pip", "--python", folder / "env/bin/python", "install", "-qq"]
    run([*install, "--no-compile", "-c", folder / "locked.txt", wheel])
    (folder / "inventory.py").write_text(INVENTORY)
    (folder / "deploy.py").write_text(DEPLOY)
    (folder / "typed.py").write_text(TYPED)
    (folder / ".env").write_text("# mine\nMODE=dead\nSECRET_KEY=0123456789abcdef0123456789abcdef\n")
    (folder / ".env").chmod(0o600)
    return folder


def test_the_wheel_claims_only_the_name_relogin(wheel):
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    top = {name.split("/")[0] for name in contents(wheel)}
    assert top == {"relogin", f"relogin-{version}.dist-info"}


def test_the_wheel_has_every_module_and_says_that_it_is_typed(wheel):
    expected = {f"relogin/report/{of}.schema.json" for of in ("run", "history", "faults", "check")}
    expected.add("relogin/py.typed")
    templates = REPOSITORY / "src/relogin/report/templates"
    expected |= {f"relogin/report/templates/{path.name}" for path in templates.iterdir()}
    for package, folder in FOLDERS.items():
        modules = (REPOSITORY / folder).rglob("*.py")
        expected |= {f"{package}/{path.relative_to(REPOSITORY / folder)}" for path in modules}
    assert {name for name in contents(wheel) if ".dist-info/" not in name} == expected


def test_a_type_checker_reads_the_wheel(user):
    checker = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--hide-error-context",
    ]
    python = f"--python-executable={user / 'env/bin/python'}"
    checked = run([*checker, python, "typed.py"], cwd=user, expect=1)
    assert re.findall(r"typed.py:(\d+): error: .*\[(.*)\]", checked) == [
        ("4", "arg-type"),
        ("5", "call-arg"),
    ]


def test_the_folders_of_the_repository_are_no_names_of_their_own(user):
    for bare in ("facts", "operations", "deploys"):
        said = run([user / "env/bin/python", "-c", f"import {bare}"], cwd=user, expect=1)
        assert f"No module named '{bare}'" in said


@pytest.mark.parametrize("what", ["relogin.deploys.restore_access.restore_access", "deploy.py"])
def test_restore_access_runs_by_name_and_from_a_deploy_of_ones_own(user, what):
    before = (user / ".env").read_bytes()
    said = run([user / "env/bin/pyinfra", "inventory.py", what, "--dry"], cwd=user)
    assert "MODE" in said
    assert (user / ".env").read_bytes() == before


def test_the_page_is_made_of_what_the_wheel_holds(user):
    words = ["diagnose", "inventory.py", "--html", "it.html"]
    run([user / "env/bin/relogin", *words], cwd=user, expect=2)
    assert (user / "it.html").read_text().startswith("<!doctype html>")


def test_a_fact_runs_alone(user):
    fact = ["fact", "relogin.facts.env_file.EnvKeys", f"path={user / '.env'}"]
    said = run([user / "env/bin/pyinfra", "inventory.py", *fact], cwd=user)
    assert '"MODE": 4' in said


def test_pyinfra_reads_the_metadata_and_it_names_every_plugin():
    plugins = parse_plugins((REPOSITORY / "pyinfra-metadata.toml").read_text())
    assert {(plugin.type, plugin.path) for plugin in plugins} == {
        *(("fact", path) for path in defining(relogin.facts, is_fact)),
        *(("operation", path) for path in defining(relogin.operations, is_operation)),
        *(("deploy", path) for path in defining(relogin.deploys, is_deploy)),
    }


def test_every_deploy_file_also_runs_by_its_path():
    for path in defining(relogin.deploys, is_deploy):
        call = f'if __name__ == "builtins":\n    {Path(path).stem}()\n'
        assert (REPOSITORY / path).read_text().endswith(call), path


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def locked():
    """The versions of the lock: what pip has fetched for it is in its cache."""
    text = (REPOSITORY / "requirements.lock").read_text()
    return re.findall(r"^[\w.-]+==[^\s\\]+(?: ;[^\\\n]*)?", text, re.MULTILINE)


def run(command, *, cwd=None, expect=0):
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, stdin=subprocess.DEVNULL, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
    )  # fmt: skip
    assert done.returncode == expect, done.stdout
    return done.stdout


def defining(package: ModuleType, wanted):
    """The paths of a package's modules that define something of a kind."""
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        own = [value for value in vars(module).values() if is_of(value, module)]
        if any(wanted(value) for value in own):
            yield str(Path(str(module.__file__)).relative_to(REPOSITORY))


def is_of(value, module):
    return getattr(value, "__module__", None) == module.__name__


def is_fact(value):
    return inspect.isclass(value) and issubclass(value, FactBase)


def is_operation(value):
    return hasattr(getattr(value, "_inner", None), "is_idempotent")


def is_deploy(value):
    return hasattr(getattr(value, "_inner", None), "deploy_name")
