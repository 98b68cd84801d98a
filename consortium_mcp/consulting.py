"""One run of this process on its way: the engine, the journal, and the report that others see."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.journal import Journal
from consortium_mcp.adapters.retries import Retrying
from consortium_mcp.background import Progress
from consortium_mcp.core import engine
from consortium_mcp.core.budget import Budget
from consortium_mcp.core.report import Usage, report_of

if TYPE_CHECKING:
    from consortium_mcp.adapters.store import Store
    from consortium_mcp.background import Working
    from consortium_mcp.core.ask import Ask
    from consortium_mcp.core.models import Run


class Consulting:
    """Takes a recorded run to its end and keeps its report, its row and its watchers up to date.

    Args:
        run: the run, recorded and with nothing asked yet.
        created_at: when it began, ISO 8601 in UTC.
        working: what those who wait for it look at.
        ask: one try of one call.
        store: where it is recorded.
    """

    def __init__(self, run: Run, created_at: str, working: Working, ask: Ask, store: Store) -> None:
        self._run = run
        self._created_at = created_at
        self._working = working
        self._store = store
        self._budget = Budget(ask, run.config.max_calls, run.config.max_tokens)
        self._journal = Journal(Retrying(self._budget), store, run.run_id)
        self._started = time.monotonic()
        self._seconds: float | None = None
        """How long the run took, once it has ended."""
        self._saving = self._stale = False

    async def to_the_end(self) -> None:
        """Consult; a run that is cancelled or whose process ends is marked as that."""
        try:
            async with anyio.create_task_group() as late:
                self._run = await engine.consult(self._run, self._journal, self._on_event, late)
                self._seconds = self._elapsed()
                await self._save(last=True)
                self._working.end()  # who waits has the report; late answers may still land
        finally:
            if self._run.status == "working":
                self._mark_as_ended()
            await self._save(last=True)  # once more: late answers have cost something too

    def _mark_as_ended(self) -> None:
        cancelled = self._working.cancelled
        self._run = self._run.model_copy(
            update={
                "status": "cancelled" if cancelled else "interrupted",
                "stop_reason": "cancelled" if cancelled else None,
            }
        )

    async def _on_event(self, event: engine.Event) -> None:
        if isinstance(event, engine.Judged):
            self._run = event.run
            last = event.run.iterations[-1]
            save = partial(self._store.save_verdict, event.run.run_id, last.number, last.verdict)
            await self._journal.record(save)
        else:
            heard = (*self._run.unjudged, event.response)
            self._run = self._run.model_copy(update={"unjudged": heard})
        self._show()
        done = len(self._working.progress) + 1
        total = self._run.config.max_iterations * (len(self._run.members) + 1)
        self._working.publish(Progress(done, total, _words(event, self._run)))
        await self._save_newest()

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._started, 3)

    def _show(self) -> None:
        usage = Usage(
            calls=self._budget.calls,
            input_tokens=self._budget.input_tokens,
            output_tokens=self._budget.output_tokens,
            seconds=self._elapsed() if self._seconds is None else self._seconds,
        )
        report = report_of(self._run, usage, self._created_at)
        if self._journal.trouble:
            report.warnings.append(self._journal.trouble)
        self._working.report = report

    async def _save(self, *, last: bool = False) -> None:
        self._show()
        save = partial(self._store.save_report, self._working.report)
        await self._journal.record(save, last=last)
        self._show()  # once more, with what the journal has to say

    async def _save_newest(self) -> None:
        """As `_save`, but what lands together is one write."""
        self._stale = True
        if self._saving:
            return
        self._saving = True
        try:
            while self._stale:
                self._stale = False
                await self._save()
        finally:
            self._saving = False


def _words(event: engine.Event, run: Run) -> str:
    of = f"of {run.config.max_iterations}"
    if isinstance(event, engine.Judged):
        last = run.iterations[-1]
        return f"iteration {last.number} {of}: verdict, confidence {last.verdict.confidence:.2f}"
    failed = f", {event.failed} failed" if event.failed else ""
    return (
        f"iteration {event.iteration} {of}: "
        f"{event.answered} of {event.asked} members answered{failed}"
    )
