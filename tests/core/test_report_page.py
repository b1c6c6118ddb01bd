"""The report for people: what it says, and that no text of others is more than text in it."""

from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from relogin import Secret
from relogin.finding import legible
from relogin.report.markdown import markdown
from relogin.report.page import page
from relogin.report.plot import plot
from relogin.report.timeline import timeline
from relogin.report.view import view
from tests.core import reports
from tests.core.reports import BEGAN, SCRIPT, backend, change, document, finding, host, proof


class Parsed(HTMLParser):
    """What a parser of HTML makes of a page: its elements, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(*hosts: dict[str, Any], past: Any = None, **fields: Any) -> Parsed:
    return Parsed(page(view(document(*hosts, **fields), past or {})).decode())


def test_nothing_hostile_becomes_an_element_or_loads_anything() -> None:
    told, past = reports.hostile()
    found = Parsed(page(view(told, past)).decode())
    assert not found.elements.keys() & {"script", "img", "iframe", "object", "b", "textarea"}
    names = {name for name, _ in found.attributes}
    assert [] == [name for name in names if name.startswith("on")]
    addresses = [value for name, value in found.attributes if name in {"src", "href", "action"}]
    assert {True} == {str(one).startswith(("data:,", "#site-")) for one in addresses}
    assert found.text.count("<script>document.title='owned'</script>") > 15
    assert "49" not in found.text.partition("{{ 7 * 7 }}")[2][:20]


def test_what_a_screen_would_obey_is_shown_as_an_escape() -> None:
    told, past = reports.hostile()
    for text in (page(view(told, past)).decode(), markdown(view(told, past))):
        assert [] == [one for one in ("\x1b", "\u202e", "\u2028", "\x00", "\x85") if one in text]
        assert text.encode()


def test_nothing_hostile_is_more_than_code_in_markdown() -> None:
    told, past = reports.hostile()
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown(view(told, past)))
    inner = [one for token in tokens for one in token.children or ()]
    kinds = {one.type for one in (*tokens, *inner)}
    assert not kinds & {"html_block", "html_inline", "image", "link_open", "table_open", "hr"}
    plain = "".join(one.content for one in inner if one.type == "text")
    assert [] == [one for one in ("<script", "@", "http", "x.test", "# title") if one in plain]
    code = [one.content for one in inner if one.type == "code_inline"]
    assert [] != [one for one in code if legible(SCRIPT) in one]


@pytest.mark.parametrize("known", ["canary-4711-value", "a'b\"<c>&d`e"])
def test_a_known_secret_is_in_neither_form(known: str) -> None:
    Secret.seen(known)
    told, past = reports.hostile(f"because of {known}")
    for text in (page(view(told, past)).decode(), markdown(view(told, past))):
        assert known not in text
        assert known not in Parsed(text).text
        assert "because of ***" in text


def test_the_verdict_is_first_and_the_chain_goes_from_cause_to_proof() -> None:
    cause, effect = finding("the role may not log in"), finding("nobody answers", leads=False)
    done = change("ALTER ROLE u LOGIN")
    one = backend(findings=[cause, effect], changes=[done])
    found = parsed(host(one, transcript=[{"at": BEGAN, "line": "Connected"}])).text
    body = found.partition("People can log in again (6 s)")[2].partition("People can log in")[2]
    words = [
        "What was wrong first", "the role may not log in", "What followed from it",
        "nobody answers", "What was done", "ALTER ROLE u LOGIN", "Proof", "ops logged in",
        "Transcript of web1", "Connected",
    ]  # fmt: skip
    places = [body.index(word) for word in words]
    assert places == sorted(places)
    moment = [body.index(clock) for clock in ("12:28:19", "12:28:20", "12:28:21")]
    assert moment == sorted(moment)


def test_of_several_backends_the_worst_is_first_and_counted() -> None:
    bad = backend(backend="other", outcome="not-proven", proof=proof(proven=False, said="401"))
    told = view(document(host(backend(), bad), host(name="web2", reached=False, error="no")), {})
    assert "2 of 3 backends need somebody" == told.verdict
    assert ["web1 · other", "web2", "web1 · mine"] == [site.name for site in told.sites]


HEADLINES = {
    "people can log in; nothing was changed": backend(),
    "people can log in again (6 s)": backend(changes=[change()]),
    "people can log in, but 1 finding is left": backend(
        outcome="findings", findings=[finding(state="left")]
    ),
    "people cannot log in": backend(outcome="not-proven", proof=proof(proven=False)),
    "the login is not proven": backend(outcome="error", proof=None, halted="why"),
    "people can log in; relogin refused to change anything": backend(
        outcome="refused", disabled="by Ada"
    ),
    "no login is declared; nothing is wrong": backend(outcome="healthy", proof=None),
    "nothing was changed: this is what would be": backend(outcome="planned", proof=None),
}


@pytest.mark.parametrize("said", HEADLINES)
def test_a_headline_says_what_became_of_it(said: str) -> None:
    [site] = view(document(host(HEADLINES[said])), {}).sites
    assert said == site.headline


def test_what_the_log_refused_since_the_run_before_is_counted_by_reason() -> None:
    refused = {"password differs": 3, "user unknown": 1, "inactive": 0}
    text = markdown(view(document(host(backend(refused_logins=refused))), {}))
    section = text.partition("### What the backend refused since the run before\n\n")[2]
    assert ["- `password differs: 3`", "- `user unknown: 1`", ""] == section.split("\n")[:3]


def test_what_needs_a_person_is_said_with_the_next_step() -> None:
    mine = finding("two heads", state="left", by_person=True, remedy="merge them")
    symptom = finding("refused", state="left", by_person=True, symptom=True, leads=False)
    one = backend(outcome="not-proven", findings=[mine, symptom], proof=proof(proven=False))
    [site] = view(document(host(one)), {}).sites
    assert (("two heads", "merge them"),) == site.needs


def test_a_run_that_was_cut_short_and_a_change_whose_end_nobody_knows_are_told() -> None:
    begun = backend(outcome="error", proof=None, changes=[change(ok=None)])
    text = parsed(host(begun), seconds=None).text
    assert "The run was cut short" in text
    assert "it was begun; how it ended is unknown" in text


def test_earlier_runs_without_anything_to_tell_are_one_line() -> None:
    quiet = [reports.result(BEGAN - 60 * number) for number in range(1, 4)]
    loud = reports.result(BEGAN - 600, outcome="findings", first="drift", changes=["write MODE"])
    events = list(timeline([*quiet, loud, *quiet[:1]]))
    assert [3, 1, 1] == [event.count for event in events]
    assert "3 runs: people could log in, and nothing was wrong" == events[0].said
    assert ("drift", ("write MODE",)) == (events[1].first, events[1].changes)


def test_the_plot_has_a_point_for_each_try_within_its_frame() -> None:
    logins = ((0.0, 0.2, True), (60.0, 0.4, True), (120.0, None, False), (180.0, 0.3, True))
    drawn = plot(logins)
    assert drawn is not None
    assert [(True, True), (True, True), (False, False), (True, True)] == [
        (point.proven, point.answered) for point in drawn.points
    ]
    assert [True] * 4 == [0 <= one.x <= 360 and 0 <= one.y <= 150 for one in drawn.points]
    assert (1, "300 ms", "400 ms") == (len(drawn.lines), drawn.median, drawn.slowest)
    assert ["0", "250 ms", "500 ms"] == [label for _, label in drawn.rows]
    assert None is plot(logins[:1])
    assert plot(((5.0, 0.0, True), (5.0, 0.0, True))) is not None
    assert 1 == parsed(host(backend()), past=_past()).elements["svg"]


def _past() -> dict[str, Any]:
    return {"web1": {"results": [reports.result(BEGAN - 60)], "coming_back": []}}
