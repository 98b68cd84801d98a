"""One consultation from beginning to end, for the front ends that live no longer than it does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.core.domain.errors import ConfigError, RunError
from consortium_mcp.core.domain.run import Turn
from consortium_mcp.services.assembly import open_service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from consortium_mcp.core.domain.exchange import Exchange
    from consortium_mcp.core.domain.report import RunReport
    from consortium_mcp.core.domain.request import ConsultRequest
    from consortium_mcp.services.runs.progress import Progress
    from consortium_mcp.services.service import Service

    OnProgress = Callable[[Progress], Awaitable[None] | None]


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    report: RunReport
    exchanges: tuple[Exchange, ...]
    """Every recorded call."""

    def answered(self) -> Outcome:
        """The outcome itself.

        Raises:
            RunError: the run has no answer; the message has its id.
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
    log: bool = True,
) -> Outcome:
    """Consult, and wait for the end.

    Args:
        request: what to ask, and of whom.
        on_begin: told the run's id.
        on_progress: told of every answer and verdict.
        log: whether the journal keeps it.

    Raises:
        ConfigError: something cannot be done as asked; no model was called.
        UnknownRun: there is no run to go on from.
        StoreError: the journal cannot be used at all.
    """
    settings = from_environment()
    store = Store(settings.database) if log else Store(Path(":memory:"))
    # What is saved, and the run to go on from, are in the user's journal in either case.
    saved_in = Store(settings.database) if not log and settings.database.exists() else store
    async with open_service(settings, store=store, saved_in=saved_in) as service:
        run_id = await service.consult(request)
        return await _followed(service, run_id, on_begin, on_progress)


async def resume_once(
    run_id: str, *, on_begin: Callable[[str], None], on_progress: OnProgress
) -> Outcome:
    """Go on with an interrupted run to its end; any other stays as it is.

    Raises:
        UnknownRun: no run has this id.
        ConfigError: a model of the run is not known or not ready here.
    """
    async with open_service(from_environment()) as service:
        await service.resume(run_id)
        outcome = await _followed(service, run_id, on_begin, on_progress)
        if outcome.report.status == "interrupted" and await service.resume(run_id):
            # Its process had died, but only a moment ago, so that it still counted as working.
            outcome = await _followed(service, run_id, on_begin, on_progress)
        return outcome


async def _followed(
    service: Service,
    run_id: str,
    on_begin: Callable[[str], None] | None,
    on_progress: OnProgress | None,
) -> Outcome:
    async def tell(progress: Progress) -> None:
        told = on_progress and on_progress(progress)
        if told is not None:
            await told

    if on_begin is not None:
        on_begin(run_id)
    report = await service.wait(run_id, math.inf, tell)
    return Outcome(report, tuple(await service.exchanges(run_id)))


def turns_of(history: Sequence[tuple[str, str]]) -> list[Turn]:
    """A conversation of pairs (prompt, answer), oldest first, as turns.

    Raises:
        ConfigError: something in it is no such pair.
    """
    turns = []
    for turn in history:
        if not (isinstance(turn, (tuple, list)) and [type(each) for each in turn] == [str, str]):
            raise ConfigError(f"history must be pairs (prompt, answer); {turn!r} is not one.")
        turns.append(Turn(prompt=turn[0], synthesis=turn[1]))
    return turns
