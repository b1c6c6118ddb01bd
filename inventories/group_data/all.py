"""Data of every host."""

import relogin

# SSH that does not wait for acknowledgements: some 0.15 s less for each host.
ssh_paramiko_connect_kwargs = relogin.prompt_ssh

# Where sudo on the hosts asks for a password:
# sudo_password = relogin.Secret.env("SUDO_PASSWORD")
