"""Documents of runs that a report is made of, among them one that is hostile in every text."""

from typing import Any

from tests.hostile import VALUES

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
BREAKS = (
    SCRIPT,
    "</style></title></textarea>--><svg/onload=alert(1)>",
    "\"' onmouseover=alert(1) x='",
    "{{ 7 * 7 }}{% raw %}",
    "`code` ``two`` ```three``` [a](http://x.test) ![i](http://x.test/i.png) <b>b</b>",
    "@everyone #1 http://x.test www.x.test | a | b |",
    "\x1b[31mred\x1b[0m \u202egnp.exe \u2028 \x00 \udcff",
    "# title\n## title\n---\n```\n~~~\n    indented",
)
HOSTILE = (
    " ".join((*BREAKS, *(text for name, text in VALUES.items() if name != "10 kB"))) + "w" * 500
)
RUN = "20261121T122818Z-f1d0"
BEGAN = 1795264098.25


def finding(what: str = "a key is missing", **fields: Any) -> dict[str, Any]:
    known = {
        "fault": "env_file.key-missing", "severity": "critical", "subject": "s", "what": what,
        "seen": "no line of it", "expected": "'live'", "remedy": "it is written",
        "by_person": False, "symptom": False, "at": BEGAN + 1, "state": "mended", "leads": True,
        "held": "", "before": "", "after": "", "cause": "corrective",
    }  # fmt: skip
    return {**known, **fields}


def change(why: str = "write MODE", **fields: Any) -> dict[str, Any]:
    known = {"fault": "f", "subject": "s", "why": why, "ok": True, "began": BEGAN + 2}
    return {**known, "seconds": 0.25, "output": "", **fields}


def proof(*, proven: bool = True, said: str = "ops logged in", seconds: float = 0.11) -> Any:
    checks = [{"name": "login", "ok": proven, "said": said, "accepted": ""}]
    about = {"account": "ops", "url": "http://127.0.0.1/token", "proven": proven}
    return {**about, "at": BEGAN + 3, "seconds": seconds, "checks": checks}


def backend(**fields: Any) -> dict[str, Any]:
    known = {
        "backend": "mine", "outcome": "proven", "seconds": 6.0, "halted": None, "disabled": "",
        "findings": [], "changes": [], "unseen": [], "proof": proof(), "said": [],
        "declared": {}, "signing": "",
    }  # fmt: skip
    return {**known, **fields}


def host(*backends: dict[str, Any], name: str = "web1", **fields: Any) -> dict[str, Any]:
    known = {"host": name, "reached": True, "outcome": "proven", "error": None}
    return {**known, "backends": [*backends], "transcript": [], **fields}


def document(*hosts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    known = {"version": 1, "run": RUN, "purpose": "restore", "began": BEGAN, "seconds": 6.2}
    return {**known, "relogin": "1", "operator": "me@here", "exit": 0, "hosts": [*hosts], **fields}


def result(at: float, **fields: Any) -> dict[str, Any]:
    known = {"run": RUN, "began": at, "purpose": "drift", "operator": "me@here", "host": "web1"}
    rest = {"backend": "mine", "outcome": "proven", "halted": "", "ended": 1, "login": 0.2}
    return {**known, **rest, "proven": 1, "changes": [], "first": None, **fields}


def hostile(text: str = HOSTILE) -> tuple[dict[str, Any], Any]:
    """Give a document, and what was before it, in which every text is this one."""
    wrong = [
        finding(text, seen=text, expected=text, held=text, remedy=text, before=text, after=text),
        finding(text, state="left", by_person=True, remedy=text, leads=False, fault=text),
    ]
    bad = backend(
        backend=text, outcome="not-proven", halted=text, disabled=text, findings=wrong,
        changes=[change(text, ok=False, output=text)], unseen=[{"layer": text, "reason": text}],
        proof=proof(proven=False, said=text), said=[text],
    )  # fmt: skip
    lines = [{"at": BEGAN, "line": text}]
    hosts = host(bad, name=text, transcript=lines), host(name="lost", reached=False, error=text)
    again = {"fault": text, "what": text, "times": 3, "since": BEGAN, "last": BEGAN}
    row = result(BEGAN - 60, backend=text, first=text, changes=[text], operator=text, run=text)
    past = {text: {"results": [row], "coming_back": [{**again, "host": text, "backend": text}]}}
    return document(*hosts, operator=text, exit=3, relogin=text), past


def last_changes(text: str = HOSTILE) -> dict[str, Any]:
    """Give what a history knows of the last changes, with every text this one."""
    row = {"host": text, "backend": text, "began": BEGAN, "run": text, "operator": text}
    mended = {**row, "what": text, "before": text, "after": text}
    return {"last_changes": [{**row, "why": text, "ok": None}], "last_mended": [mended]}
