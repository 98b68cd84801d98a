"""Runs that outlive the call that started them.

A run lives in a task group that belongs to the process's service. Whoever wants its result waits on
its `RunHandle`, for as long as they care to; the run goes on regardless.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.errors import ConsortiumError, StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from anyio.abc import TaskGroup

    from consortium_mcp.adapters.journal.store import HeartbeatReply
    from consortium_mcp.core.domain.report import RunReport
    from consortium_mcp.services.runs.handle import RunHandle

logger = logging.getLogger(__name__)
BEAT_SECONDS = 1.0
"""How often working runs give a sign of life, and what others want of them is looked at."""
MOST_UNRECORDED = 100
"""Reports of ended runs that could not be recorded and are kept in memory; the oldest go first."""


def _only(error: Exception) -> Exception:
    """The one error in a task group's bundle, or the error itself."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class RunSupervisor:
    """The runs of this process that have not ended.

    Args:
        group: where they live; it outlasts every request.
        beat: tells the other processes that these runs work, and what they want of them.
    """

    def __init__(
        self, group: TaskGroup, beat: Callable[[Collection[str]], Awaitable[HeartbeatReply]]
    ) -> None:
        self._group = group
        self._beat = beat
        self._beating = False
        self._running: dict[str, RunHandle] = {}
        self._unrecorded: dict[str, RunHandle] = {}

    def start(
        self, run_id: str, handle: RunHandle, work: Callable[[RunHandle], Awaitable[None]]
    ) -> None:
        """Let a run go. `work` keeps `handle.report` up to date."""
        self._running[run_id] = handle

        async def supervise() -> None:
            try:
                with handle.scope:
                    await work(handle)
            except Exception as error:  # a fault in one run must not end the others
                handle.error = _only(error)
                if not isinstance(handle.error, ConsortiumError):
                    logger.exception("run %s broke", run_id)
            finally:
                del self._running[run_id]
                if handle.unrecorded:
                    self._remember(run_id, handle)
                handle.end()

        self._group.start_soon(supervise)
        if not self._beating:
            self._beating = True
            self._group.start_soon(self._keep_beating)

    def _remember(self, run_id: str, handle: RunHandle) -> None:
        self._unrecorded[run_id] = handle
        for oldest in list(self._unrecorded)[:-MOST_UNRECORDED]:
            del self._unrecorded[oldest]

    async def _keep_beating(self) -> None:
        while self._running:
            await anyio.sleep(BEAT_SECONDS)
            try:
                beat = await self._beat(tuple(self._running))
            except StoreError as error:  # the runs themselves say so in their reports
                logger.info("no heartbeat could be written: %s", error)
                continue
            for run_id in beat.cancelled:
                self.cancel(run_id)
            for run_id in beat.taken_over:
                self._let_go(run_id)
        self._beating = False

    def when_ended(self, handle: RunHandle, call: Callable[[], Awaitable[None]]) -> None:
        """Call this once the run has ended, whatever its end is."""

        async def watch() -> None:
            await handle.until_ended()
            await call()

        self._group.start_soon(watch)

    def get(self, run_id: str) -> RunHandle | None:
        """The run of this id, if it works in this process or only this process knows of it."""
        return self._running.get(run_id) or self._unrecorded.get(run_id)

    def unrecorded(self) -> list[RunReport]:
        """Reports that only this process knows, newest first."""
        found = [*self._unrecorded.values(), *self._running.values()]
        return [handle.report for handle in reversed(found) if handle.unrecorded]

    def cancel(self, run_id: str) -> bool:
        """End a run of this process; whether there was one."""
        handle = self._running.get(run_id)
        if handle is None:
            return False
        handle.cancel_requested = True
        handle.scope.cancel()
        return True

    def _let_go(self, run_id: str) -> None:
        if handle := self._running.get(run_id):
            logger.warning("another process goes on with run %s", run_id)
            handle.taken_over = True
            handle.scope.cancel()
