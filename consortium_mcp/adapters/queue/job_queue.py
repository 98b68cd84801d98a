"""The queue: one job a run, and workers that take them.

Two workers of procrastinate share a process's slots. One takes only from the queue `first`, where
the runs of those are who have few under way; so there is always a slot that no burst of one user
holds. The other one takes from both.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import DeleteJobCondition, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.worker import Worker
from psycopg_pool import AsyncConnectionPool

from consortium_mcp.adapters.queue.jobs import OwnJobs
from consortium_mcp.adapters.queue.schema import bring_up_to_date
from consortium_mcp.core.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import psycopg
    from procrastinate.jobs import Job

    from consortium_mcp.adapters.postgres.database import PostgresDatabase

logger = logging.getLogger(__name__)
FIRST, MORE = "first", "more"
STALLED_SECONDS = 8.0
"""Silence of a worker after which its jobs are looked at. Whether a run goes to another worker is
decided by the heartbeat of the run's own."""
AHEAD = 1
"""The priority of runs that have been begun already."""
_TASK = "consult"
_BEAT_SECONDS = 1.0
_POLL_SECONDS = 0.5
"""How often to look for jobs of which no notice comes: those that are retried."""
_FORGET_SECONDS = 3600.0
"""A worker that was silent for so long must register again. Its jobs are others' long before."""
_MOST_CONNECTIONS = 4
_CONNECTION_SECONDS = 5.0
_NEVER = 86_400.0
_ENDED_HOURS = 24
"""A run that was given up is looked for within seconds; later its job tells nothing any more."""
_AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)
"""Due by every clock: that of this machine may be ahead of the database's."""


async def _without_transactions(connection: psycopg.AsyncConnection[Any]) -> None:
    """Each statement of procrastinate's stands alone: who stops leaves nothing locked."""
    await connection.set_autocommit(True)


def _without_checks(**options: Any) -> AsyncConnectionPool[psycopg.AsyncConnection[Any]]:  # noqa: ANN401 (the pool's own)
    """A pool that does not look at each connection before it is used.

    That would double the cost of each look for a job. A lost connection fails once, which every
    caller here outlives.
    """
    return AsyncConnectionPool(**options | {"check": None})


class _HandedOver(Exception):
    """Another worker is to go on with the run."""


class _RetryHandedOver(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        del job
        if isinstance(exception, _HandedOver):
            return RetryDecision(retry_at=_AT_ONCE, priority=AHEAD)
        return None


@dataclass(frozen=True)
class StalledJob:
    """The job of a worker that is silent."""

    run_id: str
    job: Job


class JobQueue:
    """The queue in a team's database.

    Args:
        database: where it is.
    """

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._connector = PsycopgConnector(
            conninfo=database.conninfo,
            min_size=1,
            max_size=_MOST_CONNECTIONS,
            timeout=_CONNECTION_SECONDS,
            configure=_without_transactions,
            pool_factory=_without_checks,
        )
        self._app = App(connector=self._connector)
        self._app.job_manager = self._jobs = OwnJobs(self._connector)
        self._workers: list[Worker] = []
        self._stopping = False

    async def open(self) -> None:
        """Make its tables, or bring them up to date, and connect.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        await self._database.maintain(bring_up_to_date)
        try:
            await self._app.open_async()
        except ConnectorException as error:
            raise StoreUnavailable(
                f"The queue in {self._database.name} cannot be used: {error}"
            ) from error

    async def close(self) -> None:
        """Disconnect."""
        await self._app.close_async()

    async def defer(self, run_id: str, queue: str, priority: int) -> bool:
        """Ask for somebody who works on the run; False if that has been asked already.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        job = self._app.configure_task(
            _TASK, queue=queue, priority=priority, queueing_lock=run_id, allow_unknown=True
        )
        try:
            await job.defer_async(run_id=run_id)
        except AlreadyEnqueued:
            return False
        except ConnectorException as error:
            raise StoreUnavailable(
                f"The queue in {self._database.name} cannot be used: {error}"
            ) from error
        return True

    async def stalled(self) -> list[StalledJob]:
        """The jobs of workers that are silent.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        try:
            jobs = await self._jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS)
        except ConnectorException as error:
            raise StoreUnavailable(str(error)) from error
        return [StalledJob(str(each.task_kwargs["run_id"]), each) for each in jobs]

    async def retry(self, stalled: StalledJob) -> None:
        """Give a stalled job to whoever takes it, before those that have not been begun."""
        await self._jobs.retry_job(stalled.job, retry_at=_AT_ONCE, priority=AHEAD)

    async def finish(self, stalled: StalledJob, *, failed: bool = False) -> None:
        """End a stalled job: there is nothing left to do, or nobody is to try again."""
        status = Status.FAILED if failed else Status.SUCCEEDED
        await self._jobs.finish_job(stalled.job, status, delete_job=not failed)

    async def forget_ended(self) -> None:
        """Delete the jobs that ended a day ago or earlier, of runs that were given up.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        try:
            await self._jobs.delete_old_jobs(
                _ENDED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
            )
        except ConnectorException as error:
            raise StoreUnavailable(str(error)) from error

    async def age(self) -> float:
        """Seconds for which the oldest job has been waiting; 0 where none is.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        [row] = await self._database.read(
            "SELECT coalesce(extract(epoch FROM now() - min(events.at)), 0) AS age"
            " FROM procrastinate_jobs AS jobs JOIN procrastinate_events AS events"
            " ON events.job_id = jobs.id AND events.type = 'deferred' WHERE jobs.status = 'todo'"
        )
        return float(row["age"])

    async def work(self, consult: Callable[[str], Awaitable[bool]], slots: int) -> None:
        """Take jobs until `stop` is called, and all that were taken have ended; no cancel ends it.

        Args:
            consult: works on a run until that has ended; False if another worker is to go on.
            slots: runs at once.
        """

        async def consult_or_hand_over(run_id: str) -> None:
            if not await consult(run_id):
                raise _HandedOver

        self._app.task(name=_TASK, retry=_RetryHandedOver())(consult_or_hand_over)
        own = slots // 4
        async with anyio.create_task_group() as group:
            if own:
                group.start_soon(self._keep_working, [FIRST], own)
            group.start_soon(self._keep_working, [FIRST, MORE], slots - own)

    async def _keep_working(self, queues: Sequence[str], slots: int) -> None:
        while not self._stopping:
            worker = Worker(
                app=self._app,
                queues=queues,
                name="+".join(queues),
                concurrency=slots,
                fetch_job_polling_interval=_POLL_SECONDS,
                abort_job_polling_interval=_NEVER,
                delete_jobs=DeleteJobCondition.SUCCESSFUL,
                install_signal_handlers=False,
                update_heartbeat_interval=_BEAT_SECONDS,
                stalled_worker_timeout=_FORGET_SECONDS,
            )
            self._workers.append(worker)
            try:
                # What is cancelled are the runs; then their jobs end by themselves.
                with anyio.CancelScope(shield=True):
                    await worker.run()  # type: ignore[no-untyped-call]
            except ConnectorException as error:
                logger.warning("the worker begins anew: %s", error)
                await anyio.sleep(_BEAT_SECONDS)
            finally:
                self._workers.remove(worker)

    def stop(self) -> None:
        """Take no job any more."""
        self._stopping = True
        for worker in self._workers:
            worker.stop()  # type: ignore[no-untyped-call]
