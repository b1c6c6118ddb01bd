"""What the relogin command writes for programs, read by the tools of each form's ecosystem."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import jsonschema
from junitparser import JUnitXml
from prometheus_client.parser import text_string_to_metric_families

from relogin.report.files import schema

RUNS = {"diagnose", "restore", "drift", "disable", "enable"}
SCHEMAS = {**dict.fromkeys(RUNS, "run"), "history": "history", "faults": "faults"}


def assert_readable(words: Sequence[str], stdout: str, folder: Path) -> None:
    """See that all that a command was asked to write can be read; nothing is no JSON."""
    if words[0] not in SCHEMAS:
        return
    if "--json" in words and stdout:
        known = schema(SCHEMAS[words[0]])
        jsonschema.Draft202012Validator(known).validate(json.loads(stdout))
    for option, read in (("--junit", _junit), ("--prometheus", _prometheus)):
        files = [word for before, word in itertools.pairwise(words) if before == option]
        for file in filter(Path.is_file, (folder / name for name in files)):
            read(file)


def _junit(file: Path) -> None:
    counted = JUnitXml.fromfile(str(file))
    assert counted.tests == sum(len(list(suite)) for suite in counted)


def _prometheus(file: Path) -> None:
    families = list(text_string_to_metric_families(file.read_text()))
    assert all(family.documentation and family.type != "unknown" for family in families)


def why_stopped(state: Path) -> str:
    """Give why the last run stopped, as `relogin history --json` has it, kept below a folder."""
    command = [Path(sys.executable).parent / "relogin", "history", "--json"]
    known = {**os.environ, "XDG_STATE_HOME": str(state)}
    done = subprocess.run(command, capture_output=True, check=True, env=known)
    why: str = json.loads(done.stdout)["results"][0]["halted"]
    return why
