"""The use cases, one method each. Every front end goes through here and gets the same report."""

from __future__ import annotations

import re
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from ulid import ULID

from consortium_mcp.adapters.journal.calibrations import Calibrations
from consortium_mcp.adapters.journal.consortiums import SavedConsortiums
from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.store import Store, now
from consortium_mcp.adapters.models.calls import ModelCaller
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.core.domain.errors import ConfigError, StoreBusy, StoreUnwritable
from consortium_mcp.core.domain.report import RunReport, report_of_plan, report_uri, resource_uri
from consortium_mcp.core.domain.request import ConsultRequest, checked_wait
from consortium_mcp.core.domain.run import Run, Turn
from consortium_mcp.core.domain.run_summary import RunSummary
from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.engine.estimate import estimate
from consortium_mcp.core.panel import labels
from consortium_mcp.services.consortiums import Consortiums, to_nobody
from consortium_mcp.services.execution import RunExecution
from consortium_mcp.services.nested_runs import NestedRuns
from consortium_mcp.services.progress import TELL_SECONDS, ProgressReporter
from consortium_mcp.services.resolution import RequestResolver
from consortium_mcp.services.supervisor import RunSupervisor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from anyio.abc import TaskGroup

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.exchange import Exchange
    from consortium_mcp.core.domain.record import RunRecord
    from consortium_mcp.core.domain.report import Plan
    from consortium_mcp.services.consortiums import Announce
    from consortium_mcp.services.progress import Progress
    from consortium_mcp.services.resolution import ResolvedConsortium
    from consortium_mcp.services.run_handle import RunHandle

MAX_LIST = 100
POLL_SECONDS = 0.5
"""How often the run of another process is looked at."""
CANCEL_SECONDS = 5.0
"""How long another process is given to react to a cancel."""


class Service:
    """Consult, look back, save, list.

    Args:
        settings: where things are.
        group: where runs live; it ends with the process.
        registry: where models are found.
        store: where everything is recorded.
        kept: where the saved consortiums, the calibration and the runs to go on from are, if they
            are not in the store.
        ask: who answers questions; real calls where none is given.
        new_seed: makes the random text that a run's labels and quoting marks come from.
    """

    def __init__(
        self,
        settings: Settings,
        group: TaskGroup,
        *,
        registry: Registry | None = None,
        store: Store | None = None,
        kept: Store | None = None,
        ask: Ask | None = None,
        new_seed: Callable[[], str] = secrets.token_hex,
    ) -> None:
        self.settings = settings
        self.registry = registry or Registry()
        self.store = store or Store(settings.database)
        self._ask = ask or ModelCaller(self.registry, settings.limits)
        self._kept = kept or self.store
        saved = SavedConsortiums(self._kept)
        self.planner = RequestResolver(self.registry, saved)
        self.consortiums = Consortiums(saved, self.planner, self.registry)
        self.history = History(self.store)
        self.calibrations = Calibrations(self._kept)
        self._group = group
        self._new_seed = new_seed
        self._background = RunSupervisor(group, self.store.beat)
        self._nesting = NestedRuns(self.planner, saved, self.store, self._background, new_seed)
        self._announce: Announce = to_nobody

    def announce_to(self, announce: Announce) -> None:
        """From now on tell this the URIs of what has changed."""
        self._announce = self.consortiums.announce = announce

    async def close(self) -> None:
        """Let go of the databases."""
        await self.store.close()
        if self._kept is not self.store:
            await self._kept.close()

    # Consulting

    async def consult(
        self,
        prompt: str,
        consortium: str | None,
        wanted: ConsultRequest,
        *,
        continue_run: str | None = None,
        history: Sequence[Turn] = (),
    ) -> str:
        """Begin a consultation.

        Args:
            prompt: the question.
            consortium: a saved consortium to start from.
            wanted: what should differ from it, or the whole configuration.
            continue_run: the id of an ended run to go on from: its conversation, and its panel
                where no other is named.
            history: what was said before, where it is in no run.

        Returns:
            The run's id; `wait` for its report.

        Raises:
            ConfigError: something cannot be done as asked; no model was called.
            UnknownRun: there is no run to go on from; no model was called.
            StoreError: the run cannot be recorded; no model was called.
        """
        run, planned = await self._new_run(prompt, consortium, wanted, continue_run, history)
        nest = self._nesting.within(planned, _path(run))
        consulting = RunExecution(run, now(), self._ask, self.store, wrap=nest)
        await consulting.begin()
        self._start(run.run_id, consulting)
        return run.run_id

    def _start(self, run_id: str, consulting: RunExecution) -> None:
        self._background.start(run_id, consulting.working, consulting.to_the_end)
        self._group.start_soon(self._announce_end, run_id, consulting.working)

    async def _announce_end(self, run_id: str, working: RunHandle) -> None:
        await working.until_ended()
        await self._announce(resource_uri(run_id), report_uri(run_id))

    async def resume(self, run_id: str) -> bool:
        """Go on with an interrupted run; what was answered before is not asked again.

        Returns:
            Whether it goes on here and now. Otherwise nothing has changed: the run has ended, or
            it works already, here or in another process.

        Raises:
            UnknownRun: no run has this id.
            ConfigError: a model of the run is not known or not ready here, or the run is nested
                and goes on with its parent; nothing has changed.
        """
        here = self._background.get(run_id)
        record = None if here else await self.store.record(run_id)
        if record is None or record.report.status != "interrupted":
            return False
        if record.parent is not None:
            parent = record.parent.run_id
            raise ConfigError(f"Run {run_id} is part of run {parent}: resume that one.")
        planned = await self.planner.from_models(ConsultRequest(), record.config)
        if not await self.store.claim(run_id):
            return False
        record = await self.store.record(run_id)
        run, created_at = record.run(), record.report.created_at
        nest = self._nesting.within(planned, _path(run))
        consulting = RunExecution(
            run, created_at, self._ask, self.store, record.exchanges, wrap=nest
        )
        self._start(run_id, consulting)
        return True

    def cancel_here(self, run_id: str) -> None:
        """End a run of this process at once: its caller no longer wants it."""
        self._background.cancel(run_id)

    async def cancel(self, run_id: str) -> RunReport:
        """End a run, of this process or another; one that has ended stays as it is.

        Returns:
            Its report, which is still `working` where the other process has not reacted yet.

        Raises:
            UnknownRun: no run has this id.
        """
        if not self._background.cancel(run_id):
            await self.store.cancel(run_id)
        return await self.wait(run_id, CANCEL_SECONDS)

    async def dry_run(
        self,
        prompt: str,
        consortium: str | None,
        wanted: ConsultRequest,
        *,
        continue_run: str | None = None,
        history: Sequence[Turn] = (),
    ) -> RunReport:
        """What `consult` would do and cost; nothing is called or recorded.

        Raises:
            ConfigError: as `consult` does.
        """
        run, planned = await self._new_run(prompt, consortium, wanted, continue_run, history)
        plan, warnings = _plan(run, planned)
        return report_of_plan(run, plan, warnings, now())

    async def _new_run(
        self,
        prompt: str,
        consortium: str | None,
        wanted: ConsultRequest,
        continue_run: str | None,
        history: Sequence[Turn],
    ) -> tuple[Run, ResolvedConsortium]:
        if not isinstance(prompt, str):
            raise ConfigError(f"The prompt is {prompt!r}; it must be a text.")
        prompt = clean(prompt)
        if not any(char.isprintable() and not char.isspace() for char in prompt):
            raise ConfigError(
                "The prompt is empty: write the question that the panel shall answer."
            )
        if continue_run is not None and history:
            raise ConfigError(
                "Both continue_run and history were given: a run that is gone on from has its "
                "own history. Give one of them."
            )
        before = None if continue_run is None else await self._to_go_on_from(continue_run)
        if before is not None:
            synthesis = before.report.synthesis or ""
            history = (*before.history, Turn(prompt=before.report.prompt, synthesis=synthesis))
        if before is None or consortium is not None or wanted.models is not None:
            planned = await self.planner.plan(consortium, wanted)
        else:
            planned = await self.planner.from_models(wanted, before.config)
        seed = self._new_seed()
        calibration = None
        warnings: tuple[str, ...] = ()
        try:
            calibration = await self.calibrations.current()
        except (StoreUnwritable, StoreBusy) as error:  # a full disk is no reason not to answer
            warnings = (f"Whether the confidence is calibrated could not be read: {error}",)
        run = Run(
            run_id=str(ULID()),
            prompt=prompt,
            config=planned.config,
            members=labels.members_of_run(planned.config, seed),
            seed=seed,
            history=tuple(history),
            continues=continue_run,
            calibration=calibration,
            warnings=(*planned.warnings, *warnings),
        )
        return run, planned

    async def _to_go_on_from(self, run_id: str) -> RunRecord:
        record = await self._kept.record(run_id)
        if record.report.synthesis is None or record.report.status not in {"completed", "degraded"}:
            raise ConfigError(
                f"Run {run_id} is {record.report.status}: only a run with an answer can be "
                "continued. Wait for one that works, resume one that was interrupted."
            )
        return record

    async def wait(
        self,
        run_id: str,
        seconds: float,
        on_progress: Callable[[Progress], Awaitable[None]] | None = None,
    ) -> RunReport:
        """The run's report once it has ended, or as it stands when the time is over.

        Raises:
            ConfigError: the time is no time.
            UnknownRun: no run has this id.
        """
        checked_wait(seconds, 0)
        if working := self._background.get(run_id):
            began = anyio.current_time()
            report = await working.wait(seconds, on_progress)
            if not working.taken:
                return report
            seconds -= anyio.current_time() - began
        return await self._wait_for_another_process(run_id, seconds, ProgressReporter(on_progress))

    async def _wait_for_another_process(
        self, run_id: str, seconds: float, teller: ProgressReporter
    ) -> RunReport:
        report = await self.store.report(run_id)
        told = anyio.current_time()
        with anyio.move_on_after(seconds):
            while report.status == "working":
                await anyio.sleep(POLL_SECONDS)
                report = await self.store.report(run_id)
                if anyio.current_time() - told >= TELL_SECONDS:
                    told = anyio.current_time()
                    await teller.still("the run works in another process")
        return report

    # Looking back

    async def list_runs(
        self,
        limit: int,
        cursor: str | None,
        query: str | None,
        status: str | None,
        consortium: str | None,
    ) -> tuple[list[RunSummary], str | None]:
        """Runs, newest first, each followed by those nested in it, and the next page's cursor.

        The limit counts neither the nested ones nor, on top of the first page, those that the
        database could not take.

        Raises:
            ConfigError: the limit or the cursor is none.
        """
        if not 1 <= limit <= MAX_LIST:
            raise ConfigError(f"limit is {limit}; it must be between 1 and {MAX_LIST}.")
        if cursor is not None and not re.fullmatch(r"[0-9]{1,18}", cursor):
            raise ConfigError(
                f"{cursor!r} is no cursor: pass the next_cursor of the page before, or none."
            )
        runs, key = await self.history.page(
            limit=limit,
            before=int(cursor) if cursor else None,
            query=query,
            status=status,
            consortium=consortium,
        )
        next_cursor = None if key is None else str(key)
        runs = [each for run in runs for each in (run, *await self.history.nested(run.run_id))]
        if cursor is not None:
            return runs, next_cursor
        only_here = [
            RunSummary.of_report(report)
            for report in self._background.unrecorded()
            if status in {None, report.status}
            and consortium in {None, report.consortium}
            and all(word in report.prompt.casefold() for word in (query or "").casefold().split())
        ]
        here = {summary.run_id for summary in only_here}
        return [*only_here, *(run for run in runs if run.run_id not in here)], next_cursor

    async def exchanges(self, run_id: str) -> list[Exchange]:
        """Every recorded call of a run."""
        return await self.store.exchanges(run_id)


def _plan(run: Run, planned: ResolvedConsortium) -> tuple[Plan, tuple[str, ...]]:
    nested = {}
    for name, inner in planned.nested.items():
        members = labels.members_of_run(inner.config, run.seed)
        within = run.model_copy(update={"config": inner.config, "members": members})
        nested[name] = _plan(within, inner)[0].most_calls
    return estimate(run, nested)


def _path(run: Run) -> tuple[str, ...]:
    return (run.config.name or "this panel",)


@asynccontextmanager
async def open_service(settings: Settings, **parts: Any) -> AsyncIterator[Service]:  # noqa: ANN401 (Service's own keywords)
    """A service for as long as the context lasts; runs still working then are interrupted."""
    raised: Exception | None = None
    async with anyio.create_task_group() as group:
        service = Service(settings, group, **parts)
        try:
            yield service
        except Exception as error:  # noqa: BLE001 (raised below: not in a group, but as it is)
            raised = error
        finally:
            group.cancel_scope.cancel()
    await service.close()
    if raised is not None:
        raise raised
