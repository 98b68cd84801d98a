"""The only place that looks models up: one snapshot of every llm plugin's models.

See `discovery` for why the plugins are asked once, and not at every lookup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from consortium_mcp.adapters.models.discovery import PLUGIN_WAIT, take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.adapters.models.snapshot import Snapshot


WAITS = (0.1, 0.3, 1.0)
"""Seconds for which slow plugins are waited for while a named model is looked for."""


class Registry:
    """Takes the snapshot once, in a thread, and again on request."""

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        """The last snapshot; `None` before the first."""
        self._lock = anyio.Lock()

    def provider_of(self, model: str) -> str:
        """The plugin that provides a model, as last seen; `unknown` where none does."""
        if self.latest is None or model not in self.latest.names:
            return "unknown"
        return self.latest.find(model).provider

    async def snapshot(
        self, *, refresh: bool = False, enough: Callable[[Snapshot], bool] | None = None
    ) -> Snapshot:
        """Every model llm knows.

        Args:
            refresh: ask the plugins again, because a key or a plugin may have been added.
            enough: whether this snapshot will do although some plugins are slow. So a model that
                is named need not wait for the plugins of others.
        """
        async with self._lock:
            if self.latest is not None and not refresh:
                return self.latest
            for seconds in WAITS if enough else ():
                self.latest = await anyio.to_thread.run_sync(take_snapshot, seconds)
                if not self.latest.slow or (enough and enough(self.latest)):
                    return self.latest
            self.latest = await anyio.to_thread.run_sync(take_snapshot, PLUGIN_WAIT)
            return self.latest
