"""Finds runs that nobody works on: those of dead workers, and those of which no job tells."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.errors import StoreError

if TYPE_CHECKING:
    from consortium_mcp.adapters.queue.job_queue import JobQueue
    from consortium_mcp.adapters.queue.queued_runs import QueuedRuns
    from consortium_mcp.services.workers.queueing import Queueing

logger = logging.getLogger(__name__)
SWEEP_SECONDS = 2.0


class Sweeper:
    """Looks through the queue now and then. Every worker does so; none hinders another.

    The heartbeat of a run decides whether it lives, never that of a worker: a worker whose event
    loop is busy, or that waits for its last runs, may be silent in the queue.

    Args:
        queue: the jobs.
        runs: the runs that they are about.
        queueing: gives a job to a run that has none.
    """

    def __init__(self, queue: JobQueue, runs: QueuedRuns, queueing: Queueing) -> None:
        self._queue = queue
        self._runs = runs
        self._queueing = queueing
        self._without_job: frozenset[str] = frozenset()
        self._blind_until = 0.0

    async def run(self) -> None:
        """Sweep until it is cancelled."""
        while True:
            await anyio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except StoreError as error:
                logger.info("the queue could not be swept: %s", error)
                # Nobody could write a heartbeat either: everybody gets the time to do so.
                self._blind_until = anyio.current_time() + self._runs.lease.claim_seconds

    async def sweep(self) -> None:
        """Look once.

        Raises:
            StoreError: the database cannot be used.
        """
        blind = anyio.current_time() < self._blind_until or await self._runs.began_just_now()
        if not blind:
            await self._sweep_silent()

    async def _sweep_silent(self) -> None:
        for stalled in await self._queue.stalled():
            state = await self._runs.let_go(stalled.run_id)
            if state == "waits":
                await self._queue.retry(stalled)
            elif state == "ended":
                await self._queue.finish(stalled)
            elif state == "given up":
                logger.error("run %s took down its process too often", stalled.run_id)
                await self._queue.finish(stalled, failed=True)
        # Who has just recorded a run is about to queue it, so it must be missing twice.
        without_job = frozenset(await self._runs.without_job())
        for run_id in without_job & self._without_job:
            if await self._runs.let_go(run_id) == "waits":
                await self._queueing.defer(run_id, await self._runs.principal_of(run_id))
        self._without_job = without_job
