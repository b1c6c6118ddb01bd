"""Tell a watcher over HTTP that a run begins and how it ended, as healthchecks.io has it.

URL/start as it begins; at its end URL itself for success, else URL/<exit code>
(healthchecks.io/docs/http_api). The URL is as good as a password: it is never shown.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relogin.errors import UsageError
from relogin.given import secret
from relogin.outcome import USAGE, Ended
from relogin.secret import SecretMissing

if TYPE_CHECKING:
    import gevent
    import httpx

_DEADLINE = 5.0  # seconds for each request, whatever it waits for
_TRIES = 2
_SILENT = "no answer in time"  # who asks again waits again


def watcher(given: str | None, inventory: str) -> Watcher | None:
    """Give whom a run tells of itself: a URL, or env:NAME, file:PATH, command:WORDS that has it.

    Raises:
        UsageError: there is no URL, or none of http or https; it is not shown.
    """
    import httpx

    if not given:
        return None
    try:
        source = secret(given, Path(inventory).absolute().parent)
        url = httpx.URL(source.reveal().strip())
    except SecretMissing as missing:
        raise UsageError(f"--ping: {missing}") from None
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise UsageError("--ping: what it was given is no URL of http or https (it is not shown)")
    return Watcher(url)


def watched(given: str | None, inventory: str, run: Callable[[], Ended]) -> Ended:
    """Run what is to be told to a watcher, if one was given; give how it ended.

    Raises:
        UsageError: there is no such watcher, or the run was asked for wrongly.
    """
    watch = watcher(given, inventory)
    ended = Ended(1)
    if watch is not None:
        watch.begin()
    try:
        ended = run()
    except UsageError:
        ended = Ended(USAGE)
        raise
    finally:
        if watch is not None and (problem := watch.end(0 if ended.healed else ended.code)):
            click.echo(problem, err=True)
    return ended


class Watcher:
    """Whoever wakes somebody where a run fails, or does not come."""

    def __init__(self, url: httpx.URL) -> None:
        self._url = url
        self._begun: gevent.Greenlet | None = None

    def begin(self) -> None:
        """Say that a run begins; the run does not wait for it."""
        import gevent

        self._begun = gevent.spawn(self._tell, "start")

    def end(self, code: int) -> str:
        """Say how it ended, 0 for success; give one line where the watcher may not know it."""
        if self._begun is not None:
            self._begun.join()
        return self._tell(str(code) if code else "")

    def _tell(self, what: str) -> str:
        said = ""
        for _ in range(_TRIES):
            said = self._asked(what)
            if said in {"", _SILENT}:
                break
        return said and f"--ping: {self._url.host} was not told of this run: {said}"

    def _asked(self, what: str) -> str:
        """Ask once; give what went wrong, by its kind: an error's own text may hold the URL."""
        import gevent
        import httpx

        from relogin.trouble import trouble

        path, mark, query = self._url.raw_path.partition(b"?")
        wanted = path.rstrip(b"/") + (f"/{what}".encode() if what else b"") or b"/"
        limit = gevent.Timeout(_DEADLINE)
        try:
            with limit:
                answer = httpx.get(
                    self._url.copy_with(raw_path=wanted + mark + query), timeout=_DEADLINE
                )
        except gevent.Timeout as timeout:
            if timeout is not limit:
                raise
            return _SILENT
        except Exception as error:  # noqa: BLE001 # it never changes what became of the run
            return trouble(error)[1]
        return "" if answer.is_success else f"it answered {answer.status_code}"
