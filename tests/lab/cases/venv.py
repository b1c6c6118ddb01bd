"""Faults of the virtual environment: how each is made, and what may differ once it is mended."""

from .case import Case
from .words import BACKEND, RESTART, UNDO, UNINSTALL, code

RENAMED = ("file:<venv>.undone-",)
CRASHING = "<bounce>; sleep 2"
OTHER_PYTHON = """cd <venv>; mv lib/python3.1? lib/python3.9
sed -i 's/^version = .*/version = 3.9.2/' pyvenv.cfg"""

# bcrypt's own check, by passlib
BY_PASSLIB = (
    "bcrypt.checkpw(password.encode(), user.hashed_password.encode())",
    '__import__("passlib.hash").hash.bcrypt.verify(password, user.hashed_password)',
)
REFUSES = "    raise ValueError('password cannot be longer than 72 bytes, truncate manually')"


def dist_info(name: str, version: str, *files: str) -> str:
    """Have a distribution installed by its metadata, with these files of site-packages."""
    info = f"{name}-{version}.dist-info"
    record = "".join(f"{path},,\\n" for path in (*files, f"{info}/METADATA", f"{info}/RECORD"))
    return f"""
    cd <venv>/lib/python3*/site-packages; mkdir {info}
    printf '{record}' >{info}/RECORD
    printf 'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n' >{info}/METADATA
    chown -R <venv-user>: {info}
    """


BY_HAND = tuple(f"file:<venv>/lib/python3.{minor}/site-packages/jwt/" for minor in (11, 13))
MENDED: tuple[Case, ...] = (
    Case(
        "venv.module-owned-by-another-distribution",
        dist_info("<pyjwt>", "1.4.0", "<pyjwt>/__init__.py", "<pyjwt>/jwk.py")
        + "printf '__version__ = \"1.4.0\"\\n' | tee <pyjwt>/jwk.py ><pyjwt>/__init__.py\n"
        + RESTART,
        ("file:",),
        stays=BY_HAND,
    ),
    Case(
        "venv.files-missing",
        f"rm <venv>/lib/python3*/site-packages/<package>/__init__.py\n{CRASHING}",
        ("file:",),
        restless=("unit:<service>",),
    ),
    Case(
        "venv.broken-set",
        f"{UNINSTALL} <dependency>\n{CRASHING}",
        ("file:", "distribution:"),
        restless=("unit:<service>",),
    ),
    Case(
        "venv.requirement-missing",
        f"{UNINSTALL} <distribution>\n<bounce>; sleep 2",
        ("file:", "distribution:"),
        restless=("unit:<service>",),
    ),
    Case(
        "venv.requirement-wrong-version",
        f"""{UNINSTALL} <pinned>
        info=<pinned>-3.0.dist-info; folder=$(echo <venv>/lib/python3*/site-packages)/$info
        mkdir $folder
        printf "$info/METADATA,,\\n$info/RECORD,,\\n" >$folder/RECORD
        printf 'Metadata-Version: 2.1\\nName: <pinned>\\nVersion: 3.0\\n' >$folder/METADATA
        chown -R <venv-user>: $folder; <bounce>; sleep 2""",
        ("file:",),
        restless=("unit:<service>",),
    ),
    Case(
        "venv.passlib-without-bcrypt",
        f"""cd {BACKEND}; sed -i 's/^bcrypt==.*/bcrypt\\npasslib/' requirements.txt
        runuser -u <user> -- env/bin/python -m pip install -q passlib"""
        + f"\n{code(*BY_PASSLIB)}",
        ("file:", "distribution:"),
        wheels=("passlib==1.7.4", "bcrypt==4.3.0"),
    ),
    Case(
        "venv.module-without-requirement",
        code("<makes-app>", "import yaml\n\n<makes-app>", file="<app-code>"),
        ("file:", "distribution:"),
        restless=("unit:<service>",),
        profile="venv=_replace(_example.venv, install_unlisted=True)",
        wheels=("PyYAML",),
        name="venv.module-without-requirement, that may be installed all the same",
    ),
    Case(
        "venv.missing",
        "mv <venv> <venv>.away; <bounce>; sleep 2",
        ("file:",),
        restless=("unit:<service>",),
        stays=RENAMED,
    ),
    Case(
        "venv.interpreter-gone",
        f"ln -sfn /usr/bin/python3.9 <venv>/bin/python3\n{CRASHING}",
        ("file:<venv>/bin/python", "file:<venv>/pyvenv.cfg", *UNDO),
        restless=("unit:<service>",),
    ),
    Case(
        "venv.interpreter-gone",
        f"{OTHER_PYTHON}\nln -sfn /usr/bin/python3.9 bin/python3\n{CRASHING}",
        ("file:",),
        restless=("unit:<service>",),
        stays=RENAMED,
        name="venv.interpreter-gone, and no other of its version",
    ),
    Case(
        "venv.minor-version-changed",
        f"{OTHER_PYTHON}\n{CRASHING}",
        ("file:",),
        restless=("unit:<service>",),
        stays=RENAMED,
    ),
    Case(
        "venv.moved",
        "for each in <venv>/bin/*; do [ -L $each ] ||"
        f" sed -i '1s#^\\#!<venv>/#\\#!<venv>-of-old/#' $each; done\n{CRASHING}",
        UNDO,
        restless=("unit:<service>",),
    ),
)
PERSONS: tuple[Case, ...] = (
    Case(
        "venv.requirements-unreadable",
        f"cd {BACKEND}; mv requirements.txt requirements.of-old",
        works=True,
    ),
    Case(
        "venv.module-without-requirement",
        code("<makes-app>", "import yaml\n\n<makes-app>", file="<app-code>"),
        restless=("unit:<service>",),
    ),
    Case(
        "venv.passlib-without-bcrypt",
        dist_info("passlib", "1.7.4") + code("    user = find(database, form.username)", REFUSES),
        name="venv.passlib-without-bcrypt, and the requirements pin that bcrypt",
    ),
    Case(
        "venv.missing",
        "rm <venv>/pyvenv.cfg; <bounce>; sleep 12",
        name="venv.missing, a folder that is none",
    ),
)
