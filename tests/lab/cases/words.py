"""Scripts of cases in words that each backend fills in: `<unit>` is halext-api for the example's.

A case whose words a backend does not all have is not made on it.
"""

import re
from collections.abc import Mapping

BACKEND = "<root>"
ENV = ("file:<root>/.env", "env-text:<root>/.env")
UNIT = "<unit-file>"
UNDO = ("file:/var/lib/relogin",)
DROP_IN = (f"file:{UNIT}.d", "unit:<unit>", *UNDO)
NOTHING = ":"
PSQL = "runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1"
RESTART = "<restart>"
# The password of the database is in the env file alone: a new one is made and the role aligned.
LOST_PASSWORD = ("role-verifier:<role>",)
LOST_WITH_KEY = ("<lost-with-key>",)
# A description that leaves the unit's command to the unit.
ANY_COMMAND = "service=_replace(_example.service, exec_start=None)"
# A wrapper that sets a variable again, behind systemd's back.
WRAPPER = """[Service]
ExecStart=
ExecStart=/usr/bin/env {name}={value} <command>"""
UNINSTALL = "cd <root>; runuser -u <venv-user> -- <venv>/bin/python -m pip uninstall -qy"
_WORD = re.compile("<([a-z][a-z-]*)>")

Words = Mapping[str, str]


def filled(text: str, words: Words, of: Words) -> str | None:
    """Fill in the words; nothing where one that is `of` another backend is lacking in them."""
    found = {name for name in _WORD.findall(text) if name in of}
    if not found <= words.keys():
        return None
    return _WORD.sub(lambda at: words[at[1]] if at[1] in found else at[0], text)


def env(script: str) -> str:
    """Edit the env file in place, as a person with sed would, and restart on it."""
    return f"cd {BACKEND}\n{script}\n{RESTART}"


def sql(*statements: str) -> str:
    """Have the administrator run statements in the backend's database."""
    lines = "\n".join(f"{one};" for one in statements)
    return f"{PSQL} -d <database> <<'SQL'\n{lines}\nSQL\n"


def drop_in(name: str, text: str, *, reload: bool = True) -> str:
    """Add a drop-in, as a person would."""
    load = "systemctl daemon-reload" if reload else ""
    return f"\nmkdir -p {UNIT}.d; printf '{text}\\n' >{UNIT}.d/{name}.conf; {load}\n"


def overridden(name: str, value: str) -> str:
    """Let the unit's command set a variable, whatever its env file has."""
    return drop_in("wrapper", WRAPPER.format(name=name, value=value)) + RESTART


def code(before: str, after: str, *, file: str = "<code>") -> str:
    """Change a line of the backend's own code: what no machine may mend."""
    return f"""cd {BACKEND}
    python3 - <<'PYTHON'
text = open("{file}").read()
assert {before!r} in text
open("{file}", "w").write(text.replace({before!r}, {after!r}))
PYTHON
    {RESTART}"""
