"""The shipped Halext backend on the hosts of a file, with the benchmark's account.

Its probe is left out: the floor makes none. `"refusals": false` in the file also leaves out the
wrong password and the forged tokens, so that the proof makes the floor's requests, and one without
a token beside the last of them.
"""

import dataclasses
import json
import os
import runpy
from pathlib import Path

import relogin

_given = json.loads(Path(os.environ["RELOGIN_BENCHMARK"]).read_text())
_example = Path(__file__).parents[1] / "inventories/group_data/halext.py"
_halext = runpy.run_path(str(_example))["halext"]
_account = relogin.Account(
    _given["account"],
    email=_given["email"],
    password=relogin.Secret.env("RELOGIN_BENCHMARK_PASSWORD"),
)
_backend = dataclasses.replace(
    _halext,
    accounts=dataclasses.replace(_halext.accounts, present=[_account]),
    probes=[],
    login=dataclasses.replace(_halext.login, account=_account.login, refusals=_given["refusals"]),
)

hosts = [
    (
        f"{address}#{number}" if address in _given["addresses"][:number] else address,
        {
            "ssh_hostname": address.partition(":")[0],
            "ssh_port": int(address.partition(":")[2]),
            "ssh_user": "deploy",
            "ssh_key": _given["key"],
            "ssh_known_hosts_file": _given["known_hosts"],
            "ssh_strict_host_key_checking": "yes",
            "ssh_paramiko_connect_kwargs": relogin.prompt_ssh,
            "halext": _backend,
        },
    )
    for number, address in enumerate(_given["addresses"])
]
