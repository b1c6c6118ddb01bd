"""Hosts that outgrow one control machine: a queue in PostgreSQL, and workers on any number of them.

The queue is procrastinate's, with its own tables and shell (the extra `relogin[fleet]`).
"""
