"""The use cases, one method each. Every front end goes through here and gets the same report."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from consortium_mcp.adapters.journal.ratings import Ratings
from consortium_mcp.adapters.journal.store import now
from consortium_mcp.adapters.sqlite.patience import patience_of, shared_patience
from consortium_mcp.core.confidence import labels
from consortium_mcp.core.domain.errors import ConfigError, StoreUnavailable, UnknownRun
from consortium_mcp.core.domain.request import ConsortiumSettings, Consultation, checked_wait
from consortium_mcp.core.records.run_summary import RunPage, RunQuery, RunSummary
from consortium_mcp.core.reports.rating import Rating
from consortium_mcp.core.reports.reporting import report_of_plan
from consortium_mcp.core.reports.uris import LATEST, report_uri, resource_uri, run_named
from consortium_mcp.services.preparation import PreparedRun
from consortium_mcp.services.runs.admission import AdmitAll
from consortium_mcp.services.runs.dispatch import InThisProcess
from consortium_mcp.services.runs.earlier_runs import EarlierRuns
from consortium_mcp.services.runs.execution import RunExecution
from consortium_mcp.services.runs.progress import PROGRESS_INTERVAL_SECONDS, ProgressReporter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consortium_mcp.adapters.journal.history import History
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.adapters.models.registry import Registry
    from consortium_mcp.core.domain.principal import Principal, Visibility
    from consortium_mcp.core.domain.request import ConsultRequest
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.records.exchange import Exchange
    from consortium_mcp.core.records.run_record import IterationRecord, RunRecord
    from consortium_mcp.core.records.run_summary import Costs, CostsBy
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.core.spending.limits import Standing
    from consortium_mcp.services.consortiums import Consortiums
    from consortium_mcp.services.learning import Learning
    from consortium_mcp.services.preparation import RunPreparation
    from consortium_mcp.services.price_lists import PriceLists
    from consortium_mcp.services.resolution import RequestResolver, ResolvedConsortium
    from consortium_mcp.services.runs.admission import Admission, Allowance
    from consortium_mcp.services.runs.dispatch import Dispatch
    from consortium_mcp.services.runs.gate import CallGate
    from consortium_mcp.services.runs.handle import RunHandle
    from consortium_mcp.services.runs.nested import NestedRuns
    from consortium_mcp.services.runs.progress import OnProgress
    from consortium_mcp.services.runs.stage import Stage
    from consortium_mcp.services.runs.waits import Waits
    from consortium_mcp.services.team.audit import Note
    from consortium_mcp.services.team.meter import Meter
    from consortium_mcp.services.users.announcements import Announcements, Listener
    from consortium_mcp.services.users.own_runs import OwnRuns

logger = logging.getLogger(__name__)
CANCEL_SECONDS = 5.0
"""How long to wait for another process to react to a cancel."""


class Service:
    """Consult, look back, save, list. `assembly` puts one together.

    Args:
        registry: finds models.
        store: records runs.
        saved_in: the store of the saved consortiums; often the same.
        resolver: decides who is asked.
        consortiums: the saved consortiums.
        preparation: makes a run from a request.
        history: the recorded runs in bulk.
        supervisor: keeps runs going.
        nested_runs: answers for members that are consortiums themselves.
        ask: answers questions.
        price_lists: say what calls cost.
        for_principal: the service of somebody else, with the same parts.
        announcements: tell of what has changed.
        waits: those of all callers of the process.
        learning: learns from rated runs, where that is wanted.
        dispatch: where runs that begin or are resumed go on; by default in this process.
        admission: decides which runs may begin, by what their user has left.
        meter: counts the runs that have ended, for a team's server.
        note: notes what was done, for a team.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        store: Store,
        saved_in: Store,
        resolver: RequestResolver,
        consortiums: Consortiums,
        preparation: RunPreparation,
        history: History,
        supervisor: OwnRuns,
        nested_runs: NestedRuns,
        ask: CallGate,
        price_lists: PriceLists,
        learning: Learning,
        for_principal: Callable[[Principal], Service],
        announcements: Announcements,
        waits: Waits,
        dispatch: Dispatch | None = None,
        admission: Admission | None = None,
        meter: Meter | None = None,
        note: Note | None = None,
    ) -> None:
        self._meter = meter
        self._note = note
        self.registry = registry
        self.store = store
        self._saved_in = saved_in
        self.resolver = resolver
        self.consortiums = consortiums
        self._preparation = preparation
        self.history = history
        self._supervisor = supervisor
        self._dispatch = dispatch or InThisProcess(self._start, self.go_on)
        self._begins_in = self._dispatch.records_in(store)
        self._earlier_runs = EarlierRuns(self._begins_in, supervisor)
        self._nested_runs = nested_runs
        self._ask = ask
        self._price_lists = price_lists
        self._learning = learning
        self.for_principal = for_principal
        self._announcements = announcements
        self.waits = waits
        self._announce = announcements.of(store.access.principal)
        self._admission: Admission = admission or AdmitAll()

    @property
    def own_runs(self) -> OwnRuns:
        """Those that work in this process."""
        return self._supervisor

    def announce_to(self, listener: Listener) -> None:
        """From now on call `listener` with the URIs of what has changed, and whose that is."""
        self._announcements.listener = listener

    def begin_nothing_more(self, on_idle: Callable[[], None]) -> bool:
        """Begin no call any more; `on_idle` is called when the last one under way has ended.

        Returns:
            Whether any is under way.
        """
        return self._ask.close(on_idle)

    async def landed(self) -> None:
        """After `begin_nothing_more`: wait for what is under way."""
        await self._ask.landed()

    async def close(self) -> None:
        """Try once more to record what is not recorded yet; then close the databases."""
        with patience_of(0):
            await self._supervisor.write_rest()
        for handle in self._supervisor.unrecorded():
            logger.warning("run %s: %s", handle.report.run_id, handle.unrecorded)
        await self.store.close()
        if self._saved_in is not self.store:
            await self._saved_in.close()

    # Consulting

    async def consult(self, request: ConsultRequest) -> str:
        """`begin` for callers that only want the run's id."""
        return (await self.begin(request)).run_id

    async def begin(self, request: ConsultRequest) -> Consultation:
        """Begin a consultation, or find the run that answers it, as the request allows.

        Returns:
            The run; `wait` for its report.

        Raises:
            ConfigError: something cannot be done as asked; no model was called.
            UnknownRun: the run to continue does not exist; no model was called.
            BudgetError: the user's budget does not allow it; no model was called.
            StoreError: what was named cannot be read, or a newer version wrote the database, or
                nobody can tell what the user's budget allows; no model was called.
        """
        with shared_patience():  # the run's tasks begin in it, so it holds for all of the run
            prepared = await self._prepare(request)
            async with self._earlier_runs.turn_of(prepared.run):
                with anyio.CancelScope(shield=True):  # a run that is recorded begins, too
                    found = await self._find_or_begin(prepared, join=request.join)
        if self._note is not None:
            await self._note("consult", found.run_id, _noted(prepared.run, found))
        return found

    async def _find_or_begin(self, prepared: PreparedRun, *, join: bool) -> Consultation:
        run = prepared.run
        if self._admission.counts and (found := await self._earlier_runs.join(run, join=join)):
            return found
        allowance = await self._admission.admit(prepared)
        begun = False
        try:
            execution = await self._execution(prepared, now(), allowance, self._begins_in)
            found = await self._earlier_runs.find_or_record(execution, join=join)
            if found is not None:
                return found
            await self._dispatch.begin(execution)
            begun = True
        finally:
            if not begun:
                await self._admission.withdraw(run.run_id)
        return Consultation(run.run_id)

    async def _execution(
        self,
        prepared: PreparedRun,
        created_at: str,
        allowance: Allowance,
        store: Store,
        record: RunRecord | None = None,
    ) -> RunExecution:
        """What takes the run to its end, over its record if it was interrupted."""
        prices, run_id = prepared.prices, prepared.run.run_id
        if allowance.dollars is not None:
            prices = await self._price_lists.of(prepared.resolved)
        return RunExecution(
            prepared.run,
            created_at,
            self._ask.on_account_of(self.store.access.principal),
            store,
            () if record is None else record.exchanges,
            begun=() if record is None else record.begun_calls,
            tool_uses=() if record is None else record.tool_uses,
            wrap=self._nested_runs.ask_wrapper(prepared.resolved, _root_path(prepared.run)),
            price=prices.price,
            allowance=allowance,
            settle=partial(self._admission.settle, run_id) if self._admission.counts else None,
            outlives=self._dispatch.outlives,
        )

    async def find(self, request: ConsultRequest) -> Consultation | None:
        """The run that `begin` would find for this request; `None` where it would begin one.

        Raises:
            ConfigError: as `begin` does.
        """
        with shared_patience():
            prepared = await self._prepare(request)
            return await self._earlier_runs.find(prepared.run, join=request.join)

    async def dry_run(self, request: ConsultRequest) -> RunReport:
        """What `begin` would do and cost; no model is called, nothing is recorded.

        Raises:
            ConfigError: as `begin` does.
        """
        with shared_patience():
            prepared = await self._prepare(request)
        prices = await self._price_lists.of(prepared.resolved)
        plan, warnings = prepared.plan(prices.price)
        return report_of_plan(prepared.run, plan, warnings, now())

    async def _prepare(self, request: ConsultRequest) -> PreparedRun:
        if request.continue_run is not None:
            request = replace(request, continue_run=await self.find_run(request.continue_run))
        return await self._preparation.prepare(request)

    def _start(self, execution: RunExecution) -> None:
        self._supervisor.start(execution.run.run_id, execution.handle, execution.run_to_end)
        self._supervisor.when_ended(execution.handle, partial(self._ended, execution.handle))

    async def _ended(self, handle: RunHandle) -> None:
        report = handle.report
        if self._meter is not None and not handle.taken_over:
            self._meter.run_ended(report)
        await self._announce_end(report.run_id or "")

    async def _announce_end(self, run_id: str) -> None:
        await self._announce(resource_uri(run_id), report_uri(run_id))

    async def resume(self, run_id: str) -> bool:
        """Continue an interrupted run; what was answered before is not asked again.

        Returns:
            Whether the run goes on now. If not, nothing has changed: the run has ended, or it is
            working already, here or in another process.

        Raises:
            UnknownRun: no run has this id.
            ConfigError: a model of the run is unknown or not ready here, or the run is nested and
                goes on with its parent; nothing has changed.
            BudgetError: the user's budget does not allow it; nothing has changed.
        """
        if self._supervisor.get(run_id) is not None:
            return False
        with shared_patience():
            resumed = await self._resume(run_id)
        if resumed and self._note is not None:
            await self._note("resume", run_id)
        return resumed

    async def share(self, run_id: str, visibility: Visibility) -> None:
        """Let others read a run and its nested ones, or no longer.

        Raises:
            UnknownRun: no run has this id.
            NotYours: it is somebody else's.
        """
        await self.store.share(run_id, visibility)
        if self._note is not None:
            await self._note("share", run_id, {"visibility": visibility})

    async def _resume(self, run_id: str) -> bool:
        record = await self.store.record(run_id)
        if record.report.status != "interrupted":
            return False
        await self.store.check_changeable(run_id)
        if record.parent is not None:
            parent = record.parent.run_id
            raise ConfigError(f"Run {run_id} is part of run {parent}: resume that one.")
        resolved = await self.resolver.resolve_from(record.config, ConsortiumSettings())
        allowance = await self._admit_again(record.run(), resolved)
        resumed = False
        try:
            resumed = await self._dispatch.resume(self.store, run_id)
        finally:
            if not resumed and allowance.fresh:
                await self._admission.withdraw(run_id)
        return resumed

    async def _admit_again(self, run: Run, resolved: ResolvedConsortium) -> Allowance:
        """What a run that was at work before may use; what was set aside for it still holds."""
        return await self._admission.admit(PreparedRun(_anew(run), resolved), resumed=True)

    async def go_on(self, run_id: str) -> RunHandle:
        """Work on a recorded run that has just become this process's.

        Raises:
            ConfigError: a model of the run is unknown or not ready here.
            BudgetError: its user's budget no longer allows it.
            StoreError: it cannot be read.
        """
        record = await self.store.record(run_id)
        resolved = await self.resolver.resolve_from(record.config, ConsortiumSettings())
        allowance = await self._admit_again(record.run(), resolved)
        prices = await self._price_lists.for_run(resolved)
        prepared = PreparedRun(record.run(), resolved, prices)
        execution = await self._execution(
            prepared, record.report.created_at, allowance, self.store, record
        )
        self._start(execution)
        return execution.handle

    def cancel_here(self, run_id: str) -> None:
        """Cancel a run that began here at once, because its caller no longer wants it.

        It goes on for a caller of another process that has joined it.
        """
        handle = self._supervisor.get(run_id)
        if handle is None:
            self._supervisor.spawn(partial(self._dispatch.cancel, self.store, run_id))
        elif not handle.joined_elsewhere:
            self._supervisor.cancel(run_id)

    async def cancel(self, run_id: str) -> RunReport:
        """Cancel a run of this process or another; one that has ended stays as it is.

        Returns:
            Its report; still `working` if the other process has not reacted yet.

        Raises:
            UnknownRun: no run has this id.
        """
        if not self._supervisor.cancel(run_id):
            await self.store.cancel(run_id)
        if self._note is not None:
            await self._note("cancel", run_id)
        return await self.wait(run_id, CANCEL_SECONDS)

    async def wait(
        self, run_id: str, seconds: float, on_progress: OnProgress | None = None
    ) -> RunReport:
        """The run's report once it has ended, or its newest report when the time is over.

        Raises:
            ConfigError: the time is negative.
            UnknownRun: no run has this id.
        """
        checked_wait(seconds, 0)
        if handle := self._supervisor.get(run_id):
            began = anyio.current_time()
            with self.waits.lasting(seconds):
                await handle.wait(seconds, on_progress)
            report = handle.report
            if not handle.taken_over:
                return report
            seconds -= anyio.current_time() - began
        return await self._wait_for_another_process(run_id, seconds, ProgressReporter(on_progress))

    def stage(self, run_id: str) -> Stage | None:
        """Where a run stands, member by member; `None` if it does not work in this process.

        May be called from another thread.
        """
        handle = self._supervisor.get(run_id)
        return None if handle is None or handle.ended else handle.stage()

    async def _wait_for_another_process(
        self, run_id: str, seconds: float, reporter: ProgressReporter
    ) -> RunReport:
        async with self.store.file.watching(run_id) as until_changed:  # before it is read
            report = await self.store.report(run_id)
            with self.waits.lasting(seconds):
                reported_at = anyio.current_time()
                while report.status == "working":
                    with anyio.move_on_after(PROGRESS_INTERVAL_SECONDS):
                        await until_changed()
                    before, report = report, await self.store.report(run_id)
                    silence = anyio.current_time() - reported_at
                    if report != before or silence >= PROGRESS_INTERVAL_SECONDS:
                        reported_at = anyio.current_time()
                        await reporter.report_elsewhere(report)
        return report

    async def rate(
        self,
        run_id: str,
        *,
        correct: bool | None = None,
        answer: str | None = None,
        note: str | None = None,
        by: str | None,
    ) -> RunReport:
        """Keep what somebody says of a run's answer; earlier ratings stay on record.

        Args:
            run_id: a run that has ended with an answer.
            correct: whether its answer is right.
            answer: the right answer, in any spelling; one of the two is needed.
            note: anything worth keeping with it.
            by: who says it.

        Returns:
            The report, with all its ratings.

        Raises:
            ConfigError: the run has no answer, or the rating says nothing or contradicts itself.
            UnknownRun: no run has this id.
            StoreError: it cannot be recorded.
        """
        rating = Rating(correct=correct, answer=answer, note=note, by=by, at=now())
        labels.check(rating, await self.wait(run_id, 0))
        await Ratings(self.store).add(run_id, rating)
        await self._announce_end(run_id)
        report = await self.store.report(run_id)
        learned = await self._learning.learn_if_due()
        told = [] if learned is None else [f"Learned anew from {learned.labelled} labelled runs."]
        return report.model_copy(update={"warnings": [*report.warnings, *told]})

    # Looking back

    async def find_run(self, name: str) -> str:
        """The id of the run with this id or URI; `latest` is the newest one.

        Raises:
            UnknownRun: there is no run yet.
        """
        run_id = run_named(name)
        if run_id != LATEST:
            return run_id
        newest = (await self.list_runs(RunQuery(limit=1))).runs
        if not newest:
            raise UnknownRun("There is no run yet, so none is the latest.")
        return newest[0].run_id

    async def list_runs(self, query: RunQuery) -> RunPage:
        """A page of runs, newest first, each followed by its nested runs.

        The first page begins with the runs that the database could not record. The limit counts
        neither these nor nested runs.

        Raises:
            StoreError: the database cannot be read, and this process has no run to show either.
        """
        unrecorded = [
            RunSummary.of_report(handle.report)
            for handle in self._supervisor.unrecorded()
            if query.cursor is None and query.matches(handle.report)
        ]
        try:
            with shared_patience():
                runs, next_cursor = await self._recorded_runs(query)
        except StoreUnavailable as error:
            if not unrecorded:
                raise
            return RunPage(unrecorded, None, [f"Earlier runs cannot be listed now. {error}"])
        known = {summary.run_id for summary in unrecorded}
        runs = [*unrecorded, *(run for run in runs if run.run_id not in known)]
        return RunPage(runs, next_cursor, self.store.notes() if query.cursor is None else [])

    async def _recorded_runs(self, query: RunQuery) -> tuple[list[RunSummary], str | None]:
        runs, next_cursor = await self.history.page(query)
        nested = [each for run in runs for each in (run, *await self.history.nested(run.run_id))]
        return nested, next_cursor

    async def costs(self, by: CostsBy) -> Costs:
        """What the recorded calls have cost.

        Raises:
            StoreError: the database cannot be read.
        """
        return await self.history.costs(by)

    async def standings(self) -> Sequence[Standing]:
        """What this user has used of each of their limits, and what is left; empty without any.

        Raises:
            StoreError: the database cannot be used.
        """
        return await self._admission.standings()

    async def exchanges(self, run_id: str) -> Sequence[Exchange]:
        """Every call of a run that has ended."""
        if record := self._supervisor.unrecorded_run(run_id):
            return record.exchanges
        return await self.store.exchanges(run_id)

    async def records(self, run_id: str) -> list[RunRecord]:
        """A run with all that belongs to it, in any status, and then the runs nested in it.

        Raises:
            UnknownRun: no run has this id.
            StoreError: one of them cannot be read.
        """
        if found := self._supervisor.unrecorded_run(run_id):
            return [found]
        record = await self.store.record(run_id)
        if handle := self._supervisor.get(run_id):
            record = record.model_copy(update={"report": handle.report})
        return [record, *await self.history.nested_records(run_id)]

    async def iterations(self, run_id: str) -> Sequence[IterationRecord]:
        """A run's iterations so far; the last may have no verdict yet."""
        if record := self._supervisor.unrecorded_run(run_id):
            return record.iterations
        return await self.store.iterations(run_id)


def _noted(run: Run, found: Consultation) -> dict[str, Any]:
    """What of a consultation is noted: whom it asks, and whether an earlier one answers it."""
    models = sorted({member.model for member in run.members})
    told: dict[str, Any] = {"consortium": run.config.name, "models": models, "client": run.client}
    if found.run_id != run.run_id:
        told["found"] = "joined" if found.joined else "earlier"
    return told


def _anew(run: Run) -> Run:
    """The run as it was before its first call, to be planned."""
    return run.model_copy(update={"iterations": (), "unjudged": ()})


def _root_path(run: Run) -> tuple[str, ...]:
    """The path of a run that is not nested: the name of its consortium alone."""
    return (run.config.name or "this panel",)
