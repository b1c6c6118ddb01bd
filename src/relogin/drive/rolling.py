"""A run over many hosts that stops where too many of them fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relogin import outcome, run
from relogin.failures import not_tried

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.drive.session import Session


class Rolling:
    """Counts the hosts that failed, and tells whether to begin with another one."""

    def __init__(self, session: Session, most: int | None) -> None:
        self._record, self._session, self._most = run.of(session.state), session, most
        self._failed = 0

    def then(self, ended: Callable[[Host], None]) -> Callable[[Host], None]:
        """Count a host that has ended, and tell others of it."""

        def counted(host: Host) -> None:
            self._failed += self._has_failed(host)
            ended(host)

        return counted

    def stopped(self, host: Host) -> bool:
        """Tell whether a host is not to be begun with any more, and note why."""
        if self._most is None or self._failed <= self._most:
            return False
        self._record.lost[host.name] = not_tried(self._failed)
        return True

    def _has_failed(self, host: Host) -> bool:
        if host.name in self._record.lost:
            return True
        backends = self._session.work[host]
        entries = [self._record.entries.get((host.name, one.name)) for one in backends]
        drift = self._record.purpose == "drift"
        codes = [
            outcome.of(one, changing=self._record.changing, drift=drift).code
            for one in entries
            if one is not None
        ]
        return len(codes) < len(backends) or any(code in {1, 3, 4} for code in codes)
