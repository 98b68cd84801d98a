"""A run in progress, as those who wait for it see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.services.runs.progress import TELL_SECONDS, Progress, ProgressReporter

if TYPE_CHECKING:
    from consortium_mcp.core.domain.report import RunReport
    from consortium_mcp.services.runs.progress import OnProgress


@dataclass
class RunHandle:
    """A run in progress, as those who wait for it see it."""

    report: RunReport
    """The newest; its status is `working` until the run has ended."""
    waiting_for: str = ""
    """Who has not answered yet, in words."""
    parent: RunHandle | None = None
    """The run that this one answers a call of."""
    cancel_requested: bool = False
    """Somebody asked for the end of this very run."""
    taken_over: bool = False
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
        return self.cancel_requested or (self.parent is not None and self.parent.cancelled)

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

    async def wait(self, seconds: float, on_progress: OnProgress | None = None) -> RunReport:
        """The newest report: when the run has ended, or when the time is over.

        Raises:
            ConsortiumError: the run could not go on; its journal holds what was answered.
        """
        teller = ProgressReporter(on_progress)
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
