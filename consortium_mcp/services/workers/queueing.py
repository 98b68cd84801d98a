"""Lets runs wait in the queue until a worker takes them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from consortium_mcp.adapters.queue.job_queue import FIRST, MORE
from consortium_mcp.core.domain.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.adapters.queue.job_queue import JobQueue
    from consortium_mcp.adapters.queue.queued_runs import QueuedRuns
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.services.runs.execution import RunExecution

logger = logging.getLogger(__name__)
FEW = 4
"""Who has no more runs under way than this, the new one counted, is served first."""


class Queueing:
    """See `services.runs.dispatch.Dispatch`.

    Args:
        queue: the jobs.
        runs: the runs that they are about.
    """

    outlives = True

    def __init__(self, queue: JobQueue, runs: QueuedRuns) -> None:
        self._queue = queue
        self._runs = runs

    def records_in(self, store: Store) -> Store:
        """One in which new runs are nobody's yet."""
        return store.queueing()

    async def begin(self, execution: RunExecution) -> None:
        """Record a run and queue it.

        Raises:
            StoreUnavailable: it cannot be recorded, so no worker would find it.
        """
        await execution.begin()
        if problem := execution.unwritten:
            raise StoreUnavailable(str(problem)) from problem
        await self.defer(execution.run.run_id, execution.handle.principal)

    async def resume(self, store: Store, run_id: str) -> bool:
        """Queue an interrupted run again."""
        if not await self._runs.queue_again(store, run_id):
            return False
        await self.defer(run_id, store.access.principal)
        return True

    async def cancel(self, store: Store, run_id: str) -> None:
        """Cancel a run, wherever it is, unless another caller has joined it."""
        if not await self._runs.is_joined(run_id):
            await store.cancel(run_id)

    async def defer(self, run_id: str, principal: Principal) -> None:
        """Ask for a worker. Those who have few runs under way go before those who have many.

        The k-th runs of all are on one level, so that nobody waits for another one's burst. Where
        the database fails just now, a worker finds the run all the same, a little later.
        """
        try:
            number = max(1, await self._runs.under_way(principal))
            await self._queue.defer(run_id, FIRST if number <= FEW else MORE, -number)
        except StoreError as error:
            logger.warning("run %s waits for a sweep of the queue: %s", run_id, error)
