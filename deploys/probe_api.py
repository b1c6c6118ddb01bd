"""Probe the API: every endpoint, what pages do with it, and how fast; nothing is changed."""

from __future__ import annotations

from pyinfra import host, logger, state
from pyinfra.api import deploy

from relogin import probing, run
from relogin.deploys.backends import each_backend, looked
from relogin.report.text import verdict_at_exit


@deploy("Probe the API")
def probe_api() -> None:
    """Ask the API of every backend of the host what is declared of it, or what it publishes.

    A method that can change something is sent only where that is declared safe. `--data
    limits=true` tries the declared rate limits as well.
    """
    for backend in each_backend():
        if backend.api is None and backend.login is None:
            host.log_styled(f"{backend.name}: no API is declared", log_func=logger.info)
            continue
        verdict_at_exit("probe")
        run.of(state).report_only = True
        record = probing.begin(state, host, backend)
        seen = looked(record)
        if seen is None:
            continue
        if not probing.judge(record, seen, host):
            state.failed_hosts.add(host)


if __name__ == "builtins":
    probe_api()
