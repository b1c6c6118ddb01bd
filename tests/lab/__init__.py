"""Real hosts for tests: systemd, sshd, PostgreSQL, nginx and a Halext, each in a container."""
