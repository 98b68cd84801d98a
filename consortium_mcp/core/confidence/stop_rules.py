"""When another iteration is not worth its cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.answers.equivalence import same
from consortium_mcp.core.answers.parsing import read

if TYPE_CHECKING:
    from consortium_mcp.core.domain.run import Run, StopReason

LEAST_RISE = 0.02
"""A leading answer is stable if its confidence rises by less than this in an iteration."""


def stop_reason(run: Run) -> StopReason | None:
    """Why to stop after this iteration, or `None` to go on."""
    verdict = run.iterations[-1].verdict
    config = run.config
    if verdict.degraded:
        return "arbiter_failed"
    alone = verdict.parts.agreement is None
    if alone and not _others_may_answer(run):
        return "members_failed"
    if len(run.iterations) >= config.min_iterations:
        sure = verdict.confidence >= config.confidence_threshold
        if sure and not verdict.needs_iteration and not alone:
            return "threshold"
        if len(run.iterations) > 1 and _stable(run):
            return "stable"
    return "max_iterations" if len(run.iterations) >= config.max_iterations else None


def _others_may_answer(run: Run) -> bool:
    """Whether asking again may bring more than the one answer that there is."""
    return any(not r.answered and not r.permanent for r in run.iterations[-1].responses)


def _stable(run: Run) -> bool:
    before, now = run.iterations[-2].verdict, run.iterations[-1].verdict
    if now.confidence - before.confidence >= LEAST_RISE:
        return False
    context = context_of(run.prompt, (before.final_answer, now.final_answer))
    answer_before, answer_now = (
        read(before.final_answer or "", context),
        read(now.final_answer or "", context),
    )
    if (
        answer_before is None and answer_now is None
    ):  # an open answer is the same if the same members support it
        return set(before.supporters) == set(now.supporters)
    return same(answer_before, answer_now)
