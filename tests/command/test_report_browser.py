"""The page in a real browser: on a phone and a desk, light and dark, and on paper."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin.report.page import history_page, page
from relogin.report.past import pasts
from relogin.report.view import view
from tests.browser import Browser, browsing
from tests.command.folder import LOCAL, Folder
from tests.command.test_run import NOWHERE
from tests.core import reports

SCREENS = {"phone": (390, 844), "small phone": (320, 568), "desk": (1280, 900)}
# What stands out of the screen to the right, by its element and text, but for what scrolls itself.
OVERFLOWING = """
[...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 0.5)
    .map(one => one.tagName + ': ' + one.textContent.trim().slice(0, 60))
"""
# The contrast of each text with what is behind it, where it is less than WCAG 2.2 asks for (1.4.3).
FAINT = """
(() => {
    const parsed = text => text.match(/[\\d.]+/g).map(Number);
    const bright = ([r, g, b]) => [r, g, b].map(one => one / 255)
        .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
        .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
    const behind = one => {
        for (; one; one = one.parentElement) {
            const colour = parsed(getComputedStyle(one).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    return [...document.querySelectorAll('body *')]
        .filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .filter(one => !one.closest('svg'))
        .map(one => [one, bright(parsed(getComputedStyle(one).color)), bright(behind(one))])
        .filter(([, a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5)
        .map(([one]) => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 60)}`);
})()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as running:
        yield running


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The page of a run, and that of a history."""
    folder = tmp_path_factory.mktemp("hostile")
    document, earlier = reports.hostile()
    of_run, of_all = folder / "it.html", folder / "history.html"
    of_run.write_bytes(page(view(document, earlier)))
    found = pasts(reports.last_changes(), earlier)
    of_all.write_bytes(history_page(reports.HOSTILE, found, reports.BEGAN, reports.HOSTILE))
    return of_run, of_all


@pytest.fixture
def real(folder: Folder) -> tuple[Path, Path]:
    """The page of a repair, after others, with a host that is beyond reach; the history's page."""
    for mode in ("dead", "live", "dead"):
        folder.env.write_text(f"MODE={mode}\n")
        folder.run("restore", "inventory.py")
    folder.hosts(LOCAL, ("web2", NOWHERE))
    folder.env.write_text("MODE=dead\n")
    folder.run("restore", "inventory.py", "--html", "it.html")
    assert 0 == folder.run("history", "--html", "history.html").returncode
    return folder.home / "it.html", folder.home / "history.html"


def opened(browser: Browser, file: Path, screen: str, scheme: str) -> None:
    width, height = SCREENS[screen]
    phone = screen != "desk"
    browser.open(file.as_uri(), width=width, height=height, scheme=scheme, phone=phone)


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_overflows_and_nothing_is_loaded(browser, real, screen: str) -> None:
    backgrounds = set()
    for file, scheme in itertools.product(real, ("light", "dark")):
        opened(browser, file, screen, scheme)
        assert SCREENS[screen][0] == browser.value("innerWidth")
        assert browser.value("document.scrollingElement.scrollWidth <= innerWidth")
        assert [] == browser.value(OVERFLOWING)
        assert [] == browser.value(FAINT)
        assert ([file.as_uri()], []) == (browser.requested(), browser.complaints())
        backgrounds.add(browser.value("getComputedStyle(document.body).backgroundColor"))
    assert 2 == len(backgrounds)


@pytest.mark.parametrize("screen", SCREENS)
def test_what_is_hostile_stays_text_and_within_the_screen(browser, hostile, screen) -> None:
    for file, scheme in itertools.product(hostile, ("light", "dark")):
        opened(browser, file, screen, scheme)
        assert browser.value("document.scrollingElement.scrollWidth <= innerWidth")
        assert [] == browser.value(OVERFLOWING)
        assert [] == browser.value(FAINT)
        assert 0 == browser.value("document.querySelectorAll('script, img, iframe, object').length")
        assert "owned" != browser.value("document.title")
        assert browser.value("document.body.innerText").count("<script>document.title='owned'") > 10
        assert ([file.as_uri()], []) == (browser.requested(), browser.complaints())


def test_the_verdict_is_what_a_phone_shows_first(browser: Browser, real: tuple[Path, Path]) -> None:
    opened(browser, real[0], "phone", "dark")
    top, bottom = browser.value(
        "(box => [box.top, box.bottom])(document.querySelector('h1').getBoundingClientRect())"
    )
    assert 0 < top < bottom < 200
    size = browser.value("parseFloat(getComputedStyle(document.querySelector('article')).fontSize)")
    assert size >= 16


def test_on_paper_the_transcript_is_there_though_it_was_closed(browser, tmp_path: Path) -> None:
    lines = [{"at": reports.BEGAN, "line": f"line {number}"} for number in range(300)]
    hosts = [
        reports.host(reports.backend(), name=f"web{number}", transcript=lines)
        for number in range(4)
    ]
    closed, none = tmp_path / "closed.html", tmp_path / "none.html"
    closed.write_bytes(page(view(reports.document(*hosts), {})))
    without = [{**one, "transcript": []} for one in hosts]
    none.write_bytes(page(view(reports.document(*without), {})))
    pages = []
    for file in (closed, none):
        opened(browser, file, "desk", "dark")
        browser.paper(tmp_path / "it.pdf")
        pages.append((tmp_path / "it.pdf").read_bytes().count(b"/Type /Page\n"))
    assert pages[0] > pages[1] + 15 > 15


def test_this_test_sees_what_it_forbids(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    wide = "<p style='width: 2000px; color: #888; background: #999'>wide and faint</p>"
    bad.write_text(f"<!doctype html><body>{wide}<img src='nowhere.png'>")
    opened(browser, bad, "phone", "light")
    assert ["P: wide and faint"] == browser.value(OVERFLOWING)
    assert ["P.: wide and faint"] == browser.value(FAINT)
    assert 2 == len(browser.requested())
