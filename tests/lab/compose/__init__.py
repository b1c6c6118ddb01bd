"""Hosts with a Docker Engine of their own, and two backends in containers on each."""
