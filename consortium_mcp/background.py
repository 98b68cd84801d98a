"""Runs that outlive the call that started them.

A run lives in a task group that belongs to the process's service. Whoever wants its result waits on
its `Working`, for as long as they care to; the run goes on regardless.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.errors import ConsortiumError, StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from anyio.abc import TaskGroup

    from consortium_mcp.adapters.store import Beat
    from consortium_mcp.core.report import RunReport

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
"""How often working runs give a sign of life, and what others want of them is looked at."""
TELL_SECONDS = 4.0
"""How long those who wait are left without word. Clients count the silence between two of them."""
KEPT = 100
"""Reports of ended runs that could not be recorded and are kept in memory; the oldest go first."""


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: float
    total: float | None
    """`None` where it is not known."""
    message: str


@dataclass
class Working:
    """A run in progress, as those who wait for it see it."""

    report: RunReport
    """The newest; its status is `working` until the run has ended."""
    waiting_for: str = ""
    """Who has not answered yet, in words."""
    parent: Working | None = None
    """The run that this one answers a call of."""
    unwanted: bool = False
    """Somebody asked for the end of this very run."""
    taken: bool = False
    """Another process goes on with the run; what it comes to stands in the database."""
    unrecorded: bool = False
    """The database could not take all of it: this report is more than what stands there."""
    error: Exception | None = None
    ended: bool = False
    progress: list[Progress] = field(default_factory=list)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _changed: anyio.Event = field(default_factory=anyio.Event)

    @property
    def cancelled(self) -> bool:
        """Somebody asked for the end, in contrast to the process ending under the run."""
        return self.unwanted or (self.parent is not None and self.parent.cancelled)

    def publish(self, progress: Progress) -> None:
        """Tell everyone who waits how far the run is."""
        self.progress.append(progress)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def end(self) -> None:
        """Wake everyone who waits, for the last time."""
        self.ended = True
        self._wake()

    async def until_ended(self) -> None:
        """Wait for the end, whatever it is."""
        while not self.ended:
            await self._changed.wait()

    async def wait(
        self, seconds: float, on_progress: Callable[[Progress], Awaitable[None]] | None = None
    ) -> RunReport:
        """The newest report: when the run has ended, or when the time is over.

        Raises:
            ConsortiumError: the run could not go on; its journal holds what was answered.
        """
        teller = Teller(on_progress)
        seen = 0
        with anyio.move_on_after(seconds):
            while True:
                changed = self._changed
                while seen < len(self.progress):
                    await teller.tell(self.progress[seen])
                    seen += 1
                if self.ended:
                    break
                with anyio.move_on_after(TELL_SECONDS) as silence:
                    await changed.wait()
                if silence.cancelled_caught:
                    await teller.still(self.waiting_for)
        if self.error is not None:
            raise self.error
        return self.report


class Teller:
    """Tells one who waits how far the run is, and that it still works when nothing happens.

    Args:
        on_progress: who waits; nobody where `None`.
    """

    def __init__(self, on_progress: Callable[[Progress], Awaitable[None]] | None) -> None:
        self._on_progress = on_progress
        self._last = Progress(0, None, "")
        self._beats = 0

    async def tell(self, progress: Progress) -> None:
        """Something happened."""
        self._last, self._beats = progress, 0
        if self._on_progress is not None:
            await self._on_progress(progress)

    async def still(self, message: str) -> None:
        """Nothing happened, but the run works.

        MCP wants every number to be greater than the one before: a part of the next step is told,
        more of it each time and never all.
        """
        self._beats += 1
        part = 1 - 1 / (1 + self._beats)
        if self._on_progress is not None:
            told = Progress(self._last.done + part, self._last.total, message)
            await self._on_progress(told)


def _only(error: Exception) -> Exception:
    """The one error in a task group's bundle, or the error itself."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class Background:
    """The runs of this process that have not ended.

    Args:
        group: where they live; it outlasts every request.
        beat: tells the other processes that these runs work, and what they want of them.
    """

    def __init__(
        self, group: TaskGroup, beat: Callable[[Collection[str]], Awaitable[Beat]]
    ) -> None:
        self._group = group
        self._beat = beat
        self._beating = False
        self._working: dict[str, Working] = {}
        self._unrecorded: dict[str, Working] = {}

    def start(
        self, run_id: str, working: Working, work: Callable[[Working], Awaitable[None]]
    ) -> None:
        """Let a run go. `work` keeps `working.report` up to date."""
        self._working[run_id] = working

        async def supervise() -> None:
            try:
                with working.scope:
                    await work(working)
            except Exception as error:  # a fault in one run must not end the others
                working.error = _only(error)
                if not isinstance(working.error, ConsortiumError):
                    logger.exception("run %s broke", run_id)
            finally:
                del self._working[run_id]
                if working.unrecorded:
                    self._keep(run_id, working)
                working.end()

        self._group.start_soon(supervise)
        if not self._beating:
            self._beating = True
            self._group.start_soon(self._keep_beating)

    def _keep(self, run_id: str, working: Working) -> None:
        self._unrecorded[run_id] = working
        for oldest in list(self._unrecorded)[:-KEPT]:
            del self._unrecorded[oldest]

    async def _keep_beating(self) -> None:
        while self._working:
            await anyio.sleep(BEAT_SECONDS)
            try:
                beat = await self._beat(tuple(self._working))
            except StoreError as error:  # the runs themselves say so in their reports
                logger.info("no heartbeat could be written: %s", error)
                continue
            for run_id in beat.cancelled:
                self.cancel(run_id)
            for run_id in beat.taken:
                self._let_go(run_id)
        self._beating = False

    def get(self, run_id: str) -> Working | None:
        """The run of this id, if it works in this process or only this process knows of it."""
        return self._working.get(run_id) or self._unrecorded.get(run_id)

    def unrecorded(self) -> list[RunReport]:
        """Reports that only this process knows, newest first."""
        found = [*self._unrecorded.values(), *self._working.values()]
        return [working.report for working in reversed(found) if working.unrecorded]

    def cancel(self, run_id: str) -> bool:
        """End a run of this process; whether there was one."""
        working = self._working.get(run_id)
        if working is None:
            return False
        working.unwanted = True
        working.scope.cancel()
        return True

    def _let_go(self, run_id: str) -> None:
        if working := self._working.get(run_id):
            logger.warning("another process goes on with run %s", run_id)
            working.taken = True
            working.scope.cancel()
