"""The only place that looks models up: one snapshot of every llm plugin's models.

See `discovery` for why the plugins are asked once, and not at every lookup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from consortium_mcp.adapters.models.discovery import take_snapshot

if TYPE_CHECKING:
    from consortium_mcp.adapters.models.snapshot import Snapshot


class Registry:
    """Takes the snapshot once, in a thread, and again on request."""

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        """The last snapshot; `None` before the first."""
        self._lock = anyio.Lock()

    async def snapshot(self, *, refresh: bool = False) -> Snapshot:
        """Every model llm knows.

        Args:
            refresh: ask the plugins again, because a key or a plugin may have been added.
        """
        async with self._lock:
            if self.latest is None or refresh:
                self.latest = await anyio.to_thread.run_sync(take_snapshot)
            return self.latest
