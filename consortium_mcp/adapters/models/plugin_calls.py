"""Runs a plugin's code in a thread of its own, and waits for it only so long.

The code is foreign: it may raise anything, even `SystemExit`, ask a server that does not answer, or
never return. The threads are daemons, so one that hangs does not keep the process from ending.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from consortium_mcp.adapters.models.failures import described

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 8.0
"""Seconds that one call is waited for, over all waits together."""


class PluginCall:
    """One call of foreign code, running or ended.

    Args:
        work: the call.
        patience: seconds that it is waited for in total.
    """

    def __init__(self, work: Callable[[], object], patience: float = PATIENCE) -> None:
        self._work = work
        self._patience = patience
        self._waited = 0.0
        self.failure: str | None = None
        """What it raised, as text for a reader."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 (a plugin's code is foreign)
            self.failure = described(error)

    def ended_within(self, seconds: float) -> bool:
        """Wait for the end for up to `seconds`, but no longer than the patience lasts."""
        began = time.monotonic()
        self._thread.join(max(0.0, min(seconds, self._patience - self._waited)))
        self._waited += time.monotonic() - began
        return not self._thread.is_alive()
