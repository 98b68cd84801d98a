"""Server state, with a service that loads late: importing llm takes longer than clients wait."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.to_thread

from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.core.domain.principal import LOCAL, Principal
from consortium_mcp.frontends.mcp.protocol.cancellation import WaitingCalls
from consortium_mcp.services.users.callers import caller

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from anyio.abc import TaskGroup
    from mcp.server.mcpserver import Context

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.service import Service
    from consortium_mcp.services.users.announcements import Listener

logger = logging.getLogger(__name__)
QUIET_SECONDS = 0.3
"""After this long without a request, a client's initial requests count as done."""


class ShownPlans(Protocol):
    """Which plans were shown to whom, for confirmation."""

    async def show(self, who: Principal, request: str) -> bool:
        """Note that a plan is shown.

        Args:
            who: sees it.
            request: what it is the plan of, without `max_calls`.

        Returns:
            Whether they have seen it before.
        """
        ...


class PlansOfThisProcess:
    """`ShownPlans` in memory."""

    def __init__(self) -> None:
        self._shown: set[tuple[Principal, str]] = set()

    async def show(self, who: Principal, request: str) -> bool:
        """See `ShownPlans`."""
        before = len(self._shown)
        self._shown.add((who, request))
        return len(self._shown) == before


class ServerLifespan:
    """The state of a running server; the service is loaded at its first use.

    Args:
        settings: paths, default wait and the like.
        make: builds the service; called in a thread, because its imports are slow.
        group: the task group in which runs work.
        announce: called with the URIs of changed resources, and whose they are.
        nobody: who a caller is that has not signed in; where there is no login, the local user.
        shown_plans: notes which plans were shown; by default those of this process.
    """

    def __init__(
        self,
        settings: Settings,
        make: Callable[[TaskGroup], Service],
        group: TaskGroup,
        announce: Listener,
        *,
        nobody: Principal = LOCAL,
        shown_plans: ShownPlans | None = None,
    ) -> None:
        self.settings = settings
        self._make = make
        self._group = group
        self._announce = announce
        self._nobody = nobody
        self._service: Service | None = None
        self._lock = anyio.Lock()
        self._warming = False
        self._last_request = 0.0
        self.waiting_calls = WaitingCalls()
        self.roots: tuple[Path, ...] | None = None
        """The client's folders, as it told them last; `None` where it was not asked."""
        self.shown_plans = shown_plans or PlansOfThisProcess()

    @property
    def loaded(self) -> Service | None:
        """The caller's service; `None` if none is loaded yet."""
        return self._service and self._service.for_principal(self.caller)

    @property
    def caller(self) -> Principal:
        """Whose request is being answered."""
        return caller() or self._nobody

    def requested(self) -> None:
        """Note that a request came in; the first one schedules the warm-up."""
        self._last_request = anyio.current_time()
        if not self._warming:
            self._warming = True
            self._group.start_soon(self._warm_up)

    async def _warm_up(self) -> None:
        """Load the service and llm's models once no request has come for `QUIET_SECONDS`.

        Importing takes a second of CPU and would slow down the first answers.
        """
        while (quiet := anyio.current_time() - self._last_request) < QUIET_SECONDS:  # noqa: ASYNC110 (what is waited for is time)
            await anyio.sleep(QUIET_SECONDS - quiet)
        try:
            service = await self._everybodys()
            await service.consortiums.all()  # opens the database
            await service.registry.snapshot()
            await service.history.index_all()  # of a journal that older versions wrote
        except ConsortiumError as error:  # the call that needs it reports this
            logger.info("the database could not be opened beforehand: %s", error)
        except Exception:  # the call that needs it fails again and reports it
            logger.exception("llm could not be loaded beforehand")

    async def service(self) -> Service:
        """The caller's service, loaded if it is not yet."""
        return (await self._everybodys()).for_principal(self.caller)

    async def _everybodys(self) -> Service:
        async with self._lock:
            if self._service is None:
                self._service = await anyio.to_thread.run_sync(self._make, self._group)
                self._service.announce_to(self._announce)
            return self._service

    def cancel(self, run_id: str) -> None:
        """End a run of the caller's that this server started."""
        if self.loaded is not None:
            self.loaded.cancel_here(run_id)

    def begin_nothing_more(self, on_idle: Callable[[], None]) -> bool:
        """Begin no call any more, since nobody listens; whether any is under way."""
        return self._service is not None and self._service.begin_nothing_more(on_idle)

    async def landed(self) -> None:
        """After `begin_nothing_more`: wait for what is under way, until `end` is called."""
        if self._service is not None:
            await self._service.landed()

    def end(self) -> None:
        """Cancel everything that works; runs are marked as interrupted."""
        self._group.cancel_scope.cancel()

    async def close(self) -> None:
        """Close the service, if it was loaded."""
        if self._service is not None:
            await self._service.close()


def lifespan_of(ctx: Context[ServerLifespan]) -> ServerLifespan:
    """The state of the server that received this call."""
    return ctx.request_context.lifespan_context


def client_name(ctx: Context[ServerLifespan]) -> str | None:
    """The name that the client gives itself, when it connects or with the request."""
    params = ctx.session.client_params
    return params.client_info.name or None if params is not None else None


async def service_of(ctx: Context[ServerLifespan]) -> Service:
    """The service of the server that received this call."""
    return await lifespan_of(ctx).service()
