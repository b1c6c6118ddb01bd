"""Hosts with sshd, systemd and sudo, and nothing else: what onboarding begins with."""
