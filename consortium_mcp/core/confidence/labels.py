"""What ratings say of answers: whether a run was right, and which of its answers were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.answers.equivalence import contradict, same
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from consortium_mcp.core.reports.rating import Rating
    from consortium_mcp.core.reports.report import RunReport


def check(rating: Rating, report: RunReport) -> None:
    """Check that the run can be rated, and that the rating does not contradict itself.

    Raises:
        ConfigError: the run has no answer, or one that the rating calls both right and wrong.
    """
    if report.synthesis is None or report.status not in {"completed", "degraded"}:
        raise ConfigError(
            f"Run {report.run_id} is {report.status}: only a run with an answer can be rated."
        )
    if rating.correct is None or rating.answer is None:
        return
    context = context_of(report.prompt, (report.final_answer, rating.answer))
    ours, right = read(report.final_answer or "", context), read(rating.answer, context)
    if contradict(ours, right) if rating.correct else same(ours, right):
        called = "right" if rating.correct else "wrong"
        raise ConfigError(
            f"The run's answer is {report.final_answer!r}. It cannot be {called} where "
            f"{rating.answer!r} is the right one: leave out correct, or answer."
        )


def was_right(rating: Rating, report: RunReport) -> bool | None:
    """Whether the run's answer was right; `None` where it cannot be compared with the right one."""
    if rating.correct is not None:
        return rating.correct
    if report.final_answer is None:
        return None
    context = context_of(report.prompt, (report.final_answer, rating.answer))
    return same(read(report.final_answer, context), read(rating.answer or "", context))
