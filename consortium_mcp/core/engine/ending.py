"""How a run ends: with its answer, with less than was asked for, or with none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.run import Run, StopReason
    from consortium_mcp.core.domain.verdict import Response


def ended_without_answers(run: Run, responses: Sequence[Response], *, late: bool) -> Run:
    """Nobody answered: with an earlier verdict the run still has an answer, else it failed."""
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
    """The run at its end, with everything that its reader should be warned of."""
    warnings = [*run.warnings]
    if len(run.iterations) < run.config.min_iterations:
        warnings.append(
            f"Only {len(run.iterations)} of at least {run.config.min_iterations} iterations were "
            f"made ({reason})."
        )
    for iteration in run.iterations:
        warnings += [w for w in iteration.verdict.warnings if w not in warnings]
        warnings += [
            f"{r.model} ({r.label}) did not answer in iteration {iteration.number}: {r.error}"
            for r in iteration.responses
            if not r.answered
        ]
        warnings += [
            f"{r.model} ({r.label}) in iteration {iteration.number}: {warning}"
            for r in iteration.responses
            for warning in r.warnings
        ]
    return run.model_copy(
        update={
            "status": "degraded" if _fell_short(run, reason) else "completed",
            "stop_reason": reason,
            "warnings": tuple(warnings),
        }
    )


def _fell_short(run: Run, reason: StopReason) -> bool:
    """Whether something that the configuration asked for did not happen."""
    silent = any(not r.answered for it in run.iterations for r in it.responses)
    best = run.best
    return (
        silent
        or len(run.iterations) < run.config.min_iterations
        or reason in {"deadline", "quorum", "members_failed", "arbiter_failed"}
        or (best is not None and best.verdict.degraded)
    )
