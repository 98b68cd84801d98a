"""From Python: `rate_run(run_id, correct=True)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.frontends.python import run_coroutine

if TYPE_CHECKING:
    from consortium_mcp.core.reports.report import RunReport


def rate_run(
    run_id: str,
    *,
    correct: bool | None = None,
    answer: str | None = None,
    note: str | None = None,
) -> RunReport:
    """Keep whether a run's answer was right; `consortium-mcp calibrate` learns from it.

    Args:
        run_id: a run that has ended with an answer; `latest` is the newest.
        correct: whether its answer is right.
        answer: the right answer, in any spelling; give at least one of the two.
        note: anything worth keeping with it.

    Returns:
        The run's report, with all its ratings.

    Raises:
        ConfigError: the run has no answer, the rating says nothing or contradicts itself, or an
            event loop is running.
        UnknownRun: no run has this id.
    """
    rating = arate_run(run_id, correct=correct, answer=answer, note=note)
    return run_coroutine(rating, "await arate_run(run_id, …)")


async def arate_run(
    run_id: str,
    *,
    correct: bool | None = None,
    answer: str | None = None,
    note: str | None = None,
) -> RunReport:
    """`rate_run` for async code; arguments and errors are the same."""
    from consortium_mcp.adapters.settings import from_environment  # noqa: PLC0415
    from consortium_mcp.services.assembly import open_service  # noqa: PLC0415

    async with open_service(from_environment()) as service:
        found = await service.find_run(run_id)
        return await service.rate(found, correct=correct, answer=answer, note=note, by="python")
