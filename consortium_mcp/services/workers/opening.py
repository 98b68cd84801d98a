"""Opens what a process of a team's server needs: the service, the queue, and a worker."""

from __future__ import annotations

import logging
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.postgres.opening import team_database
from consortium_mcp.adapters.queue.job_queue import JobQueue
from consortium_mcp.adapters.queue.queued_runs import QueuedRuns
from consortium_mcp.services.assembly import assemble
from consortium_mcp.services.runs.supervisor import unwrapped
from consortium_mcp.services.team.meter import Meter
from consortium_mcp.services.workers.queueing import Queueing
from consortium_mcp.services.workers.sweeping import Sweeper
from consortium_mcp.services.workers.upkeep import keep_up
from consortium_mcp.services.workers.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from anyio.abc import TaskGroup

    from consortium_mcp.adapters.postgres.database import PostgresDatabase
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.service import Service

logger = logging.getLogger(__name__)
GRACE_SECONDS = 20.0
"""For how long runs may go on in a process that is asked to end."""


class TeamMeter(Meter, Protocol):
    """Counts what a process of a team's server does."""

    def taken_over(self) -> None:
        """Count a run of a dead process that this one goes on with."""
        ...


@dataclass(frozen=True)
class Team:
    """A process of a team's server."""

    service: Service
    """The local user's, who sees everything; `service.for_principal` gives everybody's."""
    worker: Worker | None
    """`None` where this process only takes requests."""
    queue: JobQueue
    database: PostgresDatabase

    async def queue_age(self) -> float:
        """Seconds for which the oldest run has been waiting for a worker; 0 where none is.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        return await self.queue.age()

    async def drain(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Work on no further run; those under way end in this time, or go to another worker."""
        if self.worker is not None:
            await self.worker.stop(grace_seconds)


@asynccontextmanager
async def open_team(
    settings: Settings,
    group: TaskGroup,
    *,
    work: bool = True,
    meter: TeamMeter | None = None,
    **parts: Any,  # noqa: ANN401 (the keywords of `assemble`)
) -> AsyncIterator[Team]:
    """A process of a team's server while the context lasts; then its runs go to others at once.

    Args:
        settings: where things are, and how many runs may work here.
        group: the task group that runs live in; it outlasts the context.
        work: whether this process works on runs itself.
        meter: counts what is done.
        **parts: see `assemble`.

    Raises:
        ConfigError: no team's database is named.
        StoreError: the database cannot be used.
    """
    database = team_database(settings)
    store = Store(database)
    queue = JobQueue(database)
    runs = QueuedRuns(store)
    queueing = Queueing(queue, runs)
    await queue.open()
    service = assemble(settings, group, store=store, dispatch=queueing, meter=meter, **parts)
    worker, upkeep = None, anyio.CancelScope()
    if work:
        sweeper = Sweeper(queue, runs, queueing)
        told = None if meter is None else meter.taken_over
        worker = Worker(service, queue, runs, sweeper, settings.worker_runs, on_takeover=told)
        group.start_soon(worker.run)
        group.start_soon(_within, upkeep, partial(keep_up, settings, database, queue))
    team = Team(service, worker, queue, database)
    try:
        yield team
    finally:
        upkeep.cancel()  # it would keep the group from ending
        with anyio.CancelScope(shield=True):
            await team.drain(0)
            await queue.close()
            await service.close()


async def _within(scope: anyio.CancelScope, work: Callable[[], Awaitable[None]]) -> None:
    with scope:
        await work()


async def run_worker(
    settings: Settings,
    grace_seconds: float = GRACE_SECONDS,
    *,
    meter: TeamMeter | None = None,
    beside: Callable[[Team], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Work on runs, without serving requests, until SIGTERM or SIGINT.

    Args:
        settings: where things are, and how many runs may work here.
        grace_seconds: for how long runs may go on after the signal.
        meter: counts what is done.
        beside: runs as long as the worker does.

    Raises:
        ConfigError: no team's database is named.
        StoreError: the database cannot be used.
    """
    try:
        async with (
            anyio.create_task_group() as group,
            open_team(settings, group, meter=meter) as team,
            anyio.create_task_group() as others,
        ):
            logger.info("works on runs")
            if beside is not None:
                others.start_soon(beside, team)
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    break
            await team.drain(grace_seconds)
            others.cancel_scope.cancel()
    except ExceptionGroup as errors:
        raise unwrapped(errors) from errors
