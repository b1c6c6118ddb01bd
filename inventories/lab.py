"""The lab's hosts: the tests start them and name a file that lists them in RELOGIN_LAB_HOSTS.

Group data is the shipped example's (group_data/halext.py): what the tests prove is what you read.
"""

import json
import os
from pathlib import Path

from relogin.errors import UsageError

_listed = os.environ.get("RELOGIN_LAB_HOSTS")
if not _listed:
    raise UsageError("RELOGIN_LAB_HOSTS names no file; the lab is run by `make test`")

halext = [
    (
        host["name"],
        {
            "ssh_hostname": host["address"],
            "ssh_user": host["user"],
            "ssh_key": host["key"],
            "ssh_known_hosts_file": host["known_hosts"],
            "ssh_strict_host_key_checking": "yes",
        },
    )
    for host in json.loads(Path(_listed).read_text())
]
