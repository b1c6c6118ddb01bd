"""A kept run is given back as the document that it was."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import jsonschema
import pytest

from relogin.ledger import file, keep, store, whole
from relogin.ledger.steps import STEPS
from relogin.report.files import schema
from tests.command.documents import document
from tests.command.folder import LOCAL, PASSWORD, Folder
from tests.command.test_run import NOWHERE

OLDEST = ("run", "result", "change")  # the tables that the first form had, with rows


def without_spans(document: dict[str, Any] | None) -> dict[str, Any]:
    """Leave out how long it took: the history has that of the very end."""
    assert document is not None
    hosts = [
        {**host, "backends": [{**one, "seconds": None} for one in host["backends"]]}
        for host in document["hosts"]
    ]
    return {**document, "seconds": None, "hosts": hosts}


def test_it_is_the_document_that_the_run_wrote(folder: Folder) -> None:
    folder.hosts(LOCAL, ("web2", NOWHERE))
    folder.env.write_text("MODE=dead\n")
    folder.backend.lets_in = "another one"
    written = json.loads(folder.run("restore", "inventory.py", "--json").stdout)
    kept = whole.document(written["run"])
    jsonschema.Draft202012Validator(schema()).validate(kept)
    assert without_spans(written) == without_spans(kept)
    findings = written["hosts"][0]["backends"][0]["findings"]
    assert [True] == [bool(one["follows_from"]) for one in findings if not one["leads"]]
    assert [one["line"] for one in written["hosts"][0]["transcript"]]
    assert PASSWORD not in json.dumps(written)


def test_what_was_before_a_run_is_what_was_kept_before_it(folder: Folder) -> None:
    for _ in range(2):
        folder.env.write_text("MODE=dead\n")
        folder.run("restore", "inventory.py")
    folder.run("diagnose", "inventory.py")
    last, *former = whole.runs()
    document = whole.document(last)
    assert document is not None
    before = whole.earlier(document)["@local"]
    assert former == [one["run"] for one in before["results"]]
    assert [True, True] == [bool(one["changes"]) for one in before["results"]]
    assert [2] == [one["times"] for one in before["coming_back"]]
    assert all(0 < one["login"] < 60 for one in before["results"])
    first = whole.document(former[-1])
    assert first is not None
    assert {"results": [], "coming_back": []} == whole.earlier(first)["@local"]


def test_a_run_or_host_that_nobody_knows_is_none(folder: Folder) -> None:
    folder.run("diagnose", "inventory.py")
    [run] = whole.runs()
    assert run == whole.last_of("@local")
    assert [None, None] == [whole.document("20261121T122818Z-f1d0"), whole.document(run, "web9")]
    assert whole.last_of("web9") is None


@pytest.mark.parametrize("had", range(1, len(STEPS)))
def test_what_an_older_relogin_kept_is_told_as_far_as_it_goes(had: int) -> None:
    assert None is keep.keep(document("20261121T122818Z-f1d0"))
    with closing(sqlite3.connect(store.place())) as newest:
        rows = {name: newest.execute(f"SELECT * FROM {name}").fetchall() for name in OLDEST}
    store.place().unlink()
    with closing(file.connected(store.place())) as old:
        store.brought_up(old, STEPS[:had])
        for name, found in rows.items():
            width = len(old.execute(f"SELECT * FROM {name}").description)
            marks = ", ".join("?" * width)
            old.executemany(f"INSERT INTO {name} VALUES ({marks})", [row[:width] for row in found])
    [run] = whole.runs()
    kept = whole.document(run)
    assert kept is not None
    [change] = kept["hosts"][0]["backends"][0]["changes"]
    assert ("w", 0) == (change["why"], change["began"])
    jsonschema.Draft202012Validator(schema()).validate(kept)
