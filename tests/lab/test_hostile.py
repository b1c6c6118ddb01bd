"""Values and names that break what is careless, on a real host: healed like any other."""

import base64
import contextlib
import json
from collections.abc import Iterator

import pytest
from hypothesis import Phase, given, settings

from relogin import Systemd, carried, env_text, unit_text
from relogin.operations.service_files import drop_in
from tests.core import env_texts, unit_texts
from tests.core.env_texts import texts
from tests.hostile import VALUES
from tests.properties import few

from .host import Host
from .product import SECRETS, pyinfra

pytestmark = pytest.mark.lab


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


# One unit for each file, all started at once; a file that systemd refuses leaves no answer.
READ = """
mkdir -p /run/texts /run/read
cat >/run/systemd/system/read@.service <<'UNIT'
[Service]
Type=oneshot
EnvironmentFile=/run/texts/%i
ExecStart=/usr/bin/env -0
StandardOutput=file:/run/read/%i
UNIT
python3 -I - <<'PYTHON'
import base64, json
for n, text in enumerate(json.loads({texts!r})):
    open(f"/run/texts/{{n}}", "wb").write(base64.b64decode(text))
PYTHON
systemctl daemon-reload
ls /run/texts | sed 's/.*/read@&.service/' | xargs systemctl start 2>/dev/null
systemctl reset-failed 'read@*'
python3 -I - <<'PYTHON'
import base64, json, os
read = {{n: base64.b64encode(open("/run/read/" + n, "rb").read()) for n in os.listdir("/run/read")}}
print(json.dumps({{n: text.decode() for n, text in read.items()}}))
PYTHON
rm -r /run/texts /run/read /run/systemd/system/read@.service
"""


def read_by_systemd(host: Host, given_texts: list[str], script: str = READ) -> list[dict[str, str]]:
    """Give the environment that a process of systemd has by each text, of which the last is empty.

    It is the EnvironmentFile, or with the script SET it is in the unit.
    """
    encoded = json.dumps([base64.b64encode(text.encode()).decode() for text in given_texts])
    answer: dict[str, str] = json.loads(host.root(script.format(texts=encoded)))
    always = set(_variables(answer[str(len(given_texts) - 1)]))
    read = (_variables(answer.get(str(n), "")) for n in range(len(given_texts)))
    return [{key: one[key] for key in one.keys() - always} for one in read]


def _variables(encoded: str) -> dict[str, str]:
    entries = base64.b64decode(encoded).decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


# One unit for each text, which ends its section Service.
SET = """
mkdir -p /run/read
python3 -I - <<'PYTHON'
import base64, json
for n, text in enumerate(json.loads({texts!r})):
    start = f"ExecStart=/usr/bin/env -0\\nStandardOutput=file:/run/read/{{n}}\\n"
    with open(f"/run/systemd/system/set{{n}}.service", "wb") as unit:
        unit.write(f"[Service]\\nType=oneshot\\n{{start}}".encode() + base64.b64decode(text))
PYTHON
systemctl daemon-reload
cd /run/systemd/system; ls set*.service | xargs systemctl start 2>/dev/null
systemctl reset-failed 'set*'
python3 -I - <<'PYTHON'
import base64, json, os
read = {{n: base64.b64encode(open("/run/read/" + n, "rb").read()) for n in os.listdir("/run/read")}}
print(json.dumps({{n: text.decode() for n, text in read.items()}}))
PYTHON
rm -r /run/read /run/systemd/system/set*.service; systemctl daemon-reload
"""

PLACES = """
mkdir -p /run/read
python3 -I - <<'PYTHON'
import json, os
for n, (path, unit) in enumerate(json.loads({places!r})):
    os.makedirs(path)
    open(path + "/ env ", "w").write("K=yes\\n")
    start = '/bin/sh -c \\'printf "%%s" "$$K $$(pwd; echo .)"\\''
    unit += "Type=oneshot\\nExecStart=" + start + "\\nStandardOutput=file:/run/read/" + str(n)
    open("/run/systemd/system/read" + str(n) + ".service", "w").write(unit + "\\n")
PYTHON
systemctl daemon-reload
cd /run/systemd/system; systemctl start read*.service || true
python3 -I - <<'PYTHON'
import json, os
print(json.dumps({{n: open("/run/read/" + n).read() for n in os.listdir("/run/read")}}))
PYTHON
rm -r /run/read /run/systemd/system/read*.service
"""


def test_a_drop_in_of_ours_names_any_path_that_a_unit_can_hold(host: Host) -> None:
    paths = [f"/srv/{n} {value}" for n, value in enumerate(VALUES.values()) if len(value) < 80]
    paths = [path.replace("/", "_").replace("_srv_", "/srv/", 1) for path in paths]
    paths = [path for path in paths if carried.unit_path(path) is None and "\0" not in path]
    units = [drop_in(Systemd("a", path, [f"{path}/ env "])) for path in paths]
    places = json.dumps(list(zip(paths, units, strict=True)))

    seen = json.loads(host.root(PLACES.format(places=places)))

    assert {str(n): f"yes {path}\n." for n, path in enumerate(paths)} == seen


def test_any_env_file_reads_as_systemd_itself_reads_it(host: Host) -> None:
    made_up: list[str] = []

    @settings(few, max_examples=600, phases=[Phase.generate])
    @given(texts)
    def collect(text: str) -> None:
        made_up.append(text)

    collect()
    made_up.append("")  # what systemd itself sets

    for text, read in zip(made_up, read_by_systemd(host, made_up), strict=True):
        assert (text, read) == (text, env_text.values(text, "systemd"))


def test_any_line_of_a_unit_reads_as_systemd_itself_reads_it(host: Host) -> None:
    made_up: list[str] = []

    @settings(few, max_examples=400, phases=[Phase.generate])
    @given(unit_texts.texts, env_texts.values)
    def collect(text: str, value: str) -> None:
        made_up.append(text)
        with contextlib.suppress(env_text.Unwritable):
            made_up.append(unit_text.with_values(f"[Service]\n{text}", {"NEW": value}))

    collect()
    made_up.append("")

    for text, read in zip(made_up, read_by_systemd(host, made_up, SET), strict=True):
        assert (text, read) == (text, unit_text.values(f"[Service]\n{text}"))


def test_a_password_beyond_the_tables_bcrypt_is_refused_before_anything_changes(host: Host) -> None:
    host.psql("UPDATE users SET is_active = false WHERE username = 'ops'")
    before = host.snapshot()

    ran = pyinfra(
        [host],
        "deploys/restore_access.py",
        "-y",
        secrets=SECRETS | {"HALEXT_OPS_PASSWORD": VALUES["73 bytes"]},
    )

    said = "account ops: Secret.env('HALEXT_OPS_PASSWORD'): it has 73 bytes, and bcrypt takes 72"
    assert 1 == ran.code, ran.output
    assert said in ran.verdict, ran.output
    assert before == host.snapshot()
