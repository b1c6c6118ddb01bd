"""Faults of the virtual environment: how each is made, and what may differ once it is mended."""

from .case import BACKEND, RESTART, UNDO, UNINSTALL, Case, code

RENAMED = (f"file:{BACKEND}/env.undone-",)
CRASHING = "systemctl restart halext-api; sleep 2"
OTHER_PYTHON = f"""cd {BACKEND}; mv env/lib/python3.1? env/lib/python3.9
sed -i 's/^version = .*/version = 3.9.2/' env/pyvenv.cfg"""

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
    cd {BACKEND}/env/lib/python3*/site-packages; mkdir {info}
    printf '{record}' >{info}/RECORD
    printf 'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n' >{info}/METADATA
    chown -R halext: {info}
    """


BY_HAND = tuple(f"file:{BACKEND}/env/lib/python3.{minor}/site-packages/jwt/" for minor in (11, 13))
MENDED: tuple[Case, ...] = (
    Case(
        "venv.module-owned-by-another-distribution",
        dist_info("jwt", "1.4.0", "jwt/__init__.py", "jwt/jwk.py")
        + f"printf '__version__ = \"1.4.0\"\\n' | tee jwt/jwk.py >jwt/__init__.py\n{RESTART}",
        ("file:",),
        stays=BY_HAND,
    ),
    Case(
        "venv.files-missing",
        f"rm {BACKEND}/env/lib/python3*/site-packages/sqlalchemy/__init__.py\n{CRASHING}",
        ("file:",),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.broken-set",
        f"{UNINSTALL} anyio\n{CRASHING}",
        ("file:", "distribution:"),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.requirement-missing",
        f"{UNINSTALL} python-multipart\nsystemctl restart halext-api; sleep 2",
        ("file:", "distribution:"),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.requirement-wrong-version",
        f"""{UNINSTALL} bcrypt
        folder=$(echo env/lib/python3*/site-packages)/bcrypt-3.0.dist-info
        mkdir $folder
        printf 'bcrypt-3.0.dist-info/METADATA,,\\nbcrypt-3.0.dist-info/RECORD,,\\n' >$folder/RECORD
        printf 'Metadata-Version: 2.1\\nName: bcrypt\\nVersion: 3.0\\n' >$folder/METADATA
        chown -R halext: $folder; systemctl restart halext-api; sleep 2""",
        ("file:",),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.passlib-without-bcrypt",
        f"""cd {BACKEND}; sed -i 's/^bcrypt==.*/bcrypt\\npasslib/' requirements.txt
        runuser -u halext -- env/bin/python -m pip install -q passlib"""
        + f"\n{code(*BY_PASSLIB)}",
        ("file:", "distribution:"),
        wheels=("passlib==1.7.4", "bcrypt==4.3.0"),
    ),
    Case(
        "venv.module-without-requirement",
        code("app = FastAPI(", "import yaml\n\napp = FastAPI("),
        ("file:", "distribution:"),
        restless=("unit:halext-api",),
        profile="venv=_replace(_example.venv, install_unlisted=True)",
        wheels=("PyYAML",),
        name="venv.module-without-requirement, that may be installed all the same",
    ),
    Case(
        "venv.missing",
        f"cd {BACKEND}; mv env env.away; systemctl restart halext-api; sleep 2",
        ("file:",),
        restless=("unit:halext-api",),
        stays=RENAMED,
    ),
    Case(
        "venv.interpreter-gone",
        f"ln -sfn /usr/bin/python3.9 {BACKEND}/env/bin/python3\n{CRASHING}",
        (f"file:{BACKEND}/env/bin/python", f"file:{BACKEND}/env/pyvenv.cfg", *UNDO),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.interpreter-gone",
        f"{OTHER_PYTHON}\nln -sfn /usr/bin/python3.9 env/bin/python3\n{CRASHING}",
        ("file:",),
        restless=("unit:halext-api",),
        stays=RENAMED,
        name="venv.interpreter-gone, and no other of its version",
    ),
    Case(
        "venv.minor-version-changed",
        f"{OTHER_PYTHON}\n{CRASHING}",
        ("file:",),
        restless=("unit:halext-api",),
        stays=RENAMED,
    ),
    Case(
        "venv.moved",
        f"cd {BACKEND}; for each in env/bin/*; do [ -L $each ] ||"
        f" sed -i '1s#^\\#!{BACKEND}/env/#\\#!{BACKEND}/env-of-old/#' $each; done\n{CRASHING}",
        UNDO,
        restless=("unit:halext-api",),
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
        code("app = FastAPI(", "import yaml\n\napp = FastAPI("),
        restless=("unit:halext-api",),
    ),
    Case(
        "venv.passlib-without-bcrypt",
        dist_info("passlib", "1.7.4") + code("    user = find(database, form.username)", REFUSES),
        name="venv.passlib-without-bcrypt, and the requirements pin that bcrypt",
    ),
    Case(
        "venv.missing",
        f"rm {BACKEND}/env/pyvenv.cfg; systemctl restart halext-api; sleep 12",
        name="venv.missing, a folder that is none",
    ),
)
