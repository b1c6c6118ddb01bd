"""The floor's folder: its checks, the login's request, and how ssh reaches the hosts."""

import json
from pathlib import Path
from shlex import quote

from tests.lab import canaries
from tests.lab.host import Host
from tests.lab.image import dot_env

SCRIPT = Path(__file__).with_name("floor.sh")
ACCOUNT, PASSWORD = "bench", "a-password-of-the-benchmark"
ME = {"username": ACCOUNT, "email": "bench@example.com", "is_admin": False}
KEYS = ("DEV_MODE", "DATABASE_URL", "ACCESS_CODE", "SECRET_KEY")

# The checks that relogin's look makes, in the same programs, and no more of them.
_CHECKS = """\
backend=/srv/halext.org/halext-org/backend
"$backend/env/bin/python" -I -c '
import importlib.metadata, sys
def found(name):
    try: return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: return None
asked = [line.strip().partition("==") for line in open(sys.argv[1])]
print("venv", [name for name, _, version in asked if found(name) != version] or "ok")
' "$backend/requirements.txt"

state=ok
for line in {lines}; do grep -qxF -e "$line" "$backend/.env" || state=wrong; done
echo "env $state"

echo "postgres $(runuser -u postgres -- psql -XAtq halext_org -c "
  select (select rolcanlogin from pg_roles where rolname = 'halext_user'),
         (select is_active from users where username = '{account}')")"

echo "unit $(systemctl show -p ActiveState -p UnitFileState --value halext-api | tr '\\n' ' ')"
"""
_EXPECTED = "venv ok env ok postgres t|t unit active enabled end "
_CONFIGURATION = """\
Host *
    User deploy
    IdentityFile {key}
    IdentitiesOnly yes
    UserKnownHostsFile {known_hosts}
    StrictHostKeyChecking yes
    BatchMode yes
    ControlMaster no
    ExitOnForwardFailure yes
"""


def prepare(folder: Path, host: Host, known_hosts: Path) -> None:
    """Write what floor.sh reads; the secrets are the lab's own, and only its user can read them."""
    lines = [line for line in dot_env().splitlines() if line.partition("=")[0] in KEYS]
    checks = _CHECKS.replace("{lines}", " ".join(map(quote, lines)))
    (folder / "checks.sh").write_text(checks.replace("{account}", ACCOUNT))
    (folder / "expected").write_text(_EXPECTED + json.dumps(ME, separators=(",", ":")))
    code = canaries.ACCESS_CODE.replace('"', '\\"')
    data = f"grant_type=password&username={ACCOUNT}&password={PASSWORD}"
    (folder / "login.curl").write_text(f'header = "X-Halext-Code: {code}"\ndata = "{data}"\n')
    configuration = _CONFIGURATION.format(key=host.key, known_hosts=known_hosts)
    (folder / "ssh_config").write_text(configuration)
