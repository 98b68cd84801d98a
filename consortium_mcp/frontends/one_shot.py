"""Run one consultation to its end, for front ends that exit afterwards."""

from __future__ import annotations

import math
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from consortium_mcp.adapters.calls.listening import listening
from consortium_mcp.adapters.journal.database import UntouchedFile
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.adapters.sqlite.patience import shared_patience
from consortium_mcp.core.domain.errors import ConfigError, RunError, StoreUnavailable
from consortium_mcp.core.domain.run import Turn
from consortium_mcp.services.assembly import open_service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractContextManager

    from consortium_mcp.adapters.calls.listening import Listener
    from consortium_mcp.core.domain.request import ConsultRequest
    from consortium_mcp.core.records.exchange import Exchange
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.runs.progress import Progress
    from consortium_mcp.services.runs.stage import Stage
    from consortium_mcp.services.service import Service

    OnProgress = Callable[[Progress], Awaitable[None] | None]
    Look = Callable[[], Stage | None]
    Watch = Callable[[Look], AbstractContextManager[object]]
    """Opened while a run is waited for. It may look at the run at any time, from any thread."""


@dataclass(frozen=True)
class Outcome:
    """The report of an ended run, and its calls."""

    report: RunReport
    exchanges: tuple[Exchange, ...]
    """Every recorded call."""

    def answered(self) -> Outcome:
        """This outcome, if the run has an answer.

        Raises:
            RunError: it has none; the message contains the run id.
        """
        report = self.report
        if report.status == "failed" or report.synthesis is None:
            why = report.error or f"The run was {report.status} before there was an answer."
            raise RunError(f"{why} (run {report.run_id})")
        return self


async def consult_once(
    request: ConsultRequest,
    *,
    on_begin: Callable[[str], None] | None = None,
    on_progress: OnProgress | None = None,
    watch: Watch | None = None,
    listener: Listener | None = None,
    log: bool = True,
) -> Outcome:
    """Consult, and wait for the run to end.

    Args:
        request: the question and the panel.
        on_begin: called with the run id.
        on_progress: called with every answer and verdict.
        watch: shows where the run stands while it works.
        listener: hears replies while models write them.
        log: whether to record the run in the journal; if not, no file of it is touched.

    Raises:
        ConfigError: the request is invalid; no model was called.
        UnknownRun: the run to continue does not exist.
        StoreError: what was named cannot be read, or a newer version wrote the journal.
    """
    settings = from_environment()
    store = Store(settings.database) if log else Store(Path(":memory:"))
    # Saved consortiums and the run to continue are always read from the user's journal.
    saved_in = store
    if not log and settings.database.exists():
        saved_in = Store(settings.database)
        saved_in.file = UntouchedFile(settings.database)
    with shared_patience():
        async with open_service(
            settings, store=store, saved_in=saved_in, any_template=True
        ) as service:
            with listening(listener):
                begun = await service.begin(request)
            outcome = await _wait(service, begun.run_id, on_begin, on_progress, watch)
            return replace(outcome, report=begun.told(outcome.report))


async def resume_once(
    run_id: str,
    *,
    on_begin: Callable[[str], None],
    on_progress: OnProgress | None = None,
    watch: Watch | None = None,
    listener: Listener | None = None,
) -> Outcome:
    """Resume an interrupted run and wait for its end; no effect on any other run.

    Raises:
        UnknownRun: no run has this id.
        ConfigError: a model of the run is unknown or not ready here.
    """
    with shared_patience():
        async with open_service(from_environment(), any_template=True) as service:
            run_id = await service.find_run(run_id)
            with listening(listener):
                await service.resume(run_id)
            outcome = await _wait(service, run_id, on_begin, on_progress, watch)
            if outcome.report.status == "interrupted" and await service.resume(run_id):
                # Its process died so recently that the first `resume` still took it for working.
                outcome = await _wait(service, run_id, on_begin, on_progress, watch)
            return outcome


async def _wait(
    service: Service,
    run_id: str,
    on_begin: Callable[[str], None] | None,
    on_progress: OnProgress | None,
    watch: Watch | None,
) -> Outcome:
    """Wait for the run to end, reporting progress."""

    async def report_progress(progress: Progress) -> None:
        pending = on_progress and on_progress(progress)
        if pending is not None:
            await pending

    if on_begin is not None:
        on_begin(run_id)
    with watch(partial(service.stage, run_id)) if watch is not None else nullcontext():
        report = await service.wait(run_id, math.inf, report_progress)
    with suppress(StoreUnavailable):  # the answer is here; that its calls cannot be shown is less
        return Outcome(report, tuple(await service.exchanges(run_id)))
    return Outcome(report, ())


def turns_of(history: Sequence[tuple[str, str]]) -> list[Turn]:
    """Turns from (prompt, answer) pairs, oldest first.

    Raises:
        ConfigError: an element is not such a pair.
    """
    turns = []
    for turn in history:
        if not (isinstance(turn, (tuple, list)) and [type(each) for each in turn] == [str, str]):
            raise ConfigError(f"history must be pairs (prompt, answer); {turn!r} is not one.")
        turns.append(Turn(prompt=turn[0], synthesis=turn[1]))
    return turns
