"""Your hosts. A list's name is a group; its data is in group_data/<name>.py beside this file.

Every option of pyinfra's SSH connector works here (ssh_user, ssh_port, ssh_key, …), and what
~/.ssh/config says of a host is respected.
"""

halext = [
    ("api.example.org", {"ssh_user": "deploy"}),
]
