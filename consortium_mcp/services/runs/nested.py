"""Consortiums of consortiums: a question to a saved consortium becomes a run of its own.

A nested run has its own row, journal and report. Its calls count against its parent's budget. It
ends when the parent is cancelled, and must end within the timeout of the call that it answers. A
resumed parent finds its nested runs again by the calls that they answer.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from ulid import ULID

from consortium_mcp.adapters.calls.listening import listening
from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.domain.ask import Reply
from consortium_mcp.core.domain.errors import ConfigError, MemberError, StoreError
from consortium_mcp.core.domain.request import ConsortiumSettings
from consortium_mcp.core.domain.run import Parent, Run, with_learned
from consortium_mcp.core.domain.values import Spending
from consortium_mcp.core.engine.nested_consortium import checked_path, config_for_nested, reply_text
from consortium_mcp.core.panel.labels import members_of_run
from consortium_mcp.core.panel.template import with_template
from consortium_mcp.core.records.exchange import cut_off, name_of
from consortium_mcp.services.runs.attaching import attach
from consortium_mcp.services.runs.execution import RunExecution

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.adapters.saved.calibrations import Calibrations
    from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
    from consortium_mcp.adapters.templates import Templates
    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.records.run_record import RunRecord
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.price_lists import PriceLists
    from consortium_mcp.services.resolution import RequestResolver, ResolvedConsortium
    from consortium_mcp.services.runs.execution import WrapAsk
    from consortium_mcp.services.users.own_runs import OwnRuns


class NestedRuns:
    """Begins nested runs, and finds those again that a dead process began.

    Args:
        resolver: checks them, because a consortium may have been edited since its parent began.
        saved: holds the saved consortiums.
        store: records the runs.
        supervisor: keeps the runs going.
        new_seed: see `assembly`.
        price_lists: say what calls cost, where that is limited.
        templates: what prompts may go into.
    """

    def __init__(
        self,
        resolver: RequestResolver,
        saved: SavedConsortiums,
        store: Store,
        supervisor: OwnRuns,
        new_seed: Callable[[], str],
        *,
        calibrations: Calibrations,
        price_lists: PriceLists,
        templates: Templates,
    ) -> None:
        self._calibrations = calibrations
        self._resolver = resolver
        self._saved = saved
        self._store = store
        self._supervisor = supervisor
        self._new_seed = new_seed
        self._price_lists = price_lists
        self._templates = templates

    def ask_wrapper(self, resolved: ResolvedConsortium, path: tuple[str, ...]) -> WrapAsk:
        """The wrapper for the `ask` of a run of this consortium.

        It answers a question to a nested consortium with a run of that consortium.

        Args:
            resolved: the consortium that the run asks.
            path: names of the consortiums that the run is nested in, and its own as the last.
        """

        def wrap(outer: RunExecution, ask: Ask) -> Ask:
            async def answer(question: Question, /) -> Reply:
                if question.model in resolved.nested:
                    return await self._consult(outer, path, question)
                return await ask(question)

            return answer

        return wrap

    async def _consult(
        self, outer: RunExecution, path: tuple[str, ...], question: Question
    ) -> Reply:
        """Ask the consortium, and return its answer.

        Raises:
            MemberError: it came to no answer.
        """
        began = time.monotonic()
        try:
            inner = await self._find_or_begin(outer, checked_path(*path, question.model), question)
        except (ConfigError, StoreError) as error:
            raise MemberError(str(error), kind="consortium", permanent=True) from error
        if isinstance(inner, RunExecution):
            with listening(None):  # it answers a member; whoever watches waits for the outer run
                self._supervisor.start(inner.run.run_id, inner.handle, inner.run_to_end)
            try:
                report = await inner.handle.wait(math.inf)
            finally:
                inner.handle.scope.cancel()  # no effect if it has ended
            run = inner.run
        else:
            report, run = inner.report, inner.run()
        return _reply(run, report, question, round(time.monotonic() - began, 3))

    async def _find_or_begin(
        self, outer: RunExecution, path: tuple[str, ...], question: Question
    ) -> RunExecution | RunRecord:
        """The run that answers this question: a new one, or the one that is recorded already."""
        saved = await self._saved.find(question.model)
        resolved = await self._resolver.resolve_from(saved, ConsortiumSettings(), path=path)
        parent = Parent(run_id=outer.run.run_id, call=name_of(question))
        record = await self._find_recorded(parent)
        if record is None:
            resolved, attachments = await attach(resolved, question.attachments)
            run = await self._new_run(outer, parent, question, resolved)
            run = run.model_copy(update={"attachments": attachments})
        elif record.report.status == "working":
            run = record.run()
        else:
            for exchange in record.exchanges:
                outer.budget.remember(exchange)
            for call in cut_off(record.begun_calls, record.exchanges):
                outer.budget.remember_cut_off(call)
            return record
        prices = await self._price_lists.for_run(resolved)
        inner = RunExecution(
            run,
            record.report.created_at if record else now(),
            outer.budget,
            self._store,
            record.exchanges if record else (),
            begun=record.begun_calls if record else (),
            tool_uses=record.tool_uses if record else (),
            wrap=self.ask_wrapper(resolved, path),
            parent=outer.handle,
            price=prices.price,
        )
        if record is None:
            await inner.begin()
        return inner

    async def _new_run(
        self,
        outer: RunExecution,
        parent: Parent,
        question: Question,
        resolved: ResolvedConsortium,
    ) -> Run:
        prompt, config, warnings = question.prompt, resolved.config, resolved.run_warnings
        if config.template is not None and question.role == "member":
            # As an arbiter it judges, and what it judges is no text for its template.
            filled = await self._templates.filled(config.template, prompt)
            own = {"system": config.system, "criteria": config.criteria}
            config = with_template(config, filled, resolved.options, **own)
            prompt, warnings = filled.prompt, (*warnings, *filled.warnings)
        config = config_for_nested(question, config)
        seed = self._new_seed()
        run = Run(
            run_id=str(ULID()),
            prompt=prompt,
            config=config,
            members=members_of_run(config, seed),
            seed=seed,
            parent=parent,
            client=outer.run.client,
            warnings=warnings,
        )
        return with_learned(run, await self._calibrations.current())

    async def _find_recorded(self, parent: Parent) -> RunRecord | None:
        """The run of a dead process, now ours or ended; `None` if a new one is needed."""
        run_id = await self._store.nested_run(parent)
        if run_id is None:
            return None
        await self._store.claim_nested(run_id, parent.run_id)
        record = await self._store.record(run_id)
        return None if record.report.status == "cancelled" else record


def _reply(run: Run, report: RunReport, question: Question, seconds: float) -> Reply:
    usage = report.usage
    spent = Spending.model_validate(usage.model_dump(include=set(Spending.model_fields)))
    best = run.best
    if best is None:
        raise MemberError(
            f"{question.model} came to no answer: {report.error or report.status} "
            f"(run {run.run_id})",
            kind="consortium",
            spent=spent,
            tries=usage.calls,
        )
    note = f"{question.model} (run {run.run_id}) is {report.status}: {'; '.join(report.warnings)}"
    return Reply(
        text=reply_text(best, question.role),
        seconds=seconds,
        **spent.model_dump(),
        tries=usage.calls,
        warnings=() if report.status == "completed" else (note,),
        nested_run_id=run.run_id,
    )
