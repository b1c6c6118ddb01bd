"""Whether what is installed is whole, and is what was meant: needs, modules, scripts."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.facts.venvs import install, look, make_venv, site_packages


def needing(env: Path, *needs: str, **installed: str) -> Path:
    """Install `top`, which needs these, and others; give a requirements file that asks for it."""
    install(site_packages(env), "top", "1.0", *needs)
    for name, version in installed.items():
        install(site_packages(env), name, version)
    (env.parent / "r.txt").write_text("top==1.0\n")
    return env.parent / "r.txt"


@pytest.mark.parametrize(
    ("need", "version", "met"),
    [
        ("low", "1.0", True),
        ("low>=1.0,<2", "1.9.5", True),
        ("low (>=1.0)", "1.0", True),
        ("low[x]~=1.4", "1.4.9", True),
        ("low==1.*", "1.5", True),
        ("low!=1.5", "1.4", True),
        ("low>=1.10", "1.9", False),
        ("low<2,>=1", "2.0.0", False),
        ("low~=1.4", "2.0", False),
        ("low==1.5", "1.5.0", True),
        ("low>=1.0", "1.1rc1", True),
        ("low>=1.0", "1.0rc1", False),
        ("low @ https://host.example/low.whl", "1.0", True),
        ('low<1; python_version < "3"', "1.0", True),
        ('low<1; python_version > "3"', "1.0", False),
        ('low<1; extra == "more"', "1.0", True),
    ],
)
def test_what_a_distribution_needs_is_judged_as_pip_check_does(env, need, version, met):
    seen = look(env, needing(env, need, Low=version))
    expected = [] if met else [("top", "low", version)]
    assert expected == [(one.of, one.name, one.version) for one in seen.unmet]
    pip = [sys.executable, "-m", "pip", "--python", str(env / "bin/python"), "check"]
    checked = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert met is (checked.returncode == 0), checked.stdout


def test_what_a_distribution_needs_and_is_not_there_is_unmet(env):
    seen = look(env, needing(env, "low>=1", 'nosuch; sys_platform == "win32"'))
    assert ["top needs low>=1, and it is not installed"] == list(map(str, seen.unmet))


def test_what_the_requirements_do_not_lead_to_is_not_judged(env):
    install(site_packages(env), "other", "1.0", "nosuch")
    assert () == look(env, needing(env, "six")).unmet


def test_without_requirements_all_is_judged(env):
    needing(env, "low")
    assert ["low"] == [one.name for one in look(env).unmet]


def test_when_something_was_installed_counts_only_for_what_the_requirements_lead_to(env):
    file = needing(env, "six", 'low; extra == "more"')
    before = look(env, file).changed
    install(site_packages(env), "ipython", "9.0")
    assert before == look(env, file).changed
    (site_packages(env) / "six-1.17.0.dist-info" / "INSTALLER").touch()
    assert before < look(env, file).changed


def recorded(env: Path, *lines: str) -> Path:
    """Let six have these files by its RECORD, and a requirements file ask for it."""
    record = site_packages(env) / "six-1.17.0.dist-info/RECORD"
    record.write_text("".join(f"{line},sha256=x,1\n" for line in lines))
    (env.parent / "r.txt").write_text("SIX>1\n")
    return env.parent / "r.txt"


def test_modules_that_are_gone_although_installed(env):
    file = recorded(env, "six.py", "six/core.py", "six/deep/er.py", "../../../bin/six.py", "six.so")
    (site_packages(env) / "six.so").touch()
    seen = look(env, file)
    assert {"six": ("six.py", "six/core.py")} == seen.gone
    assert {} == look(env).gone  # nobody asks for it


def test_modules_of_other_names_than_their_distributions(env):
    names = (
        "yaml",
        "jwt.py",
        "_c.cpython-311-x86_64-linux-gnu.so",
        "six.py",
        "x-y",
        "fast.abi3.so",
    )
    for name in names:
        (site_packages(env) / name).touch()
    assert {"yaml", "jwt", "fast"} == set(look(env).modules) - {"pip", "setuptools"}


OWNED = "../../../bin/{},sha256=x,1\n"


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("#!/old/env/bin/python3.11\n", "/old/env/bin/python3.11"),
        ("#!/old/env/bin/python -I\n", "/old/env/bin/python"),
        (
            "#!/bin/sh\n'''exec' \"/o l d/bin/python3\" \"$0\" \"$@\"\n' '''\n",
            "/o l d/bin/python3",
        ),
        ("#!/bin/sh\n'''exec' /old/bin/python3 \"$0\" \"$@\"\n' '''\n", "/old/bin/python3"),
        ("#!{env}/bin/python\n", None),
        ("#!{alias}/bin/python\n", None),
        ("#!/usr/bin/env python3\n", None),
        ("#!/usr/bin/python\n", None),
        ("#!/bin/sh\n", None),
        ("#!{plain}/bin/python3\n", None),
        ("#!{other}/bin/python3\n", "{other}/bin/python3"),
        ("\x7fELF", None),
    ],
)
def test_a_script_that_starts_the_python_of_another_venv_is_a_stray(env, text, python):
    places = {name: str(env.parent / name) for name in ("env", "alias", "plain", "other")}
    Path(places["alias"]).symlink_to(env)
    make_venv(Path(places["other"]))
    (env.parent / "plain/bin").mkdir(parents=True)
    (env.parent / "plain/bin/python3").touch()
    (env / "bin/tool").write_text(text.format(**places) + "import tool\n")
    (site_packages(env) / "six-1.17.0.dist-info/RECORD").write_text(OWNED.format("tool"))
    assert ({"tool": python.format(**places)} if python else {}) == look(env).strays


def test_a_script_that_no_distribution_owns_may_start_what_it_likes(env):
    (env / "bin/mine").write_text("#!/old/env/bin/python\n")
    assert {} == look(env).strays
