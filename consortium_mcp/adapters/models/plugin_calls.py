"""A plugin's code, run in a thread of its own and waited for only so long.

It is foreign: it may raise whatever it likes, `SystemExit` included, ask a server that does not
answer, or never come back. Threads are daemons: one that hangs must not hold up the end of the
process either.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from consortium_mcp.adapters.models.failures import described

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 8.0
"""Seconds that one attempt is waited for, over all the times that somebody waits."""


class PluginCall:
    """One call of foreign code, on its way or over.

    Args:
        work: the call.
        patience: seconds that it is waited for in all.
    """

    def __init__(self, work: Callable[[], object], patience: float = PATIENCE) -> None:
        self._work = work
        self._patience = patience
        self._waited = 0.0
        self.failure: str | None = None
        """What it raised, for a reader."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 (a plugin's code is foreign)
            self.failure = described(error)

    def is_over(self, seconds: float) -> bool:
        """Wait for it, so long at the most, and no longer than there is patience left."""
        began = time.monotonic()
        self._thread.join(max(0.0, min(seconds, self._patience - self._waited)))
        self._waited += time.monotonic() - began
        return not self._thread.is_alive()
