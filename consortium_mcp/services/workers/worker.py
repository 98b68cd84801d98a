"""Works on runs of the queue until it is stopped."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.errors import ConsortiumError, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.adapters.queue.job_queue import JobQueue
    from consortium_mcp.adapters.queue.queued_runs import QueuedRuns
    from consortium_mcp.services.runs.handle import RunHandle
    from consortium_mcp.services.service import Service
    from consortium_mcp.services.workers.sweeping import Sweeper

logger = logging.getLogger(__name__)
_AGAIN_SECONDS = 1.0


class Worker:
    """Takes runs of the queue and works on them in this process.

    Args:
        service: the local user's; from it comes that of each run's owner.
        queue: the jobs.
        runs: the runs that they are about.
        sweeper: finds what other workers have left.
        slots: runs at once.
        on_takeover: is told when this process goes on with a run of a dead one.
    """

    def __init__(
        self,
        service: Service,
        queue: JobQueue,
        runs: QueuedRuns,
        sweeper: Sweeper,
        slots: int,
        *,
        on_takeover: Callable[[], None] | None = None,
    ) -> None:
        self._service = service
        self._queue = queue
        self._runs = runs
        self._sweeper = sweeper
        self._slots = slots
        self._stopping = False
        self._stopped = anyio.Event()
        self._on_takeover = on_takeover
        self.takeovers = 0
        """Runs of dead processes that this one has gone on with."""

    async def run(self) -> None:
        """Work until `stop` is called."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._sweeper.run)
                await self._queue.work(self.consult, self._slots)
                group.cancel_scope.cancel()
        finally:
            self._stopped.set()

    async def consult(self, run_id: str) -> bool:
        """Take a run and work on it until it has ended.

        Returns:
            Whether nothing is left to be done here: it has ended, or it is another process's.
            False where it was handed over.

        Raises:
            StoreError: the database cannot be used; a sweep gives the run a job again.
        """
        if self._stopping:
            return False
        runs_here = self._service.own_runs
        with runs_here.holding(run_id):
            taken = await self._runs.take(run_id)
            if taken is None:
                return True
            if taken.taken_over:
                self.takeovers += 1
                if self._on_takeover is not None:
                    self._on_takeover()
                logger.warning("goes on with run %s of a process that died", run_id)
            handle = await self._go_on(run_id, self._service.for_principal(taken.principal))
        if self._stopping:
            await self._hand_over()
        if handle is None:
            return True
        await handle.until_ended()
        if handle.left:  # the process ends without having been asked to
            await self._runs.hand_over([run_id])
        return not (handle.left or (handle.taken_over and self._stopping))

    async def _go_on(self, run_id: str, service: Service) -> RunHandle | None:
        """Go on with a run that is ours, as soon as the database allows; `None` if it failed."""
        while True:
            try:
                return await service.go_on(run_id)
            except StoreUnavailable as error:
                logger.info("run %s waits for the database: %s", run_id, error)
                await anyio.sleep(_AGAIN_SECONDS)
            except ConsortiumError as error:
                await self._runs.fail(run_id, str(error))
                return None

    async def sweep(self) -> None:
        """Look at once for what other workers have left; otherwise it is done every 2 seconds.

        Raises:
            StoreError: the database cannot be used.
        """
        await self._sweeper.sweep()

    async def stop(self, grace_seconds: float) -> None:
        """Take nothing more, and let what works end or go to another worker.

        Args:
            grace_seconds: for how long runs may go on here; then others go on with them at once.
        """
        self._stopping = True
        self._queue.stop()
        with anyio.move_on_after(grace_seconds):
            for handle in self._service.own_runs.working().values():
                await handle.until_ended()
        await self._hand_over()
        await self._stopped.wait()

    async def _hand_over(self) -> None:
        rest = self._service.own_runs.working()
        try:
            await self._runs.hand_over(rest)
        except StoreError as error:  # others go on with them as with those of a dead process
            logger.warning("%d runs could not be handed over: %s", len(rest), error)
        self._service.own_runs.give_up(rest)
