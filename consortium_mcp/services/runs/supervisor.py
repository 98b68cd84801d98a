"""Runs that outlive the call that started them.

A run lives in a task group that belongs to the process's service. Callers wait for its result on
its `RunHandle` for as long as they like; the run goes on regardless.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.sqlite.patience import patience_of
from consortium_mcp.core.domain.errors import ConsortiumError, StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from anyio.abc import TaskGroup

    from consortium_mcp.adapters.databases.database import Connection
    from consortium_mcp.adapters.journal.store import HeartbeatReply, Store
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.core.records.run_record import RunRecord
    from consortium_mcp.services.runs.handle import RunHandle

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 1.0
"""How often working runs write a heartbeat and read what other processes want of them, and how
often it is tried again to record what could not be recorded before."""
HEARTBEAT_PATIENCE_SECONDS = 0.1
"""How long that waits for the database: next time is soon."""
MOST_UNRECORDED = 1000
"""Unrecorded reports of ended runs that are kept in memory; the oldest are dropped first."""


def unwrapped(error: Exception) -> Exception:
    """The single error in a task group's bundle, or the error itself."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class RunSupervisor:
    """The runs of this process that have not ended.

    Args:
        group: the task group that the runs live in; it outlasts every request.
        store: writes the heartbeat of these runs, and tells what other processes want of them.
    """

    def __init__(self, group: TaskGroup, store: Store) -> None:
        self._group = group
        self._store = store
        self._pulse = store.file.pulse()
        store.when_lost(self._hand_over)
        self._heartbeat_active = False
        self._running: dict[str, RunHandle] = {}
        self._held: list[str] = []
        self._unrecorded: dict[str, RunHandle] = {}

    def start(
        self, run_id: str, handle: RunHandle, work: Callable[[RunHandle], Awaitable[None]]
    ) -> None:
        """Start a run. `work` keeps `handle.report` up to date."""
        self._running[run_id] = handle
        self._beat_beside()

        async def supervise() -> None:
            try:
                with handle.scope:
                    await work(handle)
            except Exception as error:  # a fault in one run must not end the others
                handle.error = unwrapped(error)
                if not isinstance(handle.error, ConsortiumError):
                    logger.exception("run %s broke", run_id)
            finally:
                del self._running[run_id]
                if handle.unrecorded:
                    self._keep_unrecorded(run_id, handle)
                handle.end()

        self._group.start_soon(supervise)
        if not self._heartbeat_active:
            self._heartbeat_active = True
            self._group.start_soon(self._keep_up)

    def _beat_beside(self) -> None:
        if self._pulse is not None:
            self._pulse.start(self._beat_apart, self._heed)

    def _keep_unrecorded(self, run_id: str, handle: RunHandle) -> None:
        self._unrecorded[run_id] = handle
        for oldest in list(self._unrecorded)[:-MOST_UNRECORDED]:
            del self._unrecorded[oldest]

    async def _keep_up(self) -> None:
        """Keep the database up to date, while something works or is not recorded."""
        while self._running or self._unrecorded:
            await anyio.sleep(HEARTBEAT_SECONDS)
            with patience_of(HEARTBEAT_PATIENCE_SECONDS):
                if self._running and self._pulse is None:
                    await self._send_heartbeat()
                await self.write_rest()
        self._heartbeat_active = False

    async def _send_heartbeat(self) -> None:
        try:
            reply = await self._store.beat(tuple(self._running))
        except StoreError as error:  # the runs themselves say so in their reports
            logger.info("no heartbeat could be written: %s", error)
            return
        self._heed(reply)

    def _beat_apart(self, db: Connection) -> HeartbeatReply | None:
        """In a thread of its own."""
        run_ids = {*self._running.copy(), *self._held}
        return self._store.beat_on(db, run_ids) if run_ids else None

    def _heed(self, reply: HeartbeatReply) -> None:
        """Do what other processes want of the runs."""
        for run_id in reply.cancelled:
            self.cancel(run_id)
        for run_id in reply.joined & self._running.keys():
            self._running[run_id].joined_elsewhere = True
        for run_id in reply.taken_over:
            self._hand_over(run_id)

    async def write_rest(self) -> None:
        """Record what could not be recorded before, as far as that can be done now."""
        for run_id, handle in [*self._unrecorded.items(), *self._running.items()]:
            if handle.unrecorded and not await handle.write_rest():
                return  # the others would fail like this one
            if not handle.unrecorded:
                self._unrecorded.pop(run_id, None)

    def when_ended(self, handle: RunHandle, call: Callable[[], Awaitable[None]]) -> None:
        """Call this once the run has ended, however it ends."""

        async def watch() -> None:
            await handle.until_ended()
            await call()

        self._group.start_soon(watch)

    def spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something on the side, as long as the process lasts; a database may fail."""

        async def logged() -> None:
            try:
                await work()
            except StoreError as error:
                logger.warning("%s", error)

        self._group.start_soon(logged)

    @contextmanager
    def holding(self, run_id: str) -> Iterator[None]:
        """While it lasts, heartbeats are written for a run that is about to start."""
        self._held.append(run_id)
        self._beat_beside()
        try:
            yield
        finally:
            self._held.remove(run_id)

    def unrecorded_run(self, run_id: str) -> RunRecord | None:
        """The record of a run of which this process knows more than the database."""
        handle = self.get(run_id)
        return handle.record() if handle is not None and handle.unrecorded else None

    def get(self, run_id: str) -> RunHandle | None:
        """The run with this id, if it works in this process or only this process knows of it."""
        return self._running.get(run_id) or self._unrecorded.get(run_id)

    def working_on(self, fingerprint: str | None, principal: Principal) -> str | None:
        """The run of theirs here that answers the same question just now, if there is one."""
        for run_id, handle in self._running.items():
            if (
                handle.principal == principal
                and handle.fingerprint == fingerprint
                and not (handle.ended or handle.cancelled)
            ):
                return run_id
        return None

    def cancelled(self) -> list[str]:
        """The runs of this process that were cancelled and have not ended yet."""
        return [run_id for run_id, handle in self._running.items() if handle.cancelled]

    def unrecorded(self) -> list[RunHandle]:
        """Runs of which this process knows more than the database, newest first."""
        found = [*self._unrecorded.values(), *self._running.values()]
        return [handle for handle in reversed(found) if handle.unrecorded]

    def cancel(self, run_id: str) -> bool:
        """Cancel a run of this process; False if there is none."""
        handle = self._running.get(run_id)
        if handle is None:
            return False
        handle.cancel_requested = True
        handle.scope.cancel()
        return True

    def working(self) -> dict[str, RunHandle]:
        """The runs that work here and are nested in none, by their ids."""
        found = self._running.items()
        return {run_id: each for run_id, each in found if each.parent is None and not each.ended}

    def give_up(self, run_ids: Iterable[str]) -> None:
        """Stop working on these runs: another process goes on with them."""
        for run_id in run_ids:
            if handle := self._running.get(run_id):
                handle.taken_over = True
                handle.scope.cancel()

    def _hand_over(self, run_id: str) -> None:
        if (handle := self._running.get(run_id)) and not handle.taken_over:
            logger.warning("another process goes on with run %s", run_id)
            self.give_up([run_id])
