"""A run as JUnit XML: a suite for each backend of a host, a case for each finding and check.

The form is the one that CI systems read: github.com/testmoapp/junitxml.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from relogin.finding import legible
from relogin.report.wording import ONLY_LOOK

Case = tuple[str, str, str, str]  # class, name, what became of it, what is said of that
_BAD = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def written(document: dict[str, Any]) -> bytes:
    """Give the XML of a run's document (relogin.report.document)."""
    root = ElementTree.Element("testsuites", name="relogin", time=_seconds(document["seconds"]))
    began = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(document["began"]))
    for host in document["hosts"]:
        for backend in host["backends"]:
            changing = document["purpose"] not in ONLY_LOOK
            cases = list(_cases(host["host"], backend, changing=changing))
            name = f"{host['host']} · {backend['backend']}"
            _suite(root, name, cases, began, backend["seconds"])
        if not host["reached"]:
            lost = host["host"], "the host is reached", "error", host["error"]
            _suite(root, host["host"], [lost], began, 0.0)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(
    root: ElementTree.Element, name: str, cases: list[Case], began: str, seconds: float
) -> None:
    counts = {plural: str(sum(one[2] == bad for one in cases)) for bad, plural in _BAD.items()}
    about = {"name": legible(name), "tests": str(len(cases)), "time": _seconds(seconds)}
    suite = ElementTree.SubElement(root, "testsuite", {**about, "timestamp": began, **counts})
    for place, title, became, said in cases:
        case = ElementTree.SubElement(
            suite, "testcase", classname=legible(place), name=legible(title)
        )
        if became in _BAD:
            ElementTree.SubElement(case, became, message=legible(said)).text = legible(said)
        elif said:
            ElementTree.SubElement(case, "system-out").text = legible(said)


def _cases(host: str, backend: dict[str, Any], *, changing: bool) -> Iterator[Case]:
    place = f"{host}.{backend['backend']}"
    if backend["halted"]:
        yield place, "the run came to its end", "error", backend["halted"]
    for one in backend["findings"]:
        layer = one["fault"].partition(".")[0]
        became, said = _of_finding(one, changing=changing)
        yield f"{place}.{layer}", f"{one['fault']}: {one['what']}", became, said
    for one in backend["unseen"]:
        yield f"{place}.{one['layer']}", "it can be seen", "skipped", one["reason"]
    for document in backend["reports"]:
        for one in document["checks"]:
            if one["ok"] is not False or one["accepted"]:  # the others are findings, told above
                where = f"{place}.{document['title'].lower().replace(' ', '-')}"
                yield where, one["name"], _of_check(one), one["said"]
    for one in backend["proof"]["checks"] if backend["proof"] else ():
        yield f"{place}.proof", one["name"], _of_check(one), one["said"]


def _of_finding(one: dict[str, Any], *, changing: bool) -> tuple[str, str]:
    said = "; ".join(filter(None, (one["seen"], one["remedy"], one["held"])))
    counts = ("critical",) if changing else ("critical", "warning")
    if one["state"] == "left" and one["severity"] in counts:
        return "failure", f"{one['what']}: {said}" if said else one["what"]
    return one["state"], said


def _of_check(one: dict[str, Any]) -> str:
    if one["ok"] is None:
        return "skipped"
    return "passed" if one["ok"] or one["accepted"] else "failure"


def _seconds(value: float) -> str:
    return f"{value:.3f}"
