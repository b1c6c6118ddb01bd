"""What the pyinfra command does with files, data, errors and options."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from pyinfra.api import State


def test_the_sudo_password_of_the_command_line_is_in_the_config(host):
    """And USE_SUDO_PASSWORD is there only where the command was given that option."""
    config = host.state.config
    assert (None, False) == (config.SUDO_PASSWORD, hasattr(config, "USE_SUDO_PASSWORD"))
    config.SUDO_PASSWORD = "set by us"
    assert "set by us" == config.SUDO_PASSWORD
    assert "config.USE_SUDO_PASSWORD = use_sudo_password" in of_the_command("cli.py")


def test_the_file_that_is_being_executed_is_known_while_it_is(tmp_path):
    text = "from pyinfra.context import ctx_state\nname = ctx_state.get().current_exec_filename\n"
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data/all.py").write_text(text)
    (tmp_path / "inventory.py").write_text("hosts = ['@local']\n")
    said = command(tmp_path, "inventory.py", "debug-inventory")
    assert '"name": "' in said
    assert "group_data/all.py" in said
    assert None is State.current_exec_filename


def test_a_deploy_file_is_executed_under_the_name_builtins(tmp_path):
    (tmp_path / "deploy.py").write_text("print('name is', __name__)\n")
    (tmp_path / "inventory.py").write_text("hosts = ['@local']\n")
    assert "name is builtins" in command(tmp_path, "inventory.py", "deploy.py", "-y")


def test_with_some_options_y_reads_the_deploy_and_runs_nothing_of_it(tmp_path):
    """Only the command's own words tell a deploy so: click's context is another greenlet's."""
    text = "from pyinfra import state\nfrom pyinfra.operations import server\n"
    text += "print('asks first', state.should_check_for_changes())\n"
    text += f"server.shell(commands=['touch {tmp_path}/ran'])\n"
    (tmp_path / "deploy.py").write_text(text)
    (tmp_path / "inventory.py").write_text("hosts = [('@local', {'_sudo': False})]\n")
    for option in ("--dry", "--debug-facts", "--debug-operations"):
        assert "asks first False" in command(tmp_path, "inventory.py", "deploy.py", "-y", option)
        assert "asks first True" in command(tmp_path, "inventory.py", "deploy.py", option)
    assert not (tmp_path / "ran").exists()


def test_an_error_of_pyinfras_kind_without_a_traceback_is_one_line(tmp_path):
    """It prints the last frame before the message, but for an error without one."""
    text = "import relogin\nraise relogin.ProfileError('so it is')\n"
    (tmp_path / "inventory.py").write_text(text)
    said = command(tmp_path, "inventory.py", "debug-inventory", status=1)
    assert "--> pyinfra error: so it is\n" in said
    assert not (tmp_path / "pyinfra-debug.log").exists()


def test_hosts_that_failed_make_the_command_fail(tmp_path):
    text = "from pyinfra import host, state\nstate.failed_hosts.add(host)\n"
    (tmp_path / "deploy.py").write_text(text)
    (tmp_path / "inventory.py").write_text("hosts = ['@local']\n")
    command(tmp_path, "inventory.py", "deploy.py", "-y", status=1)


def test_a_value_of_a_hosts_data_is_written_by_its_to_json(tmp_path):
    text = "class It:\n    def to_json(self):\n        return 'as it says'\n\n\nit = It()\n"
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data/all.py").write_text(text + "del It\n")
    (tmp_path / "inventory.py").write_text("hosts = ['@local']\n")
    assert '"it": "as it says"' in command(tmp_path, "inventory.py", "debug-inventory")


def of_the_command(file: str) -> str:
    """Read a module of pyinfra_cli; importing it would patch this whole process."""
    found = importlib.util.find_spec("pyinfra_cli")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name(file).read_text()


def command(folder: Path, *words: str, status: int = 0) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("pyinfra"), *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert status == done.returncode, done.stderr
    return done.stdout + done.stderr
