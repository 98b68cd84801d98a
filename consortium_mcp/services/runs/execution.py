"""One run of this process: it drives the engine, the journal and the report that others see."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.calls.retries import Retrier
from consortium_mcp.adapters.journal.begun_calls import BegunCalls
from consortium_mcp.adapters.journal.recorder import Recorder
from consortium_mcp.adapters.journal.tool_uses import ToolUses
from consortium_mcp.core.domain.errors import StoreNewer
from consortium_mcp.core.engine import consultation, events
from consortium_mcp.core.records.exchange import BegunCall, cut_off
from consortium_mcp.core.records.run_record import IterationRecord, RunRecord
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of, tools_used
from consortium_mcp.core.spending.budget import Budget
from consortium_mcp.core.spending.costs import no_price
from consortium_mcp.services.runs.admission import UNLIMITED, Allowance
from consortium_mcp.services.runs.handle import RunHandle
from consortium_mcp.services.runs.progress import Progress
from consortium_mcp.services.runs.stage import Stages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from consortium_mcp.adapters.journal.recorder import Write
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.core.domain.ask import Ask, CallPrice
    from consortium_mcp.core.domain.errors import StoreError
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.tool_use import ToolUse
    from consortium_mcp.core.records.exchange import Exchange
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.core.spending.limits import Used

    WrapAsk = Callable[["RunExecution", Ask], Ask]


class RunExecution:
    """Takes a run to its end, and keeps its report, its row and its watchers up to date.

    Args:
        run: the run, new or as it was interrupted.
        created_at: when it began, ISO 8601 in UTC.
        ask: makes one try of one call.
        store: records the run.
        recorded: the calls that ended before the run was interrupted.
        begun: the calls that had begun by then.
        tool_uses: the tools that members had used by then.
        wrap: wraps `ask`, to answer for members and arbiters that are consortiums themselves.
        parent: the run that this one is nested in.
        price: what a call costs, for a run with `max_cost`.
        allowance: what its user's budget leaves it; the journal keeps what was asked for.
        settle: is told what the run has used when it ends, before anybody else hears of that, and
            again once its last late answer is in. Whoever has it wants no call to begin in between.
        outlives: whether another process goes on with the run when this one ends.
    """

    def __init__(
        self,
        run: Run,
        created_at: str,
        ask: Ask,
        store: Store,
        recorded: Sequence[Exchange] = (),
        *,
        begun: Sequence[BegunCall] = (),
        tool_uses: Sequence[ToolUse] = (),
        wrap: WrapAsk | None = None,
        parent: RunHandle | None = None,
        price: CallPrice = no_price,
        allowance: Allowance = UNLIMITED,
        settle: Callable[[Used], Awaitable[None]] | None = None,
        outlives: bool = False,
    ) -> None:
        self._settle_with = settle
        self._settled: Used | None = None
        self._config = run.config
        limits = allowance.within(run.config)
        self._run = run if limits is run.config else run.model_copy(update={"config": limits})
        self._created_at = created_at
        self._outlives = outlives
        self._store = store
        self.budget = Budget(ask, limits.max_calls, limits.max_total_tokens, limits.max_cost, price)
        for exchange in recorded:
            self.budget.remember(exchange)
        self._cut_off = cut_off(begun, recorded)
        for call in self._cut_off:
            self.budget.remember_cut_off(call)
        # Above the budget, which a nested run's calls also pass, and which refuses some.
        self._begun = BegunCalls(self.budget, store, run.run_id, begun)
        retrier = Retrier(self._begun)
        answerer = retrier if wrap is None else wrap(self, retrier)
        self._recorder = self._begun.recorder = Recorder(answerer, store, run.run_id, recorded)
        self._tool_uses = ToolUses(self._recorder, store, run.run_id, tool_uses)
        self._recorder.tool_uses = self._tool_uses
        self._started = time.monotonic() - run.elapsed
        self._asked: tuple[str, ...] = ()
        """Labels of the members that were asked last."""
        self._stages = Stages()
        self._reviews = 0
        """Reviews that have come or failed."""
        self._seconds: float | None = None
        """How long the run took, once it has ended."""
        self._saving = self._unsaved = False
        self.handle = RunHandle(
            self._report,
            self._waiting_for,
            self._record_of_run,
            self._write_rest,
            parent,
            store.access.principal,
            run.fingerprint,
            stage=lambda: self._stages.of(self._run),
        )
        """What those who wait for the run look at."""
        self._begin = partial(store.begin_run, run, self.handle.report)
        self._recorder.remember("run", self._begin)
        for judged in map(IterationRecord.judged, run.iterations):
            self._recorder.remember("iteration", self._write_of(judged), str(judged.number))

    @property
    def run(self) -> Run:
        """The run in its current state, with its configuration as it was asked for."""
        if self._run.config is self._config:
            return self._run
        return self._run.model_copy(update={"config": self._config})

    @property
    def unwritten(self) -> StoreError | None:
        """Why the last thing to be recorded could not be; `None` where all is recorded."""
        return self._recorder.error

    async def begin(self) -> None:
        """Record the run, before any model is called.

        A database that cannot be used does not stop the run: it goes on in memory, and its report
        says so.

        Raises:
            StoreNewer: a newer version wrote the database, so its user wants that one.
        """
        await self._recorder.record("run", self._begin)
        if isinstance(self._recorder.error, StoreNewer):
            raise self._recorder.error
        self.handle.outdate()
        self.handle.unrecorded = self._recorder.problem

    async def run_to_end(self, handle: RunHandle) -> None:
        """Consult. If the run is cancelled or its process ends, mark it so."""
        self.handle.outdate()
        try:
            async with anyio.create_task_group() as late_calls:
                self._run = await consultation.consult(
                    self._run, self._recorder, self._on_event, late_calls
                )
                self._seconds = self._elapsed()
                await self._save()
                await self._settle()
                handle.end()  # waiting callers get the report; late answers may still come
        except anyio.get_cancelled_exc_class():
            handle.left = self._outlives and self._run.status == "working" and not handle.cancelled
            raise
        finally:
            if self._run.status == "working" and not handle.left:
                self._mark_as_ended()
            await self._save()  # again: late answers have cost something too
            await self._settle()

    async def _settle(self) -> None:
        """Tell what the run has used, if that is news."""
        if self._settle_with is None or self.handle.taken_over or self.handle.left:
            return
        self.budget.close()
        if (used := self.budget.used) != self._settled:
            self._settled = used
            await self._settle_with(used)

    def _mark_as_ended(self) -> None:
        self._seconds = self._elapsed()
        cancelled = self.handle.cancelled
        self._run = self._run.model_copy(
            update={
                "status": "cancelled" if cancelled else "interrupted",
                "stop_reason": "cancelled" if cancelled else None,
            }
        )
        self._cut_off = cut_off(self._begun.all, self._recorder.exchanges)

    async def _on_event(self, event: events.Event) -> None:
        self._stages.note(event)
        if isinstance(event, events.Asked):
            self._asked = event.labels
            return
        if isinstance(event, events.HearingEnded):
            await self._record(IterationRecord.heard(event.iteration, event.responses))
            return
        if isinstance(event, events.Judged):
            self._run = event.run
            await self._record(IterationRecord.judged(event.run.iterations[-1]))
        elif isinstance(event, events.Reviewed):
            self._reviews += 1
        else:
            heard = (*self._run.unjudged, event.response)
            self._run = self._run.model_copy(update={"unjudged": heard})
        self.handle.outdate()
        done = len(self.handle.progress) + 1
        total = self._run.config.max_iterations * (len(self._run.members) + 1) + self._reviews
        self.handle.publish(Progress(done, total, _progress_message(event, self._run)))
        await self._save_newest()

    async def _record(self, iteration: IterationRecord) -> None:
        await self._recorder.record("iteration", self._write_of(iteration), str(iteration.number))

    def _write_of(self, iteration: IterationRecord) -> Write:
        return partial(self._store.save_iteration, self._run.run_id, iteration)

    def _record_of_run(self) -> RunRecord:
        exchanges = self._recorder.exchanges
        uses = self._tool_uses.all
        return RunRecord.of(self.run, self.handle.report, exchanges, self._begun.all, uses)

    async def _write_rest(self) -> bool:
        """Write what could not be written before, and then a report that does not complain."""
        if self._recorder.is_behind:
            await self._recorder.write_rest()
            await self._save()
        return not self._recorder.is_behind

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._started, 3)

    def _usage(self) -> Usage:
        return Usage(
            calls=self.budget.calls,
            **self.budget.spent.model_dump(),
            seconds=self._elapsed() if self._seconds is None else self._seconds,
        )

    def _report(self) -> RunReport:
        report = report_of(self._run, self._usage(), self._created_at)
        report.tools = tools_used(self._tool_uses.all)
        if self._cut_off:
            report.warnings.append(_lost_calls(self._cut_off))
        if self._recorder.problem:
            report.warnings.append(self._recorder.problem)
        report.warnings += self._store.notes(recent=True)
        return report

    def _waiting_for(self) -> str:
        return _waiting_for(self._run, self._asked)

    async def _save(self) -> None:
        """Save the report; again if saving changed it, since what failed before is written now."""
        while True:
            self.handle.outdate()
            saved = self.handle.report
            await self._recorder.record("report", partial(self._store.save_report, saved))
            self.handle.outdate()
            self.handle.unrecorded = self._recorder.problem
            if self.handle.unrecorded or self.handle.report.warnings == saved.warnings:
                return

    async def _save_newest(self) -> None:
        """As `_save`, but events that come together share one write."""
        self._unsaved = True
        if self._saving:
            return
        self._saving = True
        try:
            while self._unsaved:
                self._unsaved = False
                await self._save()
        finally:
            self._saving = False


def _lost_calls(calls: Sequence[BegunCall]) -> str:
    tries = sum(call.tries for call in calls)
    who = ", ".join(f"{call.label} ({call.model}) {call.tries} times" for call in calls)
    calls_were = "1 call was" if tries == 1 else f"{tries} calls were"
    return (
        f"{calls_were} cut off when the server's process ended. They count, since they are paid "
        f"for: {who.replace(' 1 times', ' once')}."
    )


def _progress_message(event: events.Heard | events.Reviewed | events.Judged, run: Run) -> str:
    of = f"of {run.config.max_iterations}"
    if isinstance(event, events.Judged):
        last = run.iterations[-1]
        return f"iteration {last.number} {of}: verdict, confidence {last.verdict.confidence:.2f}"
    if isinstance(event, events.Reviewed):
        return f"iteration {event.iteration} {of}: {event.ended} of {event.asked} reviews"
    failed = f", {event.failed} failed" if event.failed else ""
    return (
        f"iteration {event.iteration} {of}: "
        f"{event.answered} of {event.asked} members answered{failed}"
    )


def _waiting_for(run: Run, asked: Collection[str]) -> str:
    unanswered = set(asked) - {response.label for response in run.unjudged}
    waiting = [f"{m.label} ({m.model})" for m in run.members if m.label in unanswered]
    names = ", ".join(waiting[:3]) + (f" and {len(waiting) - 3} more" if waiting[3:] else "")
    return f"iteration {len(run.iterations) + 1}: waiting for {names or 'the verdict'}"
