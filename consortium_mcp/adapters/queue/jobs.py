"""procrastinate's jobs, where a worker changes only what is its own, and outlives its database.

As it comes, whoever ends a job ends it for whoever works on it by now; and the first call that
finds no database ends the worker.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio
from procrastinate import sql
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable, Iterable

    from procrastinate.jobs import Job, Status
    from procrastinate.manager import NotificationCallback

logger = logging.getLogger(__name__)
_AGAIN_SECONDS = 1.0
_FOREIGN_KEY = "23503"
"""The code of PostgreSQL's error: the worker was forgotten, so it must register anew."""
_IF_OURS = (
    " FROM procrastinate_jobs AS mine WHERE mine.id = %(job_id)s AND mine.status = 'doing'"
    " AND mine.worker_id IS NOT DISTINCT FROM CAST(%(worker_id)s AS bigint) FOR UPDATE"
)


class OwnJobs(JobManager):
    """Ends and retries a job only while it is with the worker that it was fetched for."""

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # noqa: FBT001 (its signature)
        """End a job, if it is still with this worker."""
        await self._change("finish_job", job, status=status.value, delete_job=delete_job)

    async def retry_job(
        self,
        job: Job,
        retry_at: dt.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job back into the queue, if it is still with this worker."""
        new = {"new_priority": priority, "new_queue_name": queue, "new_lock": lock}
        await self._change("retry_job", job, retry_at=retry_at, **new)

    async def _change(self, name: str, job: Job, **values: Any) -> None:  # noqa: ANN401
        query = sql.queries[name].rstrip().rstrip(";") + _IF_OURS
        change = {"job_id": job.id, "worker_id": job.worker_id} | values
        while True:
            try:
                await self.connector.execute_query_async(query=query, **change)
            except ConnectorException as error:
                logger.info("job %s could not be changed yet: %s", job.id, error)
                await anyio.sleep(_AGAIN_SECONDS)
            else:
                return

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The next job; `None` if there is none, or no database just now.

        Raises:
            ConnectorException: the worker is not registered any more.
        """
        try:
            return await super().fetch_job(queues, worker_id)
        except ConnectorException as error:
            if getattr(error.__cause__, "sqlstate", None) == _FOREIGN_KEY:
                raise
            logger.info("no job could be fetched: %s", error)
            return None

    async def update_heartbeat(self, worker_id: int) -> None:
        """Write a heartbeat, if that can be done."""
        await _tried(super().update_heartbeat, worker_id)

    async def unregister_worker(self, worker_id: int) -> None:
        """Forget a worker, if that can be done."""
        await _tried(super().unregister_worker, worker_id)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Listen; anew whenever the connection is lost.

        Each notice wakes everybody who listens, in every process, and each looks for the job. So
        who takes from several queues listens for the last one only; for the others it has the rest
        of the jobs in mind, and looks now and then.
        """
        queues = [*(queues or ())][-1:]
        while True:
            try:
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except ConnectorException as error:
                logger.info("jobs could not be listened for: %s", error)
            await anyio.sleep(_AGAIN_SECONDS)


async def _tried(call: Callable[[int], Awaitable[None]], worker_id: int) -> None:
    try:
        await call(worker_id)
    except ConnectorException as error:
        logger.info("the queue could not be told of worker %s: %s", worker_id, error)
