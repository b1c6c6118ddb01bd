"""What a fact that is used alone writes is public."""

import shutil
import subprocess

import pytest

from relogin.facts import alone, auth_log
from relogin.finding import Unreadable
from tests.facts.answers import run_alone

SECRETS = [
    "postgresql://user:hunter2@host/db",
    "https://hunter2@host/simple",
    "Bearer eyJhunter2.eyJhunter2.hunter2-_",
    "PASSWORD=hunter2",
    "ADMIN_PRIVATE_KEY=hunter2",
    'failed to read /opt/a/.env: line 3: unterminated quoted value "hunter2',
    'failed to read /opt/a/.env: line 2: unexpected character ";" in variable name "A;B=hunter2"',
    'failed to read /opt/a/.env: Invalid template: "${hunter2"',
    "failed to read /opt/a/.env: required variable x is missing a value: hunter2",
    'secret_key: "hunter2"',
    '{"token": "hunter2"}',
    "$2b$12$hunter2hunter2",
    "pbkdf2_sha256$600000$hunter2$hunter2=",
    "SCRAM-SHA-256$4096:hunter2$x:y",
    "input_value='hunter2', input_type=str",
    "invalid UTF-8 value for key K: 'p hunter2', ignoring.",
]
SEDS = [
    "sed",
    pytest.param(
        "busybox sed",
        marks=pytest.mark.skipif(shutil.which("busybox") is None, reason="there is no busybox"),
    ),
]


@pytest.mark.parametrize("sed", SEDS)
@pytest.mark.parametrize("line", SECRETS)
def test_what_looks_like_a_secret_does_not_leave_the_host(line, sed):
    command = alone.REDACT.replace("sed", sed, 1)
    done = subprocess.run(
        ["sh", "-c", command], input=line, capture_output=True, text=True, check=True
    )
    assert "hunter2" not in done.stdout
    assert "***" in done.stdout


@pytest.mark.parametrize("sed", SEDS)
def test_an_ordinary_line_is_left_alone(sed):
    line = 'INFO: 127.0.0.1:0 - "GET /api/health?x=1 HTTP/1.0" 200 OK'
    command = alone.REDACT.replace("sed", sed, 1)
    done = subprocess.run(
        ["sh", "-c", command], input=line, capture_output=True, text=True, check=True
    )
    assert done.stdout.rstrip("\n") == line


@pytest.mark.parametrize("sed", SEDS)
def test_the_keys_that_a_refused_start_lacks_are_no_secrets(sed):
    line = "Production startup BLOCKED. Missing required secrets: SECRET_KEY, API_KEY"
    command = alone.REDACT.replace("sed", sed, 1)
    done = subprocess.run(
        ["sh", "-c", command], input=line, capture_output=True, text=True, check=True
    )
    assert ("SECRET_KEY", "API_KEY") == auth_log.read([done.stdout]).blocked


def test_a_command_ends_well_and_gives_the_status_of_each_part():
    answers = alone.answers(run_alone(alone.command({"good": "echo a; echo b", "bad": "return 7"})))
    assert {name: (answer.lines, answer.status) for name, answer in answers.items()} == {
        "good": (["a", "b"], 0),
        "bad": ([], 7),
    }


def test_a_part_that_did_not_answer_is_unreadable():
    assert alone.parsed(["noise"], "it", lambda answer: answer) == Unreadable(
        "the host gave no answer"
    )
