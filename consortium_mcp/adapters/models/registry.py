"""The only finder of models: one snapshot of every llm plugin's models.

llm looks models up by running all plugins' hooks again, every time; one that raises fails every
lookup, and one that waits for a dead host hangs it. So the hooks run once, each on its own in a
thread with a deadline; what fails is named in the snapshot, and nothing else suffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from consortium_mcp.adapters.models.discovery import take_snapshot

if TYPE_CHECKING:
    from consortium_mcp.adapters.models.snapshot import Snapshot


class Registry:
    """Builds the snapshot once, in a thread, and again when told to."""

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        """What was found last, if anything was looked for."""
        self._lock = anyio.Lock()

    async def snapshot(self, *, refresh: bool = False) -> Snapshot:
        """Every model llm knows.

        Args:
            refresh: ask the plugins again, because a key or a plugin may have come.
        """
        async with self._lock:
            if self.latest is None or refresh:
                self.latest = await anyio.to_thread.run_sync(take_snapshot)
            return self.latest
