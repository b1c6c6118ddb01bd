"""A fault on a lab host: how it is made, and what may differ once it has been mended."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.host import Host
from tests.lab.wheels import bring

BACKEND = "/srv/halext.org/halext-org/backend"
ENV = (f"file:{BACKEND}/.env", f"env-text:{BACKEND}/.env")
UNIT = "/etc/systemd/system/halext-api.service"
UNDO = ("file:/var/lib/relogin",)
DROP_IN = (f"file:{UNIT}.d", "unit:halext-api", *UNDO)
NOTHING = ":"
PSQL = "runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1"
RESTART = """
systemctl restart halext-api
for i in $(seq 60); do
    curl -sf -o /dev/null http://127.0.0.1/api/health && break
    ! systemctl -q is-failed halext-api || break
    [ "$(systemctl show -P NRestarts halext-api)" -lt 3 ] || break # it dies again and again
    sleep 0.3
done
"""


@dataclass(frozen=True)
class Case:
    """A fault: the root script that makes it, what its verdict says first, what may differ after.

    `differs` are beginnings of snapshot keys; `restless` those of what never comes to rest while
    the fault is there (a crash loop). `works` says that people can log in all the same. `profile`
    is how the example's description is changed for it, as arguments of dataclasses.replace; ADDRESS
    in it stands for the host's, CERTIFICATE for a file with the one that its nginx has. Where that
    alone makes the fault, `inject` is NOTHING. `stays` are beginnings of what taking the run back
    leaves: what the run made, or renamed. `wheels` are requirements that pip has to find there.
    """

    fault: str
    inject: str
    differs: tuple[str, ...] = ()
    restless: tuple[str, ...] = ()
    name: str = ""
    works: bool = False
    profile: str = ""
    stays: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name or self.fault

    def make(self, host: Host) -> None:
        """Break a host that is healthy."""
        if self.wheels:
            bring(host, self.wheels)
        host.root(self.inject)

    def described(self, host: Host, folder: Path) -> dict[str, str]:
        """Give how the product is told of the profile; a certificate is fetched into the folder."""
        return {"profile": self.profile_at(host, folder)} if self.profile else {}

    def profile_at(self, host: Host, folder: Path) -> str:
        if "CERTIFICATE" in self.profile:
            (folder / "own.crt").write_text(host.root("cat /etc/nginx/own.crt"))
        filled = self.profile.replace("ADDRESS", host.address)
        return filled.replace("CERTIFICATE", str(folder / "own.crt"))


def env(script: str) -> str:
    """Edit the env file in place, as a person with sed would, and restart on it."""
    return f"cd {BACKEND}\n{script}\n{RESTART}"


def drop_in(name: str, text: str, *, reload: bool = True) -> str:
    """Add a drop-in, as a person would."""
    load = "systemctl daemon-reload" if reload else ""
    return f"\nmkdir -p {UNIT}.d; printf '{text}\\n' >{UNIT}.d/{name}.conf; {load}\n"


# A description that leaves the unit's command to the unit.
ANY_COMMAND = "service=_replace(_example.service, exec_start=None)"
# A wrapper that sets a variable again, behind systemd's back.
WRAPPER = """[Service]
ExecStart=
ExecStart=/usr/bin/env {name}={value} {root}/env/bin/uvicorn main:app --port 8000"""


def overridden(name: str, value: str) -> str:
    """Let the unit's command set a variable, whatever its env file has."""
    return drop_in("wrapper", WRAPPER.format(name=name, value=value, root=BACKEND)) + RESTART


UNINSTALL = f"cd {BACKEND}; runuser -u halext -- env/bin/python -m pip uninstall -qy"


def code(before: str, after: str, *, file: str = "main.py") -> str:
    """Change a line of the backend's own code: what no machine may mend."""
    return f"""cd {BACKEND}
    python3 - <<'PYTHON'
text = open("{file}").read()
assert {before!r} in text
open("{file}", "w").write(text.replace({before!r}, {after!r}))
PYTHON
    {RESTART}"""
