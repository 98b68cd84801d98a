"""Consortiums of consortiums: what is asked of a saved consortium becomes a run of its own.

A nested run has its own row, journal and report. Its calls pass through its parent's budget, it
ends when the parent is cancelled, and must be done within the time that the call has. A parent that
is resumed finds its nested runs again by the calls that they answer.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from ulid import ULID

from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.domain.ask import Reply
from consortium_mcp.core.domain.errors import ConfigError, MemberError, StoreError
from consortium_mcp.core.domain.exchange import name_of
from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.core.domain.run import Parent, Run
from consortium_mcp.core.engine import nested_consortium
from consortium_mcp.core.panel import labels
from consortium_mcp.services.execution import RunExecution
from consortium_mcp.services.resolution import checked_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.adapters.journal.consortiums import SavedConsortiums
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.record import RunRecord
    from consortium_mcp.core.domain.report import RunReport
    from consortium_mcp.services.execution import WrapAsk
    from consortium_mcp.services.resolution import RequestResolver, ResolvedConsortium
    from consortium_mcp.services.supervisor import RunSupervisor


class NestedRuns:
    """Begins nested runs, and finds those again that a dead process began.

    Args:
        planner: checks them, for a consortium may have been edited since its parent was planned.
        saved: where consortiums are.
        store: where runs are recorded.
        background: where they live.
        new_seed: see `Service`.
    """

    def __init__(
        self,
        planner: RequestResolver,
        saved: SavedConsortiums,
        store: Store,
        background: RunSupervisor,
        new_seed: Callable[[], str],
    ) -> None:
        self._planner = planner
        self._saved = saved
        self._store = store
        self._background = background
        self._new_seed = new_seed

    def within(self, planned: ResolvedConsortium, path: tuple[str, ...]) -> WrapAsk:
        """What stands around the `ask` of a run of this plan.

        Args:
            planned: the run's plan.
            path: the consortiums that the run is asked within, its own the last.
        """

        def nest(outer: RunExecution, ask: Ask) -> Ask:
            async def answer(question: Question, /) -> Reply:
                if question.model in planned.nested:
                    return await self._consult(outer, path, question)
                return await ask(question)

            return answer

        return nest

    async def _consult(
        self, outer: RunExecution, path: tuple[str, ...], question: Question
    ) -> Reply:
        """The consortium's answer.

        Raises:
            MemberError: it came to none.
        """
        began = time.monotonic()
        try:
            inner = await self._begun(outer, checked_path(*path, question.model), question)
        except (ConfigError, StoreError) as error:
            raise MemberError(str(error), kind="consortium", permanent=True) from error
        if isinstance(inner, RunExecution):
            run_id = inner.run.run_id
            self._background.start(run_id, inner.working, inner.to_the_end)
            try:
                report = await inner.working.wait(math.inf)
            finally:
                inner.working.scope.cancel()  # nothing happens where it has ended
            run = inner.run
        else:
            report, run = inner.report, inner.run()
        return _reply(run, report, question, time.monotonic() - began)

    async def _begun(
        self, outer: RunExecution, path: tuple[str, ...], question: Question
    ) -> RunExecution | RunRecord:
        """The run that answers this question: a new one, or what there is of it already."""
        saved = await self._saved.find(question.model)
        planned = await self._planner.from_models(ConsultRequest(), saved, path=path)
        parent = Parent(run_id=outer.run.run_id, call=name_of(question))
        run_id = await self._store.nested_run(parent)
        if run_id is not None and (record := await self._gone_on(run_id, parent)):
            if record.report.status != "working":
                for exchange in record.exchanges:
                    outer.budget.remember(exchange)
                return record
            run, created_at, recorded = record.run(), record.report.created_at, record.exchanges
        else:
            config = nested_consortium.config_for_nested(question, planned.config)
            seed = self._new_seed()
            run = Run(
                run_id=str(ULID()),
                prompt=question.prompt,
                config=config,
                members=labels.members_of_run(config, seed),
                seed=seed,
                parent=parent,
                calibration=outer.run.calibration,
                warnings=planned.warnings,
            )
            created_at, recorded = now(), ()
        nest = self.within(planned, path)
        inner = RunExecution(
            run, created_at, outer.budget, self._store, recorded, wrap=nest, parent=outer.working
        )
        if not recorded:
            await inner.begin()
        return inner

    async def _gone_on(self, run_id: str, parent: Parent) -> RunRecord | None:
        """A run of a dead process, now ours or ended; `None` where it must be asked anew."""
        await self._store.claim_nested(run_id, parent.run_id)
        record = await self._store.record(run_id)
        return None if record.report.status == "cancelled" else record


def _reply(run: Run, report: RunReport, question: Question, seconds: float) -> Reply:
    usage = report.usage
    best = run.best
    if best is None:
        raise MemberError(
            f"{question.model} came to no answer: {report.error or report.status} "
            f"(run {run.run_id})",
            kind="consortium",
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            tries=usage.calls,
        )
    note = f"{question.model} (run {run.run_id}) is {report.status}: {'; '.join(report.warnings)}"
    return Reply(
        text=nested_consortium.reply_text(best, question.role),
        seconds=seconds,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        tries=usage.calls,
        warnings=() if report.status == "completed" else (note,),
        nested_run_id=run.run_id,
    )
