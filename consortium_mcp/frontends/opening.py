"""The service, opened late: importing llm and its plugins takes longer than a client's patience."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from consortium_mcp.frontends.waits import Waits

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from consortium_mcp.consortiums import Announce
    from consortium_mcp.service import Service


class Opening:
    """The service, loaded when first asked for.

    Args:
        make: builds the service; runs in a thread, for it may import much.
        group: where runs live.
        announce: told the URIs of what has changed.
    """

    def __init__(
        self, make: Callable[[TaskGroup], Service], group: TaskGroup, announce: Announce
    ) -> None:
        self._make = make
        self._group = group
        self._announce = announce
        self._service: Service | None = None
        self._lock = anyio.Lock()
        self.waits = Waits()

    async def service(self) -> Service:
        """The one service of this server."""
        async with self._lock:
            if self._service is None:
                self._service = await anyio.to_thread.run_sync(self._make, self._group)
                self._service.announce_to(self._announce)
            return self._service

    def cancel(self, run_id: str) -> None:
        """End a run that a call of this server began."""
        if self._service is not None:
            self._service.cancel_here(run_id)

    def end(self) -> None:
        """Let go of all that works: its runs are marked as interrupted."""
        self._group.cancel_scope.cancel()

    async def close(self) -> None:
        """Close what was opened."""
        if self._service is not None:
            await self._service.store.close()
