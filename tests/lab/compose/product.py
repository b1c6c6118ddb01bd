"""Run the product on a host with containers, with the examples' own data."""

from pathlib import Path

from tests.lab.compose import canaries
from tests.lab.host import Host
from tests.lab.inventory import GROUP_DATA, RESTORE, by
from tests.lab.product import Ran, pyinfra

SECRETS = {
    "RECEPTIONIST_OPENAI_API_KEY": canaries.OPENAI_API_KEY,
    "RECEPTIONIST_OWNER_PASSWORD": canaries.OWNER_PASSWORD,
    "AGENTCALLER_ADMIN_PASSWORD": canaries.ADMIN_PASSWORD,
}


def run(folder: Path, host: Host, backend: str, *words: str) -> Ran:
    """Run pyinfra on one of the host's backends: the restore by default, without a prompt."""
    path = folder / "hosts.py"
    path.write_text(f"{backend} = [\n{by(host).line()}]\n")
    return pyinfra([], *GROUP_DATA, *(words or RESTORE), inventory=str(path), secrets=SECRETS)


def diagnose(folder: Path, host: Host, backend: str) -> Ran:
    return run(folder, host, backend, "deploys/diagnose.py", "--dry")
