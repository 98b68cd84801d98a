"""Ends a run: completed, degraded, or failed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.run import ABOUT_ARBITER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.run import Run, StopReason
    from consortium_mcp.core.domain.verdict import Response


def ended_without_answers(run: Run, responses: Sequence[Response], *, late: bool) -> Run:
    """The ended run where no member answered: it failed, unless it has an earlier verdict."""
    reasons = "; ".join(f"{r.model}: {r.error}" for r in responses) or "nobody is left to ask"
    run = run.model_copy(update={"unjudged": tuple(responses)})
    reason: StopReason = "deadline" if late else "members_failed"
    if any(r.error_kind == "budget" for r in responses):
        reason = "budget"
    if run.iterations:
        warning = f"Iteration {len(run.iterations) + 1} got no answer ({reasons})."
        return ended(run.model_copy(update={"warnings": (*run.warnings, warning)}), reason)
    return run.model_copy(
        update={
            "status": "failed",
            "stop_reason": reason,
            "error": f"No member answered. {reasons}",
        }
    )


def ended(run: Run, reason: StopReason) -> Run:
    """The ended run, with a warning for everything that went wrong."""
    judged = any(iteration.verdict.arbiter for iteration in run.iterations)
    warnings = [each for each in run.warnings if judged or not each.startswith(ABOUT_ARBITER)]
    if len(run.iterations) < run.config.min_iterations:
        warnings.append(
            f"Only {len(run.iterations)} of at least {run.config.min_iterations} iterations were "
            f"made ({reason})."
        )
    for iteration in run.iterations:
        warnings += [w for w in iteration.verdict.warnings if w not in warnings]
        unanswered: defaultdict[str, list[str]] = defaultdict(list)
        notes: defaultdict[str, list[str]] = defaultdict(list)
        for r in iteration.responses:
            who = f"{r.model} ({r.label})"
            if not r.answered:
                unanswered[str(r.error)].append(who)
            for warning in r.warnings:
                notes[warning].append(who)
        warnings += [
            f"{', '.join(who)} did not answer in iteration {iteration.number}: {error}"
            for error, who in unanswered.items()
        ]
        warnings += [
            f"{', '.join(who)} in iteration {iteration.number}: {warning}"
            for warning, who in notes.items()
        ]
    best = run.best
    if best is not None and best.verdict.parts.agreement is None:
        warnings.append(
            f"One of {len(best.responses)} members answered in iteration {best.number}: its answer "
            "stands alone, and no agreement supports it."
        )
    return run.model_copy(
        update={
            "status": "degraded" if _fell_short(run, reason) else "completed",
            "stop_reason": reason,
            "warnings": tuple(warnings),
        }
    )


def _fell_short(run: Run, reason: StopReason) -> bool:
    """Whether the run did less than its configuration asked for."""
    unanswered = any(not r.answered for it in run.iterations for r in it.responses)
    best = run.best
    return (
        unanswered
        or len(run.iterations) < run.config.min_iterations
        or reason in {"deadline", "quorum", "members_failed", "arbiter_failed"}
        or (best is not None and best.verdict.degraded)
    )
