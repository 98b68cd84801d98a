"""Runs that outlive the call that started them.

A run lives in a task group that belongs to the process's service. Whoever wants its result waits on
its `Working`, for as long as they care to; the run goes on regardless.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.errors import ConsortiumError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from consortium_mcp.core.report import RunReport

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: float
    total: float
    message: str


@dataclass
class Working:
    """A run in progress, as those who wait for it see it."""

    report: RunReport
    """The newest; its status is `working` until the run has ended."""
    cancelled: bool = False
    """Somebody asked for the end, in contrast to the process ending under the run."""
    error: Exception | None = None
    ended: bool = False
    progress: list[Progress] = field(default_factory=list)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _changed: anyio.Event = field(default_factory=anyio.Event)

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

    async def wait(
        self, seconds: float, on_progress: Callable[[Progress], Awaitable[None]] | None = None
    ) -> RunReport:
        """The newest report: when the run has ended, or when the time is over.

        Raises:
            ConsortiumError: the run could not go on; its journal holds what was answered.
        """
        seen = 0
        with anyio.move_on_after(seconds):
            while True:
                changed = self._changed
                while on_progress and seen < len(self.progress):
                    await on_progress(self.progress[seen])
                    seen += 1
                if self.ended:
                    break
                await changed.wait()
        if self.error is not None:
            raise self.error
        return self.report


def _only(error: Exception) -> Exception:
    """The one error in a task group's bundle, or the error itself."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class Background:
    """The runs of this process that have not ended.

    Args:
        group: where they live; it outlasts every request.
    """

    def __init__(self, group: TaskGroup) -> None:
        self._group = group
        self._working: dict[str, Working] = {}

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
                working.end()

        self._group.start_soon(supervise)

    def get(self, run_id: str) -> Working | None:
        """The run of this id, if it works in this process."""
        return self._working.get(run_id)

    def cancel(self, run_id: str) -> bool:
        """End a run of this process; whether there was one."""
        working = self._working.get(run_id)
        if working is None:
            return False
        working.cancelled = True
        working.scope.cancel()
        return True
