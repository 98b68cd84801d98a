"""Reports to those who wait for a run how far it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consortium_mcp.core.reports.report import RunReport

    OnProgress = Callable[["Progress"], Awaitable[None]]

PROGRESS_INTERVAL_SECONDS = 4.0
"""Longest silence between two progress reports; clients measure it."""


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: float
    total: float | None
    """`None` if unknown."""
    message: str


class ProgressReporter:
    """Reports to one caller how far the run is, and that it still works while nothing happens.

    Args:
        on_progress: receives the reports; `None` if nobody waits.
    """

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._last = Progress(0, None, "")
        self._waiting_reports = 0

    async def report_progress(self, progress: Progress) -> None:
        """Report something that happened."""
        self._last, self._waiting_reports = progress, 0
        if self._on_progress is not None:
            await self._on_progress(progress)

    async def report_elsewhere(self, report: RunReport) -> None:
        """Report how far the run is in another process, by its newest report."""
        message = (
            f"the run is working in another process: {report.iterations} iterations judged, "
            f"{report.answered} of {report.asked} members answered"
        )
        if message == self._last.message:
            await self.report_waiting(message)
        else:
            await self.report_progress(Progress(math.floor(self._last.done) + 1, None, message))

    async def report_waiting(self, message: str) -> None:
        """Report that nothing happened, but the run still works.

        MCP requires each number to be greater than the one before. So every such report counts a
        larger fraction of the next step as done, but never all of it.
        """
        self._waiting_reports += 1
        fraction = 1 - 1 / (1 + self._waiting_reports)
        if self._on_progress is not None:
            progress = Progress(self._last.done + fraction, self._last.total, message)
            await self._on_progress(progress)
