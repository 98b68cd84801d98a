"""The service, opened late: importing llm and its plugins takes longer than a client's patience."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.frontends.mcp.protocol.cancellation import WaitingCalls

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup
    from mcp.server.mcpserver import Context

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.consortiums import Announce
    from consortium_mcp.services.service import Service

logger = logging.getLogger(__name__)
QUIET_SECONDS = 0.3
"""Without a request, after which a client is taken to have all that it asks for at its start."""


class ServerLifespan:
    """The service, loaded when first asked for.

    Args:
        settings: where things are, and how long to wait.
        make: builds the service; runs in a thread, for it may import much.
        group: where runs live.
        announce: told the URIs of what has changed.
    """

    def __init__(
        self,
        settings: Settings,
        make: Callable[[TaskGroup], Service],
        group: TaskGroup,
        announce: Announce,
    ) -> None:
        self.settings = settings
        self._make = make
        self._group = group
        self._announce = announce
        self._service: Service | None = None
        self._lock = anyio.Lock()
        self._warming = False
        self._last_request = 0.0
        self.waiting_calls = WaitingCalls()
        self.told_plans: set[str] = set()
        """Requests whose plans were told, for their user to confirm."""

    @property
    def loaded(self) -> Service | None:
        """The service, if it is loaded already."""
        return self._service

    def requested(self) -> None:
        """Somebody asked something. From the first time on, wait for quiet and then warm up."""
        self._last_request = anyio.current_time()
        if not self._warming:
            self._warming = True
            self._group.start_soon(self._warm_up)

    async def _warm_up(self) -> None:
        """Load the service and llm's models before they are needed, and after what is needed now.

        Importing takes a second of CPU, which the first answers would have to share.
        """
        while (quiet := anyio.current_time() - self._last_request) < QUIET_SECONDS:  # noqa: ASYNC110 (what is waited for is time)
            await anyio.sleep(QUIET_SECONDS - quiet)
        try:
            service = await self.service()
            await service.consortiums.all()  # opens the database
            await service.registry.snapshot()
        except ConsortiumError as error:  # whoever needs it is told the same
            logger.info("the database could not be opened beforehand: %s", error)
        except Exception:  # whoever needs it finds out, and is told
            logger.exception("llm could not be loaded beforehand")

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
            await self._service.close()


def lifespan_of(ctx: Context[ServerLifespan]) -> ServerLifespan:
    """What lives as long as the server that this call came to."""
    return ctx.request_context.lifespan_context


async def service_of(ctx: Context[ServerLifespan]) -> Service:
    """The service of that server."""
    return await lifespan_of(ctx).service()
