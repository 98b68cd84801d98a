"""Notes in the audit log that somebody was refused, at most once a minute.

Whoever can reach the server can send it made-up tokens, as many as they like. The log must say so,
and must not grow with each.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.principal import ANYBODY

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.adapters.team.audit_log import AuditLog

EVERY_SECONDS = 60.0


class Refusals:
    """Those of one process.

    Args:
        log: the team's.
        clock: seconds that never go back.
    """

    def __init__(self, log: AuditLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._times = 0
        """Since the last entry."""
        self._noted_at: float | None = None

    async def note(self) -> None:
        """Count one, and write down how many there were if that was not done just now."""
        self._times += 1
        if self._noted_at is not None and self._clock() < self._noted_at + EVERY_SECONDS:
            return
        times, self._times, self._noted_at = self._times, 0, self._clock()
        await self._log.note(ANYBODY, "sign_in_refused", None, {"times": times})
