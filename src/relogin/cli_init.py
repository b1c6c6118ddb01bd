"""A first description of a server that is there already, for a person to read."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.facts.survey import Survey
    from relogin.finding import Unreadable
    from relogin.sketch import Sketch

_SSH = ("ssh_user", "ssh_port", "ssh_key", "ssh_password_prompt")


@click.command()
@click.argument("host", required=False, default="@local")
@click.option("--inventory", help="The inventory that says how HOST is reached.")
@click.option(
    "--into",
    default="inventories",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that gets an inventory and group_data/BACKEND.py.",
)
@click.option("--data", multiple=True, help="Override host data: KEY=VALUE; repeatable.")
@click.option("--same-sudo-password", is_flag=True, help="Ask for sudo's password first.")
@click.option("--ssh-user", "--user", help="SSH user.")
@click.option("--ssh-port", "--port", type=int, help="SSH port.")
@click.option("--ssh-key", "--key", type=click.Path(), help="SSH private key.")
@click.option("--ssh-password-prompt", is_flag=True, help="Ask for the SSH password.")
def init(host: str, *, inventory: str | None, into: Path, **given: Any) -> None:
    """Look at HOST (this machine by default), and write a first description of its backends.

    One look, read only: units, programs of supervisord, containers, env files (names of keys only),
    openapi.json, migrations, tables of users and their kinds of hashes. Where a guess may be wrong
    the line says `# ?`. No file that is there is overwritten. Ends with 0 if something was written,
    1 if HOST could not be looked at or has no backend, 64 if it was asked for wrongly.
    """
    import relogin.drive  # noqa: F401 # first: it patches the standard library
    from relogin.errors import UsageError
    from relogin.finding import Unreadable
    from relogin.sketch import sketches

    try:
        name, seen = _looked(host, inventory, dict(given))
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    if isinstance(seen, Unreadable):
        raise click.ClickException(f"{host}: {seen.reason}")
    found = sketches(seen)
    for part in seen.unseen:
        click.echo(f"! could not be seen: {part}", err=True)
    written = [_written(one, name, into) for one in found]
    if not found:
        raise click.ClickException(
            f"{name}: no unit of /etc/systemd/system, program of supervisord or container starts a"
            " server of Python; describe it by hand (README.md, Describe your backend)"
        )
    _say_inventory(name, found, into, given)
    sys.exit(0 if any(written) else 1)


def _looked(
    name: str, inventory: str | None, given: dict[str, Any]
) -> tuple[str, Survey | Unreadable]:
    """Connect to a host, look at it, and let it go.

    Raises:
        UsageError: there is no such host, or not one.
    """
    from pyinfra.api.state import StateStage
    from pyinfra.context import ctx_host

    from relogin.drive import session
    from relogin.errors import UsageError

    ssh = {key: given.pop(key) for key in _SSH}
    prompt = bool(ssh.pop("ssh_password_prompt"))
    limit = (name,) if inventory else ()
    options = session.Options(
        inventory or name, limit=limit, ssh=ssh, ssh_password_prompt=prompt, **given
    )
    with session.in_one_line():
        state, chosen = session.load(options)
    if len(chosen) != 1:
        raise UsageError(f"{name}: {len(chosen)} hosts are meant; name one")
    (host,) = chosen
    state.set_stage(StateStage.Connect)
    with ctx_host.use(host):
        return host.name, _seen(host)


def _seen(host: Host) -> Survey | Unreadable:
    from pyinfra.api.exceptions import ConnectError

    from relogin import wire
    from relogin.facts import survey
    from relogin.finding import Unreadable
    from relogin.redaction import redact

    try:
        host.connect(show_errors=False, raise_exceptions=True)
        return survey.look(host)
    except ConnectError as error:
        return Unreadable(redact(str(error)))
    finally:
        wire.let_go(host)


def _written(made: Sketch, host: str, into: Path) -> bool:
    """Write a description where there is none; tell whether it was."""
    from relogin.redaction import redact
    from relogin.sketch_text import text

    path = into / "group_data" / f"{made.variable}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = redact(text(made, host, time.strftime("%Y-%m-%d")))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        click.echo(f"! {path} is there already, and was left as it is")
        return False
    decisions = content.count("# ?")
    click.echo(f"✓ {path}: {decisions} line{'' if decisions == 1 else 's'} to decide (# ?)")
    return True


def _say_inventory(host: str, found: tuple[Sketch, ...], into: Path, given: dict[str, Any]) -> None:
    """Write an inventory where there is none; else say what belongs into one."""
    names = [one.variable for one in found]
    data = {key: given[key] for key in _SSH if given.get(key)}
    entry = f"({host!r}, {data!r})" if data else repr(host)
    lines = "".join(f"{name} = [{entry}]\n" for name in names)
    path = into / "hosts.py"
    head = (
        f'"""{host}, as `relogin init` found it: a list\'s name is a group of group_data/."""\n\n'
    )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(head + lines)
        click.echo(f"✓ {path}; then: relogin check {path}")
    except FileExistsError:
        click.echo(f"! {path} is there already; this belongs into an inventory:\n{lines.rstrip()}")
