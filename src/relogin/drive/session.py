"""A run's hosts, from an inventory and options, by the rules of the pyinfra command."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sys
import traceback
from collections.abc import Iterator
from fnmatch import fnmatch
from getpass import getpass
from os import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyinfra
from pyinfra import logger
from pyinfra.api import Config, State
from pyinfra.api.exceptions import NoGroupError, PyinfraError
from pyinfra.api.output import set_formatter
from pyinfra.context import ctx_config, ctx_host, ctx_inventory, ctx_state
from pyinfra_cli.exceptions import CliError, UnexpectedExternalError
from pyinfra_cli.inventory import make_inventory
from pyinfra_cli.util import exec_file, parse_cli_arg

from relogin.errors import UsageError
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.inventory import Inventory

    from relogin.backend import Backend


IN_FLIGHT = 50  # hosts at a time; pyinfra's own default is 20 for each core of this machine


@dataclass(frozen=True)
class Options:
    """What the command was given, by the names of pyinfra's own options."""

    inventory: str
    limit: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    group_data: tuple[str, ...] = ()
    config: str = "config.py"
    chdir: str | None = None
    sudo: bool = False
    use_sudo_password: bool = False
    same_sudo_password: bool = False
    parallel: int | None = None
    verbosity: int = 0
    ssh: dict[str, Any] = dataclasses.field(default_factory=dict)
    ssh_password_prompt: bool = False


@dataclass(frozen=True)
class Session:
    """A run that is about to begin: its state, and each chosen host with its backends."""

    state: State
    work: dict[Host, tuple[Backend, ...]]


def begin(options: Options) -> Session:
    """Load an inventory and choose its hosts; nothing is connected yet.

    Raises:
        UsageError: it cannot be loaded, or leaves no host with a backend; one line.
    """
    with in_one_line():
        state, chosen = load(options)
        return Session(state, _backends(state, chosen))


def load(options: Options) -> tuple[State, list[Host]]:
    """Load an inventory and choose its hosts, whatever they have; nothing is connected."""
    pyinfra.is_cli = True
    if options.chdir:
        chdir(options.chdir)
    state = _state(options.verbosity)
    config = _config(options, state)
    inventory = _inventory(options, state)
    chosen = _chosen(inventory, options)
    state.init(inventory, config, initial_limit=chosen)
    return state, chosen


@contextlib.contextmanager
def in_one_line() -> Iterator[None]:
    """Say what keeps an inventory from being loaded in one line.

    Raises:
        UsageError: with that line.
    """
    try:
        yield
    except UnexpectedExternalError as error:
        raise UsageError(_in_their_code(error)) from None
    except SyntaxError as error:
        raise UsageError(f"{error.filename}:{error.lineno}: SyntaxError: {error.msg}") from None
    except (PyinfraError, CliError, TypeError, OSError) as error:
        raise UsageError(str(error)) from None


def _state(verbosity: int) -> State:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    state = State(check_for_changes=False)
    state.cwd = folder
    ctx_state.set(state)
    state.print_noop_info = state.print_fact_info = verbosity > 0
    state.print_input = state.print_fact_input = verbosity > 1
    state.print_output = state.print_fact_output = verbosity > 2
    return state


def _config(options: Options, state: State) -> Config:
    config = Config()
    ctx_config.set(config)
    file = Path(state.cwd or "") / options.config
    if file.exists():
        exec_file(str(file))
    if options.sudo:
        config.SUDO = True
    if options.use_sudo_password:
        config.USE_SUDO_PASSWORD = True
    if options.same_sudo_password:
        config.SUDO_PASSWORD = getpass("sudo password: ")
    config.PARALLEL = options.parallel or config.PARALLEL or IN_FLIGHT
    config.lock_current_state()
    return config


def _inventory(options: Options, state: State) -> Inventory:
    ssh = dict(options.ssh)
    if options.ssh_password_prompt:
        ssh["ssh_password"] = getpass("SSH password: ")
    unclear = [word for word in options.data if "=" not in word]
    if unclear:
        raise UsageError(f"--data {unclear[0]}: expected KEY=VALUE")
    pairs = (word.split("=", 1) for word in options.data)
    data = {key: parse_cli_arg(value) for key, value in pairs}
    inventory: Inventory = make_inventory(
        options.inventory,
        cwd=state.cwd,
        override_data={**data, **{name: value for name, value in ssh.items() if value}},
        group_data_directories=options.group_data,
    )
    if not len(inventory):
        raise UsageError(f"{options.inventory}: there is no such inventory, or it has no hosts")
    ctx_inventory.set(inventory)
    return inventory


def _chosen(inventory: Inventory, options: Options) -> list[Host]:
    """Give the hosts in the inventory's order; each pattern is a group or a glob."""
    limited = _matching(inventory, options.limit, "--limit") if options.limit else set(inventory)
    excluded = _matching(inventory, options.exclude, "--exclude")
    chosen = [host for host in inventory if host in limited - excluded]
    if not chosen:
        given = [*(f"--limit {one}" for one in options.limit)]
        given += [f"--exclude {one}" for one in options.exclude]
        raise UsageError(f"{options.inventory}: no host is left by {' '.join(given)}")
    return chosen


def _matching(inventory: Inventory, patterns: tuple[str, ...], option: str) -> set[Host]:
    found: set[Host] = set()
    for pattern in patterns:
        try:
            hosts = list(inventory.get_group(pattern))
        except NoGroupError:
            hosts = [host for host in inventory if fnmatch(host.name, pattern)]
        if not hosts:
            logger.warning(f"No host matches found for {option} pattern: {pattern}")
        found |= set(hosts)
    return found


def _backends(state: State, chosen: list[Host]) -> dict[Host, tuple[Backend, ...]]:
    """Give each host's backends; hosts without one are no part of the run."""
    from relogin.deploys.backends import each_backend

    work: dict[Host, tuple[Backend, ...]] = {}
    for host in chosen:
        ctx_host.set(host)
        try:
            work[host] = tuple(each_backend())
        finally:
            ctx_host.reset()
    work = {host: backends for host, backends in work.items() if backends}
    if not work:
        raise UsageError("none of the chosen hosts has a backend (or the one that was asked for)")
    state.limit_hosts = list(work)
    return work


def _in_their_code(error: UnexpectedExternalError) -> str:
    """Say where a user's own file failed, in one line."""
    cause = error.exception
    raised = traceback.extract_tb(cause._traceback)  # pyinfra put it there
    frames = [one for one in raised if one.filename == error.filename]
    place = f"{error.filename}:{frames[-1].lineno}" if frames else str(error.filename)
    return f"{place}: {type(cause).__name__}: {cause}"


def log_to(handler: logging.Handler, *, styled: Any) -> None:
    """Send what pyinfra logs to a handler; `styled` makes its words bold or coloured."""
    set_formatter(styled)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False
