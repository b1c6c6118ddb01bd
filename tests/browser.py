"""A real browser without a window: Chromium, asked over a pipe by the DevTools protocol.

The protocol: chromedevtools.github.io/devtools-protocol. `--remote-debugging-pipe` reads JSON that
a NUL byte ends from file descriptor 3 and answers on 4: no library and no port is needed.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60.0  # seconds for one answer: the machine may be busy
SWITCHES = (
    "--headless",
    "--no-sandbox",  # it shows files of ours, often as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def chromium() -> str:
    """Give the browser that is installed; skip where none is, or fail where it is required."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        why = f"no browser: none of {', '.join(NAMES)} is installed (Debian: apt install chromium)"
        if os.environ.get("RELOGIN_BROWSER") == "required":
            pytest.fail(why)
        pytest.skip(why)
    return found


@dataclass
class Browser:
    """One page of a browser that runs; `events` are what it told, by their methods."""

    asks: int
    answers: int
    session: str = ""
    number: int = 0
    rest: bytes = b""
    events: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask one thing, and give the answer; what it tells meanwhile is kept."""
        self.number += 1
        request: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.asks, json.dumps(request).encode() + b"\0")
        until = time.monotonic() + PATIENCE
        while (told := self._told(until)).get("id") != self.number:
            self.events.append(told)
        assert "error" not in told, told
        return dict(told["result"])

    def wait(self, method: str) -> None:
        """Wait until it tells something."""
        until = time.monotonic() + PATIENCE
        while all(one["method"] != method for one in self.events):
            self.events.append(self._told(until))

    def _told(self, until: float) -> dict[str, Any]:
        while b"\0" not in self.rest:
            ready, _, _ = select([self.answers], [], [], max(until - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            data = os.read(self.answers, 1 << 20)
            assert data, "the browser has ended"
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\0")
        return dict(json.loads(line))

    def open(self, address: str, *, width: int, height: int, scheme: str, phone: bool) -> None:
        """Show an address on a screen of a size, light or dark."""
        self.events.clear()
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1}
        self.ask("Emulation.setDeviceMetricsOverride", **metrics, mobile=phone)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=features)
        self.ask("Page.navigate", url=address)
        self.wait("Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """Give what an expression is there (the page's own scripts may not run; this may)."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self, file: Path, *, whole: bool = True) -> None:
        picture = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(picture["data"]))

    def paper(self, file: Path) -> None:
        """Print it, as a PDF on A4."""
        size = {"paperWidth": 8.27, "paperHeight": 11.69}
        file.write_bytes(base64.b64decode(self.ask("Page.printToPDF", **size)["data"]))

    def requested(self) -> list[str]:
        """Give every address that the page asked for since it was opened, itself included."""
        asked = (one for one in self.events if one["method"] == "Network.requestWillBeSent")
        return [one["params"]["request"]["url"] for one in asked]

    def complaints(self) -> list[str]:
        """Give what the browser complained of: what the page's policy forbade, among others."""
        logged = (one for one in self.events if one["method"] == "Log.entryAdded")
        return [one["params"]["entry"]["text"] for one in logged]


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a browser with one empty page."""
    program = chromium()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *SWITCHES, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh", *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin, process.stdout:
                yield _with_page(Browser(process.stdin.fileno(), process.stdout.fileno()))
        finally:
            _ended(process)


def _ended(process: "subprocess.Popen[bytes]") -> None:
    """Wait for its end, which comes where nobody can ask it anything any more."""
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _with_page(browser: Browser) -> Browser:
    target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
    attached = browser.ask("Target.attachToTarget", targetId=target, flatten=True)
    browser.session = attached["sessionId"]
    for domain in ("Page", "Network", "Log", "Runtime"):
        browser.ask(f"{domain}.enable")
    return browser
