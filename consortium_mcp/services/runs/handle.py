"""The handle of a run in progress, for those who wait for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.principal import LOCAL, Principal
from consortium_mcp.services.runs.progress import (
    PROGRESS_INTERVAL_SECONDS,
    Progress,
    ProgressReporter,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consortium_mcp.core.records.run_record import RunRecord
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.runs.progress import OnProgress
    from consortium_mcp.services.runs.stage import Stage


@dataclass
class RunHandle:
    """A run in progress, as those who wait for it see it.

    The report is made when somebody looks, not at each answer: it covers all members, so that it
    would cost the square of their number.
    """

    make_report: Callable[[], RunReport]
    waiting_for: Callable[[], str]
    """Says who has not answered yet."""
    record: Callable[[], RunRecord]
    """Makes the record of the run, as this process knows it."""
    write_rest: Callable[[], Awaitable[bool]]
    """Writes what could not be recorded before; false if the database still cannot be used."""
    parent: RunHandle | None = None
    """The run whose call this one answers."""
    principal: Principal = LOCAL
    """Whose run it is."""
    fingerprint: str | None = None
    """What the run asks; see `Run`."""
    stage: Callable[[], Stage | None] = lambda: None
    """Says where the run stands, member by member; `None` where nobody follows it."""
    joined_elsewhere: bool = False
    """A caller of another process waits for it too."""
    cancel_requested: bool = False
    """Somebody asked to cancel this very run."""
    taken_over: bool = False
    """Another process has taken the run over; the result will be in the database."""
    left: bool = False
    """The process ends, and the run is left to another one."""
    unrecorded: str | None = None
    """Why the database does not hold all of the run; `None` where it does."""
    error: Exception | None = None
    ended: bool = False
    progress: list[Progress] = field(default_factory=list)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _report: RunReport | None = None

    @property
    def report(self) -> RunReport:
        """The newest report; its status is `working` until the run has ended."""
        if self._report is None:
            self._report = self.make_report()
        return self._report

    def outdate(self) -> None:
        """Have the report made anew when somebody looks: the run has changed."""
        self._report = None

    @property
    def cancelled(self) -> bool:
        """Somebody asked to cancel the run or its parent; false if only the process is ending."""
        return self.cancel_requested or (self.parent is not None and self.parent.cancelled)

    def publish(self, progress: Progress) -> None:
        """Tell everyone who waits how far the run is."""
        self.progress.append(progress)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def end(self) -> None:
        """Mark the run as ended, and wake everyone who waits."""
        self.ended = True
        self._wake()

    async def until_ended(self) -> None:
        """Wait until the run has ended, however it ends."""
        while not self.ended:
            await self._changed.wait()

    async def wait(self, seconds: float, on_progress: OnProgress | None = None) -> RunReport:
        """Wait until the run has ended or the time is over; return the newest report.

        Raises:
            ConsortiumError: the run could not go on; its journal holds the answers so far.
        """
        reporter = ProgressReporter(on_progress)
        reported = 0
        with anyio.move_on_after(seconds):
            while True:
                changed = self._changed
                while reported < len(self.progress):
                    await reporter.report_progress(self.progress[reported])
                    reported += 1
                if self.ended:
                    break
                with anyio.move_on_after(PROGRESS_INTERVAL_SECONDS) as silence:
                    await changed.wait()
                if silence.cancelled_caught:
                    await reporter.report_waiting(self.waiting_for())
        if self.error is not None:
            raise self.error
        return self.report
